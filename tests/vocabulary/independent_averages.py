"""Independent formulas of moving averages."""

from __future__ import annotations

import numpy as np
import polars as pl
import talib
from independent_formulas import PRICE, Array, Market, exponential, independent, late, shifted, windows


@independent("dema", 20, by="TA-Lib DEMA", flat=PRICE)
def dema(m: Market) -> Array:
    return talib.DEMA(m.close, 20)


@independent("tema", 20, by="TA-Lib TEMA", flat=PRICE)
def tema(m: Market) -> Array:
    return talib.TEMA(m.close, 20)


@independent("t3", 5, 0.7, by="TA-Lib T3", flat=PRICE)
def t3(m: Market) -> Array:
    return talib.T3(m.close, 5, 0.7)


@independent("trima", 20, by="TA-Lib TRIMA", flat=PRICE)
def trima(m: Market) -> Array:
    return talib.TRIMA(m.close, 20)


@independent("kama", 10, 2, 30, by="TA-Lib KAMA", flat=PRICE)
def kama(m: Market) -> Array:
    return talib.KAMA(m.close, 10)


@independent("vwma", 20, by="TA-Lib SMA", flat=PRICE)
def vwma(m: Market) -> Array:
    return talib.SMA(m.close * m.volume, 20) / talib.SMA(m.volume, 20)


@independent("zlema", 20, by="polars", flat=PRICE)
def zlema(m: Market) -> Array:
    return exponential(2 * m.close - shifted(m.close, 9), 20)


@independent("alma", 9, 0.85, 6, flat=PRICE)
def alma(m: Market) -> Array:
    weights = np.exp(-((np.arange(9) - 0.85 * 8) ** 2) / (2 * (9 / 6) ** 2))
    return late(windows(m.close, 9) @ (weights / weights.sum()))


@independent("midpoint", 20, by="TA-Lib MIDPOINT", flat=PRICE)
def midpoint(m: Market) -> Array:
    return talib.MIDPOINT(m.close, 20)


@independent("mcginley", 14, by="a plain loop", flat=PRICE)
def mcginley(m: Market) -> Array:
    found = [m.close[0]]
    for x in m.close[1:]:
        found.append(found[-1] + (x - found[-1]) / (14 * (x / found[-1]) ** 4))
    return np.array(found)


@independent("day_vwap", by="polars", inputs=(), flat=PRICE)
def day_vwap(m: Market) -> Array:
    frame = pl.DataFrame({"day": m.day_number, "worth": m.typical * m.volume, "volume": m.volume})
    sums = frame.select(pl.col("worth").cum_sum().over("day"), pl.col("volume").cum_sum().over("day"))
    return (sums["worth"] / sums["volume"]).to_numpy()
