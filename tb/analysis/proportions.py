"""What is known of sums, differences and multiples beside their parts: `5% of equity` is twenty times smaller than `equity`.

Rounding is relative to the parts, so a result is held only to lie near what it is computed from, by SLACK. That is linear once
the signs of the parts are known; a part of unknown sign is taken once as at least 0, once as at most 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product

from tb.analysis.elimination import Row, can_hold, row
from tb.analysis.gaps import ZERO, Gap
from tb.analysis.ranges import SLACK, Ranges
from tb.engine.graph import Node, RuleGraph

MOST_SIGNS = 3  # parts of unknown sign that are looked at
MOST_VALUES = 24
_COMPUTED = frozenset({"mul", "div", "add", "sub", "neg"})

Part = tuple[int, Fraction]


def hold_with_parts(graph: RuleGraph, ranges: Ranges, gaps: Sequence[Gap], values: Collection[int]) -> bool:
    """Whether gaps can hold together with what the values among them are computed from. True where that is undecided."""
    parts = dict(_parts(graph, ranges, values))
    everything = list(dict.fromkeys([*values, *(x for computed in parts.values() for x, _ in computed)]))
    if not _tells(parts, values) or len(everything) > MOST_VALUES:
        return True
    rows = [_gap(gap) for gap in gaps]
    signs: dict[int, int] = {}
    for x in everything:
        low, high = ranges.range_of(x)
        rows += [row({x: Fraction(-1)}, low)] if low is not None else []
        rows += [row({x: Fraction(1)}, -high)] if high is not None else []
        signs[x] = 1 if low is not None and low >= 0 else -1 if high is not None and high <= 0 else 0
    open_ = [x for x in dict.fromkeys(x for computed in parts.values() for x, _ in computed) if not signs[x]]
    if len(open_) > MOST_SIGNS:
        return True
    for chosen in product((1, -1), repeat=len(open_)):
        known = {**signs, **dict(zip(open_, chosen, strict=True))}
        assumed = [row({x: Fraction(-sign)}, Fraction(0)) for x, sign in zip(open_, chosen, strict=True)]
        if can_hold([*rows, *assumed, *(each for id_, computed in parts.items() for each in _near(id_, computed, known))]):
            return True
    return False


def _tells(parts: Mapping[int, tuple[Part, ...]], values: Collection[int]) -> bool:
    """Whether some part is compared itself, or is a part of several values: else what it is computed from tells nothing new."""
    uses = Counter(x for computed in parts.values() for x, _ in computed)
    return any(count > 1 or x in values for x, count in uses.items())


def _gap(gap: Gap) -> Row:
    weights: dict[int, Fraction] = {}
    for x, weight in ((gap.left, Fraction(1)), (gap.right, Fraction(-1))):
        if x != ZERO:
            weights[x] = weights.get(x, Fraction(0)) + weight
    return row(weights, -gap.most, gap.strict)


def _parts(graph: RuleGraph, ranges: Ranges, values: Iterable[int]) -> Iterator[tuple[int, tuple[Part, ...]]]:
    """Each value that is computed from others, and the multiples it is the sum of; those others, too."""
    stack, seen = list(values), set[int]()
    while stack and len(seen) <= MOST_VALUES:
        id_ = stack.pop()
        if id_ in seen:
            continue
        seen.add(id_)
        node = graph[id_]
        computed = _multiples(ranges, node) if node.op in _COMPUTED else ()
        if computed:
            yield id_, computed
            stack += [x for x, _ in computed]


def _multiples(ranges: Ranges, node: Node) -> tuple[Part, ...]:
    fixed = [ranges.fixed(argument, node.stage) for argument in node.args]
    one = Fraction(1)
    match node.op, fixed:
        case "neg", [None]:
            return ((node.args[0], -one),)
        case "mul", [None, Fraction() as by] if by:
            return ((node.args[0], by),)
        case "mul", [Fraction() as by, None] if by:
            return ((node.args[1], by),)
        case "div", [None, Fraction() as by] if by:
            return ((node.args[0], 1 / by),)
        case (("add" | "sub"), [None, None]) if node.args[0] != node.args[1]:
            return ((node.args[0], one), (node.args[1], one if node.op == "add" else -one))
        case _:
            return ()


def _near(id_: int, computed: Sequence[Part], signs: dict[int, int]) -> Iterator[Row]:
    """The value lies within SLACK of what it is computed from, measured by the sizes of its parts."""
    for way in (1, -1):
        weights = {id_: Fraction(way)}
        for x, weight in computed:
            size = SLACK * abs(weight) * signs[x]
            weights[x] = weights.get(x, Fraction(0)) - way * weight - size
        yield row(weights, Fraction(0))
