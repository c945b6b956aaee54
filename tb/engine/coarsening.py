"""Coarser bars of many instruments, from fine bars as they close: the bars that `tb.engine.bars.resample` makes of a whole
history.

INVARIANT: a coarse bar is given once time has reached its end, never before, and then has every fine bar inside it; how the
fine bars are cut into steps changes no bit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import bucket_starts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NUMBERS = ("open", "high", "low", "close", "volume", "bid", "ask")


class Coarsening:
    """The bars of one period, `period` in ms, a multiple of the fine bars' own (`fine`); a ValueError otherwise."""

    def __init__(self, instruments: int, fine: int, period: int) -> None:
        if period < fine or period % fine:
            raise ValueError(f"{period} ms is not a multiple of {fine} ms")
        self.period = period
        self._is_begun = np.zeros(instruments, dtype=np.bool_)
        self._begun: dict[str, NDArray[np.generic]] = {name: np.full(instruments, np.nan) for name in NUMBERS}
        self._begun |= {name: np.zeros(instruments, dtype=np.int64) for name in ("time", "rows")}

    def take(
        self, places: Ints, fine: Mapping[str, NDArray[np.generic]], until: int
    ) -> tuple[Ints, dict[str, NDArray[np.generic]]]:
        """The coarse bars that have ended by `until`, by instrument and in order of time.

        `fine` are the next fine bars by column: `time`, `rows` and `NUMBERS`, those of an instrument in order of time;
        `places` says whose each is. A coarse bar has the row of its last fine one.
        """
        begun = np.flatnonzero(self._is_begun)
        whose = np.concatenate((begun, places))
        if not len(whose):
            return whose, dict(fine)
        order = np.argsort(whose, kind="stable")
        whose = whose[order]
        columns = {name: np.concatenate((self._begun[name][begun], column))[order] for name, column in fine.items()}
        buckets = bucket_starts(columns["time"].astype(np.int64), self.period)
        is_first = np.ones(len(whose), dtype=np.bool_)
        is_first[1:] = (whose[1:] != whose[:-1]) | (buckets[1:] != buckets[:-1])
        made = self._made(columns, buckets, is_first)
        whose = whose[is_first]
        has_ended = np.asarray(made["time"], dtype=np.int64) + self.period <= until
        self._is_begun[:] = False
        self._is_begun[whose[~has_ended]] = True
        for name, column in made.items():
            self._begun[name][whose[~has_ended]] = column[~has_ended]
        return whose[has_ended], {name: column[has_ended] for name, column in made.items()}

    def _made(
        self, columns: Mapping[str, NDArray[np.generic]], buckets: Ints, is_first: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.generic]]:
        first = np.flatnonzero(is_first)
        last = np.append(first[1:], len(buckets)) - 1
        return {
            "time": buckets[first],
            "open": columns["open"][first],
            "high": np.maximum.reduceat(np.asarray(columns["high"], dtype=np.float64), first),
            "low": np.minimum.reduceat(np.asarray(columns["low"], dtype=np.float64), first),
            "close": columns["close"][last],
            # one by one in order of time, and what had begun first: the same bits as in one go
            "volume": np.bincount(np.cumsum(is_first) - 1, weights=np.asarray(columns["volume"], dtype=np.float64)),
            "bid": columns["bid"][last],
            "ask": columns["ask"][last],
            "rows": columns["rows"][last],
        }
