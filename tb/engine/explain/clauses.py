"""Clause trees: a condition taken apart, each part with its value, and the clauses that keep it from being true.

A clause is a part of a condition that is decided by itself: a comparison, a regime, a tier, a list, a stretch of bars. Values
come from leaves through the reference interpreter; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import isnan

import msgspec

from tb.core.units import DURATION, Kind, Unit
from tb.engine.explain.tables import tables_below
from tb.engine.explain.words import describe, points_of, show_apart, show_together, show_value
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import EXACT, Exact, decision_value, market_value

_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_UNLESS_EQUAL = {"lt": "true", "gt": "true", "ne": "true", "le": "false", "ge": "false", "eq": "false"}
_NO_DISTANCE = frozenset({Kind.TRUTH, Kind.REGIME, Kind.SIGNAL})
_JOINS = frozenset({"and", "or", "not"})
Values = Mapping[int, Exact | float]
Show = Callable[[Sequence[Exact | float], Unit], tuple[str, ...]]


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a condition. `truth` is true, false or unknown; `wanted` what it must be for the whole to hold.

    For a comparison, `value` and `threshold` are its sides as shown, `distance` how far the value is from the threshold, and
    `node` is the id of the side that is called the value. `parts` are the clauses below it.
    """

    text: str
    truth: str
    wanted: str
    place: str
    name: str = ""
    value: str = ""
    threshold: str = ""
    distance: str = ""
    value_text: str = ""
    threshold_text: str = ""
    node: int = -1
    at: int = -1  # the clause's own node
    parts: tuple[Clause, ...] = ()


def clause_tree(graph: RuleGraph, root: int, values: Values, *, wanted: bool = True) -> Clause:
    """The tree of a condition. `values` holds every node above the leaves (`tb.engine.interpret.from_leaves`)."""
    node = graph[root]
    parts: tuple[Clause, ...] = ()
    if node.op in _JOINS:
        inner = (not wanted) if node.op == "not" else wanted
        parts = tuple(clause_tree(graph, arg, values, wanted=inner) for arg in node.args)
    elif node.op == "regime_is":
        regime = graph[node.args[0]]
        parts = tuple(clause_tree(graph, arg, values, wanted=at == node.consts[0]) for at, arg in enumerate(regime.args))
    elif node.op == "signal_is":
        parts = _cases(graph, node.args[0], values, wanted=str(node.consts[1]) if wanted else "")
    elif node.op == "agrees":
        more = node.consts[0] in {"gt", "ge"}
        parts = tuple(clause_tree(graph, arg, values, wanted=more == wanted) for arg in node.args[2:])
    elif node.op == "member":
        parts = _tiers(graph, graph[node.args[0]], values, wanted=wanted)
    elif node.op in {"every", "some"} and node.args[0] in values:
        parts = (clause_tree(graph, node.args[0], values, wanted=wanted),)
    value = threshold = distance = value_text = threshold_text = ""
    measured = -1
    if node.op in _COMPARISONS or node.op == "agrees":
        measured, bound = sides(graph, node)
        unit = shared_unit(graph[measured].unit, graph[bound].unit)
        show = show_apart if truth_of(values[root]) == _UNLESS_EQUAL.get(node.op) else show_together
        value, threshold, distance = _shown(unit, values[measured], values[bound], show)
        value_text, threshold_text = describe(graph, measured, expand=False), describe(graph, bound, expand=False)
        rises = (node.op in {"gt", "ge"}) == (measured == node.args[0])
        parts = parts or _points(graph, graph[measured], values, wanted=rises == wanted)
        if graph[measured].op == "strength":
            parts = _cases(graph, graph[measured].args[0], values, wanted="any" if rises == wanted else "")
        parts += _rows(graph, node.args[:2], values)
    elif node.op == "regime_is":
        regime = graph[node.args[0]]
        value = show_value(values[regime.id], regime.unit, tuple(str(c) for c in regime.consts))
        value_text, measured, threshold = "regime", regime.id, str(node.consts[1])
    elif node.op == "signal_is":
        measured, threshold = node.args[0], str(node.consts[1])
        value, value_text = show_value(values[measured], graph[measured].unit), describe(graph, measured, expand=False)
    elif node.op in {"every", "some"}:
        measured = root  # the stretch itself is the value: that it holds now says nothing of the bars before
    elif node.op == "pick":
        parts, measured = _rows(graph, (root,), values), root
    span = node.spans[0]
    return Clause(
        text=describe(graph, root),
        truth=truth_of(values[root]),
        wanted="true" if wanted else "false",
        place=f"{span.file}:{span.line}",
        name=node.names[0] if node.names else "",
        value=value,
        threshold=threshold,
        distance=distance,
        value_text=value_text,
        threshold_text=threshold_text,
        node=measured,
        at=root,
        parts=parts,
    )


