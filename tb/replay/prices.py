"""One instrument's bars as the simulated venue reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Prices:
    """Bars as views of their arrays: single values are read from a view fast, as Python's own numbers. `period` in ms."""

    period: int
    time: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    rows: Sequence[int]
    highs: Floats  # the same as `high`
    lows: Floats

    @classmethod
    def of(cls, bars: Bars) -> Prices:
        # where an extreme is unknown, the prices that are known bound it: a bar that closed beyond a stop touched it
        high, low = _known(bars.high, np.fmax, bars), _known(bars.low, np.fmin, bars)
        time, rows = bars.time.data, bars.rows.data
        open_, close = bars.open.data, bars.close.data
        return cls(bars.period, time, open_, high.data, low.data, close, rows, high, low)

    def opens(self, row: int) -> bool:
        """Whether the bar's open is known."""
        return self.open[row] == self.open[row]


def _known(extreme: Floats, of: np.ufunc, bars: Bars) -> Floats:
    """The extreme of each bar, or that of its open and close; the bars' own array where all of it is known."""
    unknown = np.isnan(extreme)
    if not unknown.any():
        return extreme
    found: Floats = np.where(unknown, of(bars.open, bars.close), extreme)
    return found
