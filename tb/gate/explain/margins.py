"""Margins of a decision: for each input, the nearest value at which the gate's verdict on the order is another.

The candidates are the flip points of single constraints; each is checked by judging at it, just inside and just outside. An
input may have to pass several of them before the verdict changes: the strictest constraint that is left still decides. Whether
an order is shrunk or refused also depends on what would be left of it, so the way between two candidates is looked at as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.units import Kind
from tb.engine.explain.flips import Flip, flip_at, flips
from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact, exact
from tb.gate.explain.model import RuleResult
from tb.gate.explain.text import flip_words
from tb.gate.gate import Gate

_NEAR = 0.9  # a limit used beyond this share is a near miss
_CLOSE = Decimal("0.01")  # an input this near to a flip point, as a share of it, is one of the others
_FEW = Decimal("1e-9")
_HALVINGS = 64
Verdict = Callable[[Decimal], str]
Change = tuple[Decimal, int, tuple[str, str, str]]  # a point, on which side of the value it lies, and the verdicts around it


def margins(
    graph: RuleGraph, gate: Gate, settings: Settings, decision: Decision, inputs: Sequence[Exact], rules: Sequence[RuleResult]
) -> tuple[Flip, ...]:
    """One flip of the verdict for each input that can change it alone, nearest first in relative terms; their answers are
    verdicts. Of a leg there are none: what is said to it is said to all of them."""
    if decision.together is not None:
        return ()
    spec = settings.instrument(decision.instrument)
    lot = None if spec is None else spec.lot
    places = {describe(graph, leaf, expand=False): place for place, leaf in enumerate(gate.policy.leaves)}
    points: dict[str, list[Decimal]] = {}
    for flip in chain((flip for rule in rules for flip in rule.flips), _of_smaller_sizes(graph, gate, decision, inputs, lot)):
        if flip.input in places:
            points.setdefault(flip.input, []).append(Decimal(flip.exact))

    def judged(place: int, is_quantity: bool) -> Verdict:
        def verdict(moved: Decimal) -> str:
            changed = [*inputs[:place], moved, *inputs[place + 1 :]]
            quantity = moved if is_quantity else decision.proposed
            return gate.decide(changed, decision.kind == "enter", quantity, lot).verdict

        return verdict

    found = []
    for name, candidates in points.items():
        place = places[name]
        value = inputs[place]
        if isinstance(value, Decimal):
            verdict = judged(place, name == "order.quantity")
            nearest = _nearest(value, candidates, verdict)
            if nearest is not None:
                point, away, answers = nearest
                distance = abs(point - value) / max(abs(value), _FEW)
                found.append((distance, flip_at(graph, gate.policy.leaves[place], value, point, away, answers, verdict)))
    return tuple(flip for _, flip in sorted(found, key=lambda pair: pair[0]))


def _of_smaller_sizes(
    graph: RuleGraph, gate: Gate, decision: Decision, inputs: Sequence[Exact], lot: Decimal | None
) -> Iterator[Flip]:
    """Flips of constraints on the size that a shrunk order has, and on one lot: beyond the last, nothing is left of it."""
    if lot is None or decision.verdict not in {"shrink", "reject"}:
        return
    quantity = gate.policy.leaves[gate.leaf("order.quantity")]
    sizes = dict.fromkeys(size for size in (decision.approved, lot) if 0 < size < decision.proposed)
    for constraint in gate.policy.constraints:
        if constraint.acts is not None and quantity in graph.reach((constraint.node,)):
            for size in sizes:
                leaves = zip(gate.policy.leaves, gate.with_quantity(inputs, size), strict=True)
                yield from (flip for flip in flips(graph, constraint.node, dict(leaves)) if flip.input != "order.quantity")


def _nearest(value: Decimal, points: Sequence[Decimal], verdict: Verdict) -> Change | None:
    now = verdict(value)
    found = [_on_one_side(value, points, verdict, now, away) for away in (1, -1)]
    return min((one for one in found if one is not None), key=lambda one: abs(one[0] - value), default=None)


def _on_one_side(value: Decimal, points: Sequence[Decimal], verdict: Verdict, now: str, away: int) -> Change | None:
    """The first change of the verdict above the value (`away` 1) or below it (-1), from one candidate to the next.

    What an order is shrunk to is no constraint's threshold: where the verdict is another already on the way to a candidate,
    the point between is bisected."""
    last = value
    for point in sorted({point for point in points if (point - value) * away >= 0}, key=lambda point: abs(point - value)):
        step = max(abs(point), abs(value), _FEW) * _FEW
        before = point - away * step
        inside = now if (before - last) * away <= 0 else verdict(before)
        if inside != now:
            point = _between(last, before, verdict, now)
            before, inside = point - away * step, now if point == last else verdict(point - away * step)
        answers = inside, verdict(point), verdict(point + away * step)
        if inside == now and answers != (now, now, now):
            return point, away, answers
        last = point + away * step
    return None


def _between(last: Decimal, other: Decimal, verdict: Verdict, now: str) -> Decimal:
    """Where the verdict ceases to be what it is now, to the last of its digits that count."""
    for _ in range(_HALVINGS):
        middle = EXACT.divide(EXACT.add(last, other), Decimal(2))
        if middle in {last, other}:
            break
        if verdict(middle) == now:
            last = middle
        else:
            other = middle
    return other


def near_misses(
    rules: Iterable[RuleResult],
    values: Mapping[str, Decimal],
    conditions: Mapping[str, Iterable[Flip]],
    market: Mapping[str, Decimal],
) -> Iterator[str]:
    """What passed with little left: limits used to nine tenths, other constraints of which an input lies within a hundredth of
    its flip point, and inputs of the conditions that do. `values` and `market` are the inputs of both (`by_name`)."""
    for rule in rules:
        if rule.status != "passed":
            continue
        if rule.used is not None:
            if _NEAR <= rule.used <= 1:
                yield _limit_near(rule)
            continue
        near = next((flip for flip in rule.flips if _is_close(flip, values)), None)
        if near is not None:
            yield f"{rule.name}: fails if {flip_words(near)}"
    for name, found in conditions.items():
        yield from (f"{name}: fails if {flip_words(flip)}" for flip in found if _is_close(flip, market))


def _is_close(flip: Flip, values: Mapping[str, Decimal]) -> bool:
    value, point = values.get(flip.input), Decimal(flip.exact)
    return value is not None and point != 0 and abs(point - value) <= abs(point) * _CLOSE


def _limit_near(rule: RuleResult) -> str:
    clause = rule.condition
    while clause.parts and not clause.value:  # a limit that exceptions loosen
        clause = clause.parts[0]
    return f"{rule.name}: {clause.value} of {clause.threshold} ({rule.used or 0:.0%} used, {clause.distance} left)"


def by_name(graph: RuleGraph, leaves: Iterable[int], values: Iterable[Exact | float]) -> dict[str, Decimal]:
    """Known numbers by the names that flips have, without prices: these are near to each other by nature."""
    found = {}
    for leaf, value in zip(leaves, values, strict=False):
        number = exact(value) if isinstance(value, float) else value
        if isinstance(number, Decimal) and graph[leaf].unit.kind is not Kind.PRICE:
            found[describe(graph, leaf, expand=False)] = number
    return found