def _cases(graph: RuleGraph, signal: int, values: Values, *, wanted: str) -> tuple[Clause, ...]:
    """The cases of a signal; `wanted` is the direction that it should say, `any` or empty for none."""
    chosen = graph[graph[signal].args[0]]
    found = []
    for way, arg in zip(chosen.consts, chosen.args, strict=False):
        clause = clause_tree(graph, arg, values, wanted=wanted in {way, "any"})
        found.append(msgspec.structs.replace(clause, text=f"{way} when {clause.text}"))
    return tuple(found)


def _rows(graph: RuleGraph, roots: tuple[int, ...], values: Values) -> tuple[Clause, ...]:
    """The rows that tables below gave their values by, each with its condition."""
    found = []
    for row in tables_below(graph, roots, values):
        parts = () if row.condition is None else (clause_tree(graph, row.condition, values),)
        truth = "unknown" if not row.known or row.row is None else "true"
        place = f"{row.place.file}:{row.place.line}"
        found.append(Clause(text=str(row), truth=truth, wanted="true", place=place, at=row.table.id, parts=parts))
    return tuple(found)


def _points(graph: RuleGraph, node: Node, values: Values, *, wanted: bool) -> tuple[Clause, ...]:
    """The lines of a score that is compared, each with what it gives; `wanted` says whether more points are."""
    if node.op != "score":
        return ()
    found = []
    for points, arg in zip(node.consts, node.args, strict=True):
        gains = isinstance(points, Decimal) and points > 0
        clause = clause_tree(graph, arg, values, wanted=gains is wanted)
        found.append(msgspec.structs.replace(clause, text=f"{points_of(points)} when {clause.text}"))
    return tuple(found)


def _tiers(graph: RuleGraph, node: Node, values: Values, *, wanted: bool) -> tuple[Clause, ...]:
    """The conditions of the tiers of a universe, each with the name of its tier."""
    names = [str(const) for const in node.consts[1:] if ":" not in str(const)]
    found = []
    for name, arg in zip(names, node.args, strict=True):
        if arg in values:
            clause = clause_tree(graph, arg, values, wanted=wanted)
            found.append(msgspec.structs.replace(clause, text=f"{name} where {clause.text}"))
    return tuple(found)


def truth_of(value: Exact | float) -> str:
    """`true`, `false` or `unknown`, of either stage."""
    if value is None or value != value:  # noqa: PLR0124 - NaN differs from itself
        return "unknown"
    return "true" if value is True or value == 1.0 else "false"


def sides(graph: RuleGraph, node: Node) -> tuple[int, int]:
    """The side of a comparison that is measured, and the side it is held against: the one that can move comes first."""
    left, right = node.args[:2]
    if graph[left].stage == "constant" and graph[right].stage != "constant":
        return right, left
    return left, right


def shared_unit(measured: Unit, bound: Unit) -> Unit:
    """The unit to show both sides in: a quotient held against a ratio is shown as a ratio."""
    return bound if measured.kind is Kind.QUOTIENT and bound.kind is Kind.RATIO else measured


def _distance(unit: Unit, value: Exact | float, bound: Exact | float) -> Decimal | float | None:
    """How far apart two values are; None where there is no such thing, as between truths or where one is unknown."""
    if unit.kind in _NO_DISTANCE:
        return None
    if isinstance(value, Decimal) and isinstance(bound, Decimal):
        return abs(EXACT.subtract(bound, value))
    if isinstance(value, float | Decimal) and isinstance(bound, float | Decimal):
        distance = abs(float(bound) - float(value))
        return None if isnan(distance) else distance
    return None


