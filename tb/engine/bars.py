"""The bars of one instrument, and the same bars in a coarser period.

Arrays are equally long, in order of time, without repeats; gaps are allowed and stay gaps. NaN is a value that is not known.
A bar is visible from its close on, `time + period`.

INVARIANT: a coarse bar uses only fine bars inside it, and exists only once its own close has been reached.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tb.core.time import DAY, WEEK

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RECORDED = frozenset({"open", "high", "low", "close", "volume"})  # fields that bars have as they are
_FIRST_MONDAY = 4 * DAY  # 1970-01-05: 1970 began on a Thursday


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """`time` is the start of each bar in ms UTC, `period` its length in ms; `bid` and `ask` are the quote as of its close.

    `source` is the name of the file, `rows` the row of each bar in it, counted from 0 (of a coarse bar: of its last fine bar).
    `before` is the start of the bar before the first, None where there is none.
    """

    symbol: str
    period: int
    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bid: Floats | None
    ask: Floats | None
    source: str
    rows: Ints
    before: int | None = None
    _closes: list[Ints] = field(default_factory=list, init=False, repr=False)  # once they were asked for

    def __len__(self) -> int:
        return len(self.time)

    @property
    def closes(self) -> Ints:
        """The instant at which each bar closes, in ms UTC. Not to be written to."""
        if not self._closes:
            self._closes.append(self.time + self.period)
        return self._closes[0]

    def part(self, start: int, stop: int) -> Bars:
        """The bars at positions start to stop (not included), as views."""
        some = slice(start, stop)
        return dataclasses.replace(
            self,
            time=self.time[some],
            open=self.open[some],
            high=self.high[some],
            low=self.low[some],
            close=self.close[some],
            volume=self.volume[some],
            bid=None if self.bid is None else self.bid[some],
            ask=None if self.ask is None else self.ask[some],
            rows=self.rows[some],
            before=int(self.time[start - 1]) if 0 < start <= len(self) else self.before,
        )


def instants_of(closes: Sequence[Ints]) -> Ints:
    """Every instant at which one of several series closes, ascending, each once. Each series ascends."""
    first = closes[0]
    if all(one is first or (len(one) == len(first) and np.array_equal(one, first)) for one in closes[1:]):
        return first
    merged = np.concatenate(closes)
    merged.sort(kind="stable")
    is_new = np.empty(len(merged), dtype=np.bool_)
    is_new[:1], is_new[1:] = True, merged[1:] != merged[:-1]
    return merged[is_new]


def bucket_starts(time: Ints, period: int) -> Ints:
    """The start of the bar of that period in which each instant lies: multiples since 1970 UTC, weeks from Monday."""
    shift = _FIRST_MONDAY if period % WEEK == 0 else 0
    return (time - shift) // period * period + shift


def bucket_start(instant: int, period: int) -> int:
    """The start of the bar of that period in which one instant lies."""
    shift = _FIRST_MONDAY if period % WEEK == 0 else 0
    return (instant - shift) // period * period + shift


def resample(bars: Bars, period: int, until: int | None = None) -> Bars:
    """The bars in a coarser period: first open, highest high, lowest low, last close and quote, volume added up.

    A coarse bar is built from the fine bars that are there. The last one is left out until time has reached its end: the close
    of the last fine bar, or `until`, the latest instant known from elsewhere, where that is later. An unknown value makes
    unknown what is computed from it and nothing else. `period` must be a multiple of the bars' own; a ValueError otherwise.
    """
    if period < bars.period or period % bars.period:
        raise ValueError(f"{period} ms is not a multiple of {bars.period} ms")
    if period == bars.period or not len(bars):
        return bars if period == bars.period else _empty(bars, period)
    buckets = bucket_starts(bars.time, period)
    if int(buckets[-1]) + period > max(int(bars.time[-1]) + bars.period, until or 0):
        kept = int(np.searchsorted(buckets, buckets[-1]))
        bars, buckets = bars.part(0, kept), buckets[:kept]
        if not kept:
            return _empty(bars, period)
    is_first = np.concatenate((np.array([True]), buckets[1:] != buckets[:-1]))
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(buckets)) - 1
    # bincount adds in order of time, one by one: the same bits as a plain loop, which reduceat does not promise
    volume = np.asarray(np.bincount(np.cumsum(is_first) - 1, weights=bars.volume), dtype=np.float64)
    return Bars(
        symbol=bars.symbol,
        period=period,
        time=buckets[first],
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=volume,
        bid=None if bars.bid is None else bars.bid[last],
        ask=None if bars.ask is None else bars.ask[last],
        source=bars.source,
        rows=bars.rows[last],
    )


def _empty(bars: Bars, period: int) -> Bars:
    return dataclasses.replace(bars.part(0, 0), period=period)
