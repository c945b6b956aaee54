"""What is held between entry and exit: at which bars it is worth least and most, and what a close is exactly."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np

from tb.engine.instant import exact
from tb.replay.course import paths
from tb.replay.course.numbers import Ints, Numbers, columns_of
from tb.replay.course.passage import Prices
from tb.vocabulary.kernels.compiled import compiled

FILLED, CLOSED = paths.FILLED, paths.CLOSED
NOWHERE = -1  # the bar of a trade that is over within its first, and of an order that is none
_EXACTLY = 1e15  # whole numbers of the last decimal below it are exact


@compiled
def _extremes(trades: Any, close: Any, found: Any) -> None:
    for k in range(trades.shape[0]):
        low = high = trades[k, FILLED]
        for j in range(low + 1, trades[k, CLOSED]):
            if close[j] < close[low]:
                low = j
            elif close[j] > close[high]:
                high = j
        is_over = trades[k, CLOSED] <= trades[k, FILLED]
        found[0, k], found[1, k] = (-1, -1) if is_over else (low, high)


def extremes(trades: Ints, prices: Prices) -> tuple[Ints, Ints]:
    """The bars of the lowest and of the highest close that each trade is held over, `NOWHERE` where it is held over none."""
    found = np.empty((2, len(trades)), dtype=np.int64)
    _extremes(trades, prices.close, found)
    return found[0], found[1]


def bars_at(prices: Prices, trades: Ints, which: Ints, places: Ints) -> Ints:
    """The bars that trades of these numbers are held over at these places."""
    if not len(prices.apart):
        return places
    spans = zip(trades[which, FILLED].tolist(), trades[which, CLOSED].tolist(), places.tolist(), strict=True)
    where = prices.where.data
    return np.array([bisect_right(where, place, first, last + 1) - 1 for first, last, place in spans], dtype=np.int64)


def exactly(closes: Any, most: Any) -> Numbers:
    """Known closes as `exact` has them; `most` are the decimals of each one's tick."""
    decimals, tens = most.copy(), 10.0**most
    whole = np.rint(closes * tens)
    low = np.where(np.abs(whole) < _EXACTLY, whole, 0).astype(np.int64)
    for _ in range(int(most.max(initial=1)) - 1):  # as short as it is written, with one decimal at least
        is_longer = (low % 10 == 0) & (decimals > 1)
        low, decimals = np.where(is_longer, low // 10, low), decimals - is_longer
    high = np.zeros(len(low), dtype=np.int64)
    others = np.flatnonzero((low == 0) | (whole / tens != closes))
    if len(others):
        found = [exact(price) for price in closes[others].tolist()]
        assert None not in found  # a course ends before a close that is not known
        high[others], low[others], decimals[others] = columns_of(found)  # type: ignore[arg-type]
    return Numbers(high, low, decimals)