def _shown(unit: Unit, value: Exact | float, bound: Exact | float, show: Show) -> tuple[str, str, str]:
    """Both sides of a comparison and what lies between them, in one unit."""
    distance = _distance(unit, value, bound)
    if unit.kind is Kind.TIME:  # between two instants lies a length of time
        length = "" if distance is None else show_value(distance, DURATION)
        return show_value(value, unit), show_value(bound, unit), length
    said, threshold, *apart = show((value, bound) if distance is None else (value, bound, distance), unit)
    return said, threshold, apart[0] if apart else ""


def blame(clause: Clause) -> Iterator[Clause]:
    """The undecided or unwanted clauses at the bottom: what would have to change for the whole to be as wanted."""
    if clause.truth == clause.wanted:
        return
    is_join = bool(clause.parts) and clause.node == -1
    if not is_join:
        yield clause
        return
    for part in clause.parts:
        yield from blame(part)


def flips_when_moved(graph: RuleGraph, clause: Clause, values: Values) -> bool:
    """Whether the clause becomes as wanted when its value is moved just past its threshold, by evaluation."""
    node = graph[clause.at]
    wanted = clause.wanted == "true"
    if node.op == "agrees":
        op, bound_ = str(node.consts[0]), float(values[node.args[1]] or 0.0)
        counts = map(float, range(len(node.args) - 1))
        return any(truth_of(market_value(op, (), [count, bound_])) == clause.wanted for count in counts)
    if node.op == "signal_is":
        ways = [float(str(node.consts[0])), 1.0, -1.0, 0.0]
        return any(truth_of(market_value("signal_is", node.consts, [way])) == clause.wanted for way in ways)
    if node.op in _COMPARISONS:
        measured, bound = sides(graph, node)
        return any(truth_of(_with(graph, node, values, measured, moved)) == clause.wanted for moved in _around(values[bound]))
    if node.op == "regime_is":
        index = node.consts[0]
        moved = float(index) if wanted and isinstance(index, int | Decimal) else -1.0
        return truth_of(market_value("regime_is", node.consts, [moved])) == clause.wanted
    # a stretch of bars, a tier, a list: the clause itself is the value
    return True


def _around(bound: Exact | float) -> list[Exact | float]:
    """The threshold, a little less, and a little more."""
    if isinstance(bound, Decimal):
        step = max(abs(bound), Decimal(1)) * Decimal("1e-9")
        return [bound, EXACT.subtract(bound, step), EXACT.add(bound, step)]
    if isinstance(bound, float) and bound == bound:  # noqa: PLR0124 - NaN differs from itself
        step_ = max(abs(bound), 1.0) * 1e-9
        return [bound, bound - step_, bound + step_]
    # an unknown threshold cannot be passed; a text is met by itself
    return [bound] if isinstance(bound, str) else [0.0]


def _with(graph: RuleGraph, node: Node, values: Values, moved: int, value: Exact | float) -> Exact | float:
    arguments = [value if arg == moved else values[arg] for arg in node.args]
    if node.stage == "decision":
        exact = [a if not isinstance(a, float) else None for a in arguments]
        return decision_value(node.op, node.consts, exact)
    floats = [float(a) if isinstance(a, float | Decimal) else float("nan") for a in arguments]
    return market_value(node.op, node.consts, floats)


def unknown_leaves(graph: RuleGraph, root: int, values: Values) -> tuple[int, ...]:
    """The lowest unknown nodes that make a condition unknown."""
    if truth_of(values.get(root)) != "unknown" and graph[root].unit.kind is Kind.TRUTH:
        return ()
    found: dict[int, None] = {}
    stack = [root]
    while stack:
        id_ = stack.pop()
        below = [arg for arg in graph[id_].args if arg in values and _is_unknown(values[arg])]
        if below:
            stack.extend(reversed(below))
        elif _is_unknown(values.get(id_)):
            found[id_] = None
    return tuple(found)


def _is_unknown(value: Exact | float) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124 - NaN differs from itself
