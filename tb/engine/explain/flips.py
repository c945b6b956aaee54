"""Flip points: for each input of a condition, the nearest value at which its answer changes, all else unchanged.

1. Every comparison below the condition gives candidates: where its two sides meet as that input moves. A linear side is solved
   exactly; what is not linear is bisected between the input's value and the ends of a bracket.
2. Each candidate is checked by evaluating the whole condition at it, just inside and just outside; only one at which the answer
   really changes is a flip point.

Numbers are Decimal in the decision stage and float64 in the market stage, as in the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import msgspec

from tb.core.encode import plain
from tb.core.units import DURATION, Kind
from tb.engine.explain.clauses import truth_of
from tb.engine.explain.words import describe, show_apart, show_value
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact, exact
from tb.engine.interpret import from_leaves
from tb.vocabulary.facts import COUNTS

_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_NUMERIC = frozenset(
    {Kind.NUMBER, Kind.RATIO, Kind.QUOTIENT, Kind.PRICE, Kind.MONEY, Kind.QUANTITY, Kind.DURATION, Kind.BARS, Kind.R}
)
# what an order is, rather than what could be otherwise
_FIXED = frozenset(
    {("order.sign", ""), ("order.opens", "")}
    | {(name, scope) for name in ("scope.inside",) for scope in ("order.instrument", "group of order.instrument")}
    | {("scope.others", "order.instrument")}
)
_STEPS = 200
_BRACKETS = tuple(Decimal(factor) for factor in ("0.5", "2", "0.1", "10", "0.001", "1000", "0", "-1", "-10"))
_REACHES = (Decimal(1), Decimal(2), Decimal(10), Decimal(-2), Decimal(-10))
_ROUND = Context(prec=18)  # what was bisected mostly meets at a number that people write
Leaves = Mapping[int, Exact | float]
Answer = Callable[[Decimal], str]
Gap = Callable[[Decimal], Decimal | None]


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """`input` flips the condition at `at`, which is `exact` in base units.

    `change` says how far that is, or `just above`, `just below` where the value lies at that point already. Of what is counted
    `at` is the first whole number that has the other answer.
    `inside` is the answer just before that point, coming from the present value, `at_point` at it, `outside` just beyond. All
    three were evaluated.
    """

    input: str
    value: str
    at: str
    change: str
    exact: str
    inside: str
    at_point: str
    outside: str


def flips(graph: RuleGraph, root: int, leaves: Leaves) -> tuple[Flip, ...]:
    """One flip for each leaf that can flip the condition alone, nearest first in relative terms. Unknown leaves have none."""
    below = set(_above_leaves(graph, root, leaves))
    found: list[tuple[Decimal, Flip]] = []
    for leaf, value in leaves.items():
        if leaf not in below or graph[leaf].unit.kind not in _NUMERIC or value is None or isinstance(value, str):
            continue
        if graph[leaf].op == "fact" and graph[leaf].consts in _FIXED:
            continue
        number = value if isinstance(value, Decimal) else exact(value)
        if number is None:
            continue
        point = _nearest(graph, root, leaves, leaf, number)
        if point is not None:
            found.append(point)
    found.sort(key=lambda pair: pair[0])
    return tuple(flip for _, flip in found)


def _above_leaves(graph: RuleGraph, root: int, leaves: Leaves) -> list[int]:
    """The nodes that a condition is worked out from, leaves included, and nothing that only a leaf is made of."""
    seen, waiting = set(), [root]
    while waiting:
        id_ = waiting.pop()
        if id_ not in seen:
            seen.add(id_)
            waiting += () if id_ in leaves else graph[id_].args
    return sorted(seen)


def _moved(leaves: Leaves, leaf: int, to: Decimal) -> dict[int, Exact | float]:
    """The leaves with one of them elsewhere, as the number it is: float64 stays float64."""
    return {**leaves, leaf: float(to) if isinstance(leaves[leaf], float) else to}


def _nearest(graph: RuleGraph, root: int, leaves: Leaves, leaf: int, value: Decimal) -> tuple[Decimal, Flip] | None:
    def answer(moved: Decimal) -> str:
        return truth_of(from_leaves(graph, _moved(leaves, leaf, moved), (root,))[root])

    now = answer(value)
    if now == "unknown":
        return None
    candidates: list[Decimal] = []
    for id_ in _above_leaves(graph, root, leaves):
        if graph[id_].op in _COMPARISONS and leaf in _above_leaves(graph, id_, leaves):
            candidates += _meeting_points(graph, id_, leaves, leaf, value)
    for point in sorted(candidates, key=lambda p: abs(p - value)):
        if not _possible(graph, leaf, point):
            continue
        flip = _checked(graph, leaf, value, point, now, answer)
        if flip is not None:
            return abs(point - value) / max(abs(value), Decimal("1e-12")), flip
    return None


def _possible(graph: RuleGraph, leaf: int, point: Decimal) -> bool:
    """Whether the input can have that value at all. Of a book the long side is never below zero, the short side never above."""
    side = str(graph[leaf].consts[0]).removesuffix(" of book") if graph[leaf].op == "fact" else ""
    if (side == "book.long" and point < 0) or (side == "book.short" and point > 0):
        return False
    low, high = graph[leaf].low, graph[leaf].high
    return (low is None or point >= Decimal(repr(low))) and (high is None or point <= Decimal(repr(high)))


def _checked(graph: RuleGraph, leaf: int, value: Decimal, point: Decimal, now: str, answer: Answer) -> Flip | None:
    """The flip at a point, if the answer at it or just beyond it differs from the answer just before it."""
    step = max(abs(point), abs(value), Decimal("1e-9")) * Decimal("1e-9")
    # a value that lies exactly at the point may flip on either side
    for away in (1, -1) if point == value else (1,) if point > value else (-1,):
        answers = (answer(point - away * step), answer(point), answer(point + away * step))
        beyond = answers[2] != now and _possible(graph, leaf, point + away * step)
        if answers[0] == now and (answers[1] != now or beyond):
            break
    else:
        return None
    return flip_at(graph, leaf, value, point, away, answers, answer)


def flip_at(
    graph: RuleGraph, leaf: int, value: Decimal, point: Decimal, away: int, answers: tuple[str, str, str], answer: Answer
) -> Flip:
    """A flip point in words. `away` is 1 where the flip lies at or above the value, else -1; `answers` are those just before
    the point, at it and just beyond; `answer` gives others."""
    unit, exactly = graph[leaf].unit, point
    if graph[leaf].op == "fact" and graph[leaf].consts[0] in COUNTS:
        point = _whole(point, away, answers, answer)
    difference = point - value
    beside = "" if difference else "just above" if away > 0 else "just below"
    shown, there = show_apart((value, point), unit)
    change = show_value(difference, DURATION) if unit.kind is Kind.TIME else show_apart((value, point, difference), unit)[2]
    return Flip(
        input=describe(graph, leaf, expand=False),
        value=shown,
        at=there,
        change=beside or f"{'+' if difference > 0 else ''}{change}",
        exact=plain(exactly),
        inside=answers[0],
        at_point=answers[1],
        outside=answers[2],
    )


def _whole(point: Decimal, away: int, answers: tuple[str, str, str], answer: Answer) -> Decimal:
    """The first whole number at or beyond a flip point that has the other answer; the point itself where that is none."""
    inside, at_point, _ = answers
    whole = point.to_integral_value(ROUND_CEILING if away > 0 else ROUND_FLOOR)
    if whole == point and at_point == inside:
        whole += away
    return whole if whole >= 0 and answer(whole) != inside else point


def _meeting_points(graph: RuleGraph, comparison: int, leaves: Leaves, leaf: int, value: Decimal) -> list[Decimal]:
    left, right = graph[comparison].args

    def sides(moved: Decimal) -> tuple[Decimal, Decimal] | None:
        values = from_leaves(graph, _moved(leaves, leaf, moved), (left, right))
        first, second = [exact(v) if isinstance(v, float) else v for v in (values[left], values[right])]
        return (first, second) if isinstance(first, Decimal) and isinstance(second, Decimal) else None

    def gap(moved: Decimal) -> Decimal | None:
        there = sides(moved)
        return None if there is None else EXACT.subtract(*there)

    here = gap(value)
    near = abs(here) * Decimal("1e-6") if here is not None else Decimal(0)

    def meets(point: Decimal) -> bool:
        """Not a pole, where the sides change places without ever meeting."""
        there = gap(point)
        return there is not None and abs(there) <= near

    straight = _solve_line(gap, value)
    found = [straight] if straight is not None else []
    if straight is None or gap(straight) != 0:
        ends = [value * factor for factor in _BRACKETS]
        # an input that starts to count only beyond what others have, such as the short side beside a long one
        ends += [side * factor for side in map(abs, sides(value) or ()) for factor in _REACHES if side > abs(value)]
        found += _bisect(gap, value, ends, meets)
    return [point for point in found if here == 0 or meets(point)]


def _solve_line(gap: Gap, value: Decimal) -> Decimal | None:
    reach = max(abs(value), Decimal(1))
    here, there = gap(value), gap(value + reach)
    if here is None or there is None or here == there:
        return None
    return EXACT.subtract(value, EXACT.divide(EXACT.multiply(here, reach), EXACT.subtract(there, here)))


def _bisect(gap: Gap, value: Decimal, ends: Iterable[Decimal], meets: Callable[[Decimal], bool]) -> list[Decimal]:
    """Where the sides meet on either side of the value, for inputs that do not move them in a straight line: of each side what
    the nearest end brackets."""
    found: list[Decimal] = []
    here = gap(value)
    if here is None:
        return found
    for end in sorted(dict.fromkeys(ends), key=lambda end: abs(end - value)):
        if any(min(value, end) <= point <= max(value, end) and meets(point) for point in found):
            continue
        there = gap(end)
        if there is None or (here > 0) == (there > 0):
            continue
        low, high = value, end
        for _ in range(_STEPS):
            middle = EXACT.divide(EXACT.add(low, high), Decimal(2))
            at_middle = gap(middle)
            if at_middle is None or middle in {low, high}:
                break
            if (at_middle > 0) == (here > 0):
                low = middle
            else:
                high = middle
        rounded = _ROUND.plus(high)
        found.append(rounded if gap(rounded) == 0 else high)
    return found
