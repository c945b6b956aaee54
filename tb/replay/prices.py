"""One instrument's bars as the simulated venue reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars


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
    highs: NDArray[np.float64]  # the same as `high`
    lows: NDArray[np.float64]

    @classmethod
    def of(cls, bars: Bars) -> Prices:
        # where an extreme is unknown, the prices that are known bound it: a bar that closed beyond a stop touched it
        high = np.where(np.isnan(bars.high), np.fmax(bars.open, bars.close), bars.high)
        low = np.where(np.isnan(bars.low), np.fmin(bars.open, bars.close), bars.low)
        time, rows = bars.time.data, bars.rows.data
        open_, close = bars.open.data, bars.close.data
        return cls(bars.period, time, open_, high.data, low.data, close, rows, high, low)

    def opens(self, row: int) -> bool:
        """Whether the bar's open is known."""
        return self.open[row] == self.open[row]
