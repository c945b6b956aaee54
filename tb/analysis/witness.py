"""A case in which conditions have the answers asked of them: values in units, found and then checked by computing with them.

Values are chosen one after the other inside what the rest leaves open, as round as they can be. What cannot be checked, because
values depend on each other in ways that are not understood, is no witness: None, which means undecided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tb.analysis.clauses import Clause, Term
from tb.analysis.contradiction import COMPARISONS, Contradictions
from tb.analysis.gaps import ZERO, Gap
from tb.analysis.ranges import is_whole, shown
from tb.analysis.subject import Subject
from tb.core.encode import plain
from tb.core.span import Span
from tb.core.time import show_duration
from tb.core.units import Kind, Unit
from tb.engine.graph import Node

_COMPUTED = frozenset({"neg", "add", "sub", "mul", "div", "abs", "min", "max"})
_ANSWERS = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}
_MINUTE = Fraction(60_000)
# by kind: what a value is where nothing says anything of it, and the unit in which it should be round
_USUAL = {
    Kind.MONEY: (Fraction(10_000), Fraction(1)),
    Kind.RATIO: (Fraction(1, 100), Fraction(1)),
    Kind.DURATION: (60 * _MINUTE, _MINUTE),
}
End = tuple[Fraction, bool] | None  # how far, and whether that itself is left out


@dataclass(frozen=True, slots=True)
class Witness:
    """`values` of the nodes that the clauses look at; `clauses` that hold with them, those about names among them."""

    values: Mapping[int, Fraction]
    clauses: Term


def witness(contradictions: Contradictions, clauses: Sequence[Clause]) -> Witness | None:
    """A case in which these conditions have these answers, the first that is found."""
    for term in contradictions.clauses.together(clauses) or ():
        if contradictions.impossible(term):
            continue
        for gaps in contradictions.ways_of(term):
            values = _values(contradictions, term, gaps)
            if values is not None:
                return Witness(values, term)
    return None


def _values(contradictions: Contradictions, term: Term, gaps: list[Gap]) -> dict[int, Fraction] | None:
    graph = contradictions.graph
    compared = [id_ for id_, _ in term if graph[id_].op in COMPARISONS and not contradictions.is_choice(id_)]
    leaves = list(dict.fromkeys(leaf for id_ in compared for leaf in _leaves(contradictions, id_)))
    computed = [node for id_ in compared for node in graph[id_].args if graph[node].op in _COMPUTED]
    inside = {leaf for node in computed for leaf in _leaves(contradictions, node)}
    leaves.sort(key=lambda leaf: leaf not in inside)  # what others are multiples of comes first
    chosen: dict[int, Fraction] = {}
    for leaf in leaves:
        low, high = _left_open(gaps, leaf)
        value = _round(low, high, _USUAL.get(graph[leaf].unit.kind, (Fraction(1), Fraction(1))), whole=is_whole(graph[leaf]))
        if value is None:
            return None
        chosen[leaf] = value
        settled = {leaf: value, **{node: _computed(contradictions, node, graph[node].stage, chosen) for node in computed}}
        for node, amount in settled.items():
            if amount is not None:
                gaps = [*gaps, Gap(node, ZERO, amount, False), Gap(ZERO, node, -amount, False)]
    for id_, wanted in term:
        if id_ in compared and _answer(contradictions, graph[id_], chosen) is not wanted:
            return None
    return chosen


def _leaves(contradictions: Contradictions, id_: int) -> Iterable[int]:
    """What a comparison is computed from, constants aside."""
    graph, stack, seen = contradictions.graph, [id_], set[int]()
    while stack:
        node = graph[stack.pop()]
        if node.id in seen or contradictions.ranges.fixed(node.id, node.stage) is not None:
            continue
        seen.add(node.id)
        if node.op in _COMPUTED or node.op in COMPARISONS:
            stack += reversed(node.args)
        else:
            yield node.id


def _answer(contradictions: Contradictions, node: Node, values: Mapping[int, Fraction]) -> bool | None:
    left, right = (_computed(contradictions, argument, node.stage, values) for argument in node.args)
    return None if left is None or right is None else bool(_ANSWERS[node.op](left, right))


def _computed(contradictions: Contradictions, id_: int, stage: str, values: Mapping[int, Fraction]) -> Fraction | None:
    fixed = contradictions.ranges.fixed(id_, stage)
    if fixed is not None or id_ in values:
        return values.get(id_, fixed) if fixed is None else fixed
    node = contradictions.graph[id_]
    parts = [_computed(contradictions, argument, node.stage, values) for argument in node.args]
    known = [part for part in parts if part is not None]
    if len(known) != len(parts) or not known:
        return None
    match node.op, known:
        case "neg", [a]:
            return -a
        case "abs", [a]:
            return abs(a)
        case "add", [a, b]:
            return a + b
        case "sub", [a, b]:
            return a - b
        case "mul", [a, b]:
            return a * b
        case "div", [a, b] if b:
            return a / b
        case "min", _:
            return min(known)
        case "max", _:
            return max(known)
        case _:
            return None


# --- choosing -----------------------------------------------------------------------------------------------------------


def _left_open(gaps: Sequence[Gap], leaf: int) -> tuple[End, End]:
    """Between which ends a value may lie, the others as free as they are: shortest ways between it and nothing."""
    low, high = _way(gaps, ZERO, leaf), _way(gaps, leaf, ZERO)
    return (None if low is None else (-low[0], low[1])), high


def _way(gaps: Sequence[Gap], start: int, end: int) -> End:
    """The least that `start - end` is known to be at most."""
    best: dict[int, tuple[Fraction, bool]] = {end: (Fraction(0), False)}
    for _ in range(len({gap.left for gap in gaps} | {gap.right for gap in gaps}) + 1):
        changed = False
        for gap in gaps:
            if gap.right not in best:
                continue
            most, strict = best[gap.right]
            reached = (most + gap.most, strict or gap.strict)
            known = best.get(gap.left)
            if known is None or (reached[0], not reached[1]) < (known[0], not known[1]):
                best[gap.left] = reached
                changed = True
        if not changed:
            break
    return best.get(start)


def _round(low: End, high: End, usual: tuple[Fraction, Fraction], *, whole: bool) -> Fraction | None:
    """A number between the ends with as few digits as can be."""
    first, last = _some(low, high, usual[0])
    for digits in range(9):
        for wish in ((first + last) / 2, first, last):
            value = Fraction(round(wish)) if whole or wish == 0 else _digits(wish / usual[1], digits) * usual[1]
            above = low is None or value > low[0] or (value == low[0] and not low[1])
            below = high is None or value < high[0] or (value == high[0] and not high[1])
            if above and below:
                return value
    return None


def _some(low: End, high: End, usual: Fraction) -> tuple[Fraction, Fraction]:
    """Two ends to look between where one or both are open."""
    if low is not None and high is not None:
        return low[0], high[0]
    if low is not None and low[0] < usual:
        return usual, usual
    if low is not None:
        return low[0], low[0] + max(abs(low[0]) / 4, Fraction(1, 100) if low[0] else Fraction(2))
    if high is not None:
        if high[0] > usual:
            return usual, usual
        return high[0] - max(abs(high[0]) / 4, Fraction(1, 100) if high[0] else Fraction(2)), high[0]
    return usual, usual


def _digits(value: Fraction, digits: int) -> Fraction:
    """Rounded to that many digits and one."""
    scale = digits - math.floor(math.log10(abs(value)))
    return Fraction(round(value * Fraction(10) ** scale)) / Fraction(10) ** scale


# --- words --------------------------------------------------------------------------------------------------------------


def in_units(value: Fraction, unit: Unit) -> str:
    """A value as a trader would write it; a small share in basis points."""
    if unit.kind is Kind.RATIO and value and abs(value) < Fraction(1, 100):
        return f"{plain(Decimal(format(float(value * 10_000), '.6g')))}bps"
    if unit.kind is Kind.DURATION and value.denominator == 1 and value > 0:
        return show_duration(int(value))
    return shown(value, unit)


def told(subject: Subject, found: Witness | None, around: Span, most: int = 3) -> str:
    """`spread 12bps and volume 10`, and names that are chosen, as far as the files say them; empty where none are said."""
    if found is None:
        return ""
    said = []
    for id_, value in found.values.items():
        node = subject.graph[id_]
        place = subject.place_in(node, around)
        if place is not None:
            words, fact = subject.words(place), str(node.consts[0]) if node.op in {"fact", "derived"} else ""
            # `pause NAME after 3 losses in a row` reads facts that it does not name
            said.append(f"{words if words.startswith(fact) else fact} {in_units(value, node.unit)}")
    for id_, wanted in found.clauses:
        place = subject.place_in(subject.graph[id_], around)
        if wanted and subject.graph[id_].op in {"tier_is", "regime_is"} and place is not None:
            said.append(subject.words(place))
    said = list(dict.fromkeys(said))
    if not said or len(said) > most:
        return ""
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
