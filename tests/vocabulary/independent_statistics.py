"""Independent formulas of statistics, of one series and of two."""

from __future__ import annotations

import numpy as np
import polars as pl
import talib
from independent_formulas import PRICE, UNKNOWN, Array, Market, independent, late, rolling, shifted, windows


@independent("variance", 20, flat=0)
def variance(m: Market) -> Array:
    return rolling(m.close, 20, np.var)


@independent("skew", 50, by="polars", flat=UNKNOWN)
def skew(m: Market) -> Array:
    return late(np.array([pl.Series(window).skew(bias=True) for window in windows(m.close, 50)]))


@independent("kurtosis", 50, by="polars", flat=UNKNOWN)
def kurtosis(m: Market) -> Array:
    return late(np.array([pl.Series(window).kurtosis(fisher=True, bias=True) for window in windows(m.close, 50)]))


@independent("mean_deviation", 20, by="TA-Lib AVGDEV", flat=0)
def mean_deviation(m: Market) -> Array:
    return talib.AVGDEV(m.close, 20)


@independent("mad", 24, flat=0)
def mad(m: Market) -> Array:
    some = windows(m.close, 24)
    return late(np.median(np.abs(some - np.median(some, axis=1)[:, None]), axis=1))


@independent("quantile", 24, 0.9, flat=PRICE)
def quantile(m: Market) -> Array:
    return late(np.quantile(windows(m.close, 24), 0.9, axis=1))


def correlations(x: Array, y: Array) -> Array:
    """Of the rows of two arrays."""
    x, y = x - x.mean(axis=1)[:, None], y - y.mean(axis=1)[:, None]
    return (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))


@independent("autocorrelation", 50, 3, flat=UNKNOWN)
def autocorrelation(m: Market) -> Array:
    return late(correlations(windows(m.close[3:], 50), windows(m.close[:-3], 50)))


@independent("linreg", 20, by="TA-Lib LINEARREG", flat=PRICE)
def linreg(m: Market) -> Array:
    return talib.LINEARREG(m.close, 20)


@independent("forecast", 20, by="TA-Lib TSF", flat=PRICE)
def forecast(m: Market) -> Array:
    return talib.TSF(m.close, 20)


@independent("intercept", 20, by="TA-Lib LINEARREG_INTERCEPT", flat=PRICE)
def intercept(m: Market) -> Array:
    return talib.LINEARREG_INTERCEPT(m.close, 20)


@independent("angle", 20, by="TA-Lib LINEARREG_ANGLE", flat=0, rtol=1e-6)
def angle(m: Market) -> Array:
    return talib.LINEARREG_ANGLE(m.close, 20)


@independent("r_squared", 20, by="TA-Lib CORREL", flat=UNKNOWN, rtol=1e-4, atol=1e-7)
def r_squared(m: Market) -> Array:
    return talib.CORREL(m.close, np.arange(len(m.close), dtype=float), 20) ** 2


@independent("standard_error", 20, flat=0)
def standard_error(m: Market) -> Array:
    some, at = windows(m.close, 20), np.arange(20.0)
    start, slope = np.polynomial.polynomial.polyfit(at, some.T, 1)
    return late(np.sqrt(((some - start[:, None] - slope[:, None] * at) ** 2).sum(axis=1) / 18))


@independent("bars_since_highest", 24, flat=0)
def bars_since_highest(m: Market) -> Array:
    return late(windows(m.close, 24)[:, ::-1].argmax(axis=1).astype(float))


@independent("bars_since_lowest", 24, flat=0)
def bars_since_lowest(m: Market) -> Array:
    return late(windows(m.close, 24)[:, ::-1].argmin(axis=1).astype(float))


@independent("streak", by="polars", flat=0)
def streak(m: Market) -> Array:
    signs = pl.Series(np.sign(np.diff(m.close)))
    frame = pl.DataFrame({"sign": signs, "run": signs.rle_id()})
    return late(frame.select(pl.col("sign").cum_sum().over("run"))["sign"].to_numpy())


@independent("beta", 100, inputs=("close", "other"), flat=UNKNOWN)
def beta(m: Market) -> Array:
    x, y = windows(m.close, 100), windows(m.other, 100)
    x, y = x - x.mean(axis=1)[:, None], y - y.mean(axis=1)[:, None]
    return late((x * y).sum(axis=1) / (y * y).sum(axis=1))


@independent("relative_strength", 24, by="TA-Lib ROCR", inputs=("close", "other"), flat=0)
def relative_strength(m: Market) -> Array:
    return talib.ROCR(m.close, 24) / talib.ROCR(m.other, 24) - 1


@independent("spread_zscore", 100, by="NumPy's least squares", inputs=("close", "other"), flat=UNKNOWN, rtol=1e-6, atol=1e-7)
def spread_zscore(m: Market) -> Array:
    found = []
    for x, y in zip(windows(m.close, 100), windows(m.other, 100), strict=True):
        slope, start = np.polyfit(y, x, 1)
        apart = x - start - slope * y
        found.append(apart[-1] / apart.std())
    return late(np.array(found))


@independent("tracking_error", 50, inputs=("close", "other"), flat=0)
def tracking_error(m: Market) -> Array:
    apart = m.close / shifted(m.close, 1) - m.other / shifted(m.other, 1)
    return rolling(apart, 50, np.std)


@independent("lagged_correlation", 50, 2, inputs=("close", "other"), flat=UNKNOWN)
def lagged_correlation(m: Market) -> Array:
    return late(correlations(windows(m.close[2:], 50), windows(m.other[:-2], 50)))
