"""One instrument's bars as the simulated venue reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars


@dataclass(slots=True)
class Prices:
    """Bars as lists: single values are read from them fast. `period` in ms."""

    period: int
    time: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    rows: list[int]
    highs: NDArray[np.float64]  # the same as `high`
    lows: NDArray[np.float64]

    @classmethod
    def of(cls, bars: Bars) -> Prices:
        # where an extreme is unknown, the prices that are known bound it: a bar that closed beyond a stop touched it
        high = np.where(np.isnan(bars.high), np.fmax(bars.open, bars.close), bars.high)
        low = np.where(np.isnan(bars.low), np.fmin(bars.open, bars.close), bars.low)
        return cls(
            bars.period,
            bars.time.tolist(),
            bars.open.tolist(),
            high.tolist(),
            low.tolist(),
            bars.close.tolist(),
            bars.rows.tolist(),
            high,
            low,
        )

    def opens(self, row: int) -> bool:
        """Whether the bar's open is known."""
        return self.open[row] == self.open[row]
