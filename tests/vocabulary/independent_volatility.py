"""Independent formulas of volatility."""

from __future__ import annotations

import numpy as np
import talib
from independent_formulas import UNKNOWN, Array, Market, exponential, independent, late, rolling, shifted, windows


@independent("natr", 14, by="TA-Lib NATR", inputs=(), flat=0)
def natr(m: Market) -> Array:
    return talib.NATR(*m.bars, 14) / 100


@independent("bollinger_width", 20, 2, flat=0)
def bollinger_width(m: Market) -> Array:
    return 4 * rolling(m.close, 20, np.std) / rolling(m.close, 20, np.mean)


@independent("bollinger_percent", 20, 2, flat=UNKNOWN)
def bollinger_percent(m: Market) -> Array:
    width = 2 * rolling(m.close, 20, np.std)
    return (m.close - rolling(m.close, 20, np.mean) + width) / (2 * width)


@independent("parkinson", 24, inputs=(), flat=0)
def parkinson(m: Market) -> Array:
    return np.sqrt(rolling(np.log(m.high / m.low) ** 2, 24, np.mean) / (4 * np.log(2)))


@independent("garman_klass", 24, inputs=(), flat=0)
def garman_klass(m: Market) -> Array:
    terms = np.log(m.high / m.low) ** 2 / 2 - (2 * np.log(2) - 1) * np.log(m.close / m.open) ** 2
    return np.sqrt(rolling(terms, 24, np.mean))


def drift_free(m: Market) -> Array:
    up, down, body = np.log(m.high / m.open), np.log(m.low / m.open), np.log(m.close / m.open)
    return up * (up - body) + down * (down - body)


@independent("rogers_satchell", 24, inputs=(), flat=0)
def rogers_satchell(m: Market) -> Array:
    return np.sqrt(rolling(drift_free(m), 24, np.mean))


@independent("yang_zhang", 24, inputs=(), flat=0)
def yang_zhang(m: Market) -> Array:
    between = np.log(m.open / shifted(m.close, 1))
    within = np.where(np.isnan(between), np.nan, np.log(m.close / m.open))
    share = 0.34 / (1.34 + 25 / 23)
    of_days = windows(between, 24).var(axis=1, ddof=1) + share * windows(within, 24).var(axis=1, ddof=1)
    return np.sqrt(late(of_days) + (1 - share) * rolling(drift_free(m), 24, np.mean))


@independent("realised_volatility", 24, flat=0)
def realised_volatility(m: Market) -> Array:
    return late(np.sqrt((windows(np.diff(np.log(m.close)), 24) ** 2).sum(axis=1)))


@independent("chaikin_volatility", 10, 10, by="TA-Lib EMA and ROCP", inputs=(), flat=UNKNOWN)
def chaikin_volatility(m: Market) -> Array:
    return talib.ROCP(talib.EMA(m.high - m.low, 10), 10)


@independent("mass_index", 25, 9, by="polars", inputs=(), flat=UNKNOWN)
def mass_index(m: Market) -> Array:
    first = exponential(m.high - m.low, 9)
    return rolling(first / exponential(first, 9), 25, np.sum)


@independent("ulcer_index", 14, by="TA-Lib MAX", flat=0)
def ulcer_index(m: Market) -> Array:
    return np.sqrt(rolling((m.close / talib.MAX(m.close, 14) - 1) ** 2, 14, np.mean))
