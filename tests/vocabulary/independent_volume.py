"""Independent formulas of volume and funding."""

from __future__ import annotations

import numpy as np
import talib
from independent_formulas import Array, Market, exponential, independent, rolling, shifted


@independent("ad", by="TA-Lib AD", inputs=(), flat=0)
def ad(m: Market) -> Array:
    return talib.AD(*m.bars, m.volume)


# TA-Lib starts both averages from the first bar
@independent("adosc", 3, 10, by="TA-Lib ADOSC", inputs=(), flat=0, settled=500, atol=1e-6)
def adosc(m: Market) -> Array:
    return talib.ADOSC(*m.bars, m.volume, 3, 10)


@independent("cmf", 20, inputs=(), flat=0)
def cmf(m: Market) -> Array:
    flow = (2 * m.close - m.high - m.low) / (m.high - m.low) * m.volume
    return rolling(flow, 20, np.sum) / rolling(m.volume, 20, np.sum)


@independent("force_index", 13, by="polars", inputs=(), flat=0, atol=1e-6)
def force_index(m: Market) -> Array:
    return exponential((m.close - shifted(m.close, 1)) * m.volume, 13)


@independent("ease_of_movement", 14, inputs=(), flat=0)
def ease_of_movement(m: Market) -> Array:
    middle = (m.high + m.low) / 2
    return rolling((middle - shifted(middle, 1)) * (m.high - m.low) / m.volume, 14, np.mean)


@independent("funding_total", 24, inputs=(), flat=0)
def funding_total(m: Market) -> Array:
    return rolling(m.funding_paid, 24, np.sum)


def index(m: Market, counts: Array) -> Array:
    growth = np.where(counts, m.close / shifted(m.close, 1), 1.0)
    return 1000 * np.cumprod(growth)


@independent("nvi", inputs=(), flat=1000)
def nvi(m: Market) -> Array:
    return index(m, m.volume < shifted(m.volume, 1))


@independent("pvi", inputs=(), flat=1000)
def pvi(m: Market) -> Array:
    return index(m, m.volume > shifted(m.volume, 1))


@independent("pvt", by="TA-Lib ROCP", inputs=(), flat=0)
def pvt(m: Market) -> Array:
    return np.cumsum(np.nan_to_num(talib.ROCP(m.close, 1)) * m.volume)
