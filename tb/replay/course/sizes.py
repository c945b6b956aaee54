"""How much each entry of a course asks for: a share of equity, or of equity at risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.gate.levels import exact_value
from tb.replay.course import money
from tb.replay.course.terms import Terms
from tb.runtime.view import RecordedView

Ints = NDArray[np.int64]
Size = tuple[Decimal, bool] | None  # the share, and whether it is one of risk; None where it is not known
_MOST = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """`shares` and their `decimals` as whole numbers, or `money.UNKNOWN` or `money.OTHERWISE`, by trade. `fixed` are those of
    terms whose share is the same at every bar, `single` those of each trade of other terms."""

    shares: Ints
    decimals: Ints
    way: Ints
    fixed: Mapping[int, Size]
    single: Mapping[int, Size]

    def listed(self, begin: int, end: int) -> list[Size]:
        """Those of some trades as they are said."""
        ways = enumerate(self.way[begin:end].tolist(), begin)
        return [self.fixed[way] if way in self.fixed else self.single[k] for k, way in ways]


def sizes_of(graph: RuleGraph, view: RecordedView, listed: Sequence[Terms], way: Ints, rows: Ints) -> Sizes:
    """The size of each trade: its terms are `listed[way[k]]`, and it is decided at the bar rows[k]."""
    fixed, single = {}, dict[int, Size]()
    shares, decimals = np.empty(len(way), dtype=np.int64), np.empty(len(way), dtype=np.int64)
    numbers = range(len(listed))
    whole = np.zeros((len(listed), 2), dtype=np.int64)
    for number in numbers:
        if _is_fixed(graph, listed[number]):
            fixed[number] = _size(graph, view, listed[number], 0)
            whole[number] = _whole(fixed[number])
    shares[:], decimals[:] = whole[way, 0], whole[way, 1]
    if len(fixed) < len(listed):
        for k in np.flatnonzero(~np.isin(way, list(fixed))).tolist():
            single[k] = _size(graph, view, listed[int(way[k])], int(rows[k]))
            shares[k], decimals[k] = _whole(single[k])
    return Sizes(shares, decimals, way, fixed, single)


def _is_fixed(graph: RuleGraph, one: Terms) -> bool:
    """Whether the share is the same at every bar."""
    first = one.enter.sizes[0] if one.enter.sizes else None
    return first is not None and first.condition is None and graph[first.share].op == "const"


def _size(graph: RuleGraph, view: RecordedView, one: Terms, row: int) -> Size:
    for case in one.enter.sizes:
        holds = 1.0 if case.condition is None else view.value(case.condition, one.symbol, row)
        if holds is None:
            return None
        if holds == 1.0:
            share = exact_value(graph, case.share, lambda node: view.value(node, one.symbol, row))
            return None if share is None else (share, case.risking)
    return None


def _whole(size: Size) -> tuple[int, int]:
    if size is None:
        return money.UNKNOWN, 0
    sign, digits, exponent = size[0].as_tuple()
    count = int("".join(map(str, digits)))
    if size[1] or sign or count >= _MOST or not isinstance(exponent, int) or not -money.MOST_DECIMALS <= exponent <= 0:
        return money.OTHERWISE, 0
    return count, -exponent
