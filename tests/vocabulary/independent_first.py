"""Independent formulas of the functions that the default project's kind of rule uses most."""

from __future__ import annotations

import numpy as np
import talib
from independent_formulas import (
    PRICE,
    UNKNOWN,
    Array,
    Market,
    exponential,
    independent,
    late,
    rolling,
    shifted,
    smoothed,
    true_ranges,
    wilder,
    windows,
)


@independent("sma", 20, by="TA-Lib SMA", flat=PRICE)
def sma(m: Market) -> Array:
    return talib.SMA(m.close, 20)


@independent("mean", 20, flat=PRICE)
def mean(m: Market) -> Array:
    return rolling(m.close, 20, np.mean)


@independent("ema", 20, by="TA-Lib EMA", flat=PRICE)
def ema(m: Market) -> Array:
    return talib.EMA(m.close, 20)


@independent("rma", 14, by="polars", flat=PRICE)
def rma(m: Market) -> Array:
    return smoothed(m.close, 14, 1 / 14)


@independent("wma", 20, by="TA-Lib WMA", flat=PRICE)
def wma(m: Market) -> Array:
    return talib.WMA(m.close, 20)


@independent("hma", 16, by="TA-Lib WMA", flat=PRICE)
def hma(m: Market) -> Array:
    return talib.WMA(2 * talib.WMA(m.close, 8) - talib.WMA(m.close, 16), 4)


@independent("vwap", 24, inputs=(), flat=PRICE)
def vwap(m: Market) -> Array:
    traded = windows(m.volume, 24)
    return late((windows(m.typical, 24) * traded).sum(axis=1) / traded.sum(axis=1))


@independent("rsi", 14, by="TA-Lib RSI", flat=UNKNOWN)
def rsi(m: Market) -> Array:
    return talib.RSI(m.close, 14)


@independent("macd", 12, 26, 9, by="polars", flat=(0, 0, 0))
def macd(m: Market) -> tuple[Array, ...]:
    line = exponential(m.close, 12) - exponential(m.close, 26)
    signal = exponential(line, 9)
    line[np.isnan(signal)] = np.nan
    return line, signal, line - signal


@independent("change", 24, by="TA-Lib ROCP", flat=0)
def change(m: Market) -> Array:
    return talib.ROCP(m.close, 24)


@independent("momentum", 10, by="TA-Lib MOM", flat=0)
def momentum(m: Market) -> Array:
    return talib.MOM(m.close, 10)


@independent("stochastic", 14, 3, 3, by="TA-Lib STOCH", inputs=(), flat=(UNKNOWN, UNKNOWN))
def stochastic(m: Market) -> tuple[Array, ...]:
    return talib.STOCH(*m.bars, 14, 3, 0, 3, 0)


@independent("williams_r", 14, by="TA-Lib WILLR", inputs=(), flat=UNKNOWN)
def williams_r(m: Market) -> Array:
    return talib.WILLR(*m.bars, 14)


@independent("cci", 20, by="TA-Lib CCI", inputs=(), flat=UNKNOWN)
def cci(m: Market) -> Array:
    return talib.CCI(*m.bars, 20)


@independent("stdev", 20, flat=0)
def stdev(m: Market) -> Array:
    return rolling(m.close, 20, np.std)


@independent("true_range", by="TA-Lib TRANGE", inputs=(), flat=0)
def true_range(m: Market) -> Array:
    return talib.TRANGE(*m.bars)


@independent("atr", 14, by="TA-Lib ATR", inputs=(), flat=0)
def atr(m: Market) -> Array:
    return talib.ATR(*m.bars, 14)


@independent("bollinger", 20, 2, by="TA-Lib BBANDS", flat=(PRICE, PRICE, PRICE), rtol=1e-7)
def bollinger(m: Market) -> tuple[Array, ...]:
    upper, middle, lower = talib.BBANDS(m.close, 20, 2.0, 2.0, 0)
    return middle, upper, lower


@independent("keltner", 20, 1.5, by="TA-Lib EMA and ATR", inputs=(), flat=(PRICE, PRICE, PRICE))
def keltner(m: Market) -> tuple[Array, ...]:
    width = 1.5 * talib.ATR(*m.bars, 20)
    middle = np.where(np.isnan(width), np.nan, talib.EMA(m.close, 20))
    return middle, middle + width, middle - width


@independent("donchian", 20, by="TA-Lib MAX and MIN", inputs=(), flat=(PRICE, PRICE, PRICE))
def donchian(m: Market) -> tuple[Array, ...]:
    upper, lower = talib.MAX(m.high, 20), talib.MIN(m.low, 20)
    return upper, lower, (upper + lower) / 2


@independent("volatility", 20, flat=0)
def volatility(m: Market) -> Array:
    return late(windows(np.diff(np.log(m.close)), 20).std(axis=1))


@independent("median", 24, flat=PRICE)
def median(m: Market) -> Array:
    return rolling(m.close, 24, np.median)


@independent("zscore", 20, flat=UNKNOWN)
def zscore(m: Market) -> Array:
    return (m.close - rolling(m.close, 20, np.mean)) / rolling(m.close, 20, np.std)


@independent("percentile", 24, flat=0)
def percentile(m: Market) -> Array:
    return late((windows(m.close, 24) < m.close[23:, None]).sum(axis=1) / 23)


@independent("correlation", 100, by="TA-Lib CORREL", inputs=("close", "other"), flat=UNKNOWN, rtol=1e-6)
def correlation(m: Market) -> Array:
    return talib.CORREL(m.close, m.other, 100)


@independent("slope", 20, by="TA-Lib LINEARREG_SLOPE", flat=0, atol=1e-7)
def slope(m: Market) -> Array:
    return talib.LINEARREG_SLOPE(m.close, 20)


@independent("highest", 24, by="TA-Lib MAX", flat=PRICE)
def highest(m: Market) -> Array:
    return talib.MAX(m.close, 24)


@independent("lowest", 24, by="TA-Lib MIN", flat=PRICE)
def lowest(m: Market) -> Array:
    return talib.MIN(m.close, 24)


@independent("total", 24, by="TA-Lib SUM", flat=24 * 100.0)
def total(m: Market) -> Array:
    return talib.SUM(m.close, 24)


@independent("count", 24, inputs=("rising",), flat=24)
def count(m: Market) -> Array:
    return rolling(m.rising, 24, np.sum)


@independent("bars_since", 24, inputs=("rising",), flat=0)
def bars_since(m: Market) -> Array:
    newest_first = windows(m.rising, 24)[:, ::-1]
    return late(np.where(newest_first.any(axis=1), newest_first.argmax(axis=1), 24).astype(float))


@independent("volume_usd", 24, inputs=(), flat=24 * 100.0 * 1000.0)
def volume_usd(m: Market) -> Array:
    return rolling(m.close * m.volume, 24, np.sum)


@independent("obv", inputs=(), flat=0)
def obv(m: Market) -> Array:
    # TA-Lib's begins with the first bar's volume, tb's with zero
    return talib.OBV(m.close, m.volume) - m.volume[0]


@independent("mfi", 14, by="TA-Lib MFI", inputs=(), flat=UNKNOWN)
def mfi(m: Market) -> Array:
    return talib.MFI(*m.bars, m.volume, 14)


@independent("adx", 14, by="polars", inputs=(), flat=(UNKNOWN, UNKNOWN, UNKNOWN))
def adx(m: Market) -> tuple[Array, ...]:
    up, down = m.high - shifted(m.high, 1), shifted(m.low, 1) - m.low
    first = np.where(np.isnan(up), np.nan, 0.0)
    span = wilder(true_ranges(m), 14)
    plus = 100 * wilder(np.where((up > down) & (up > 0), up, first), 14) / span
    minus = 100 * wilder(np.where((down > up) & (down > 0), down, first), 14) / span
    strength = wilder(100 * np.abs(plus - minus) / (plus + minus), 14)
    return strength, *(np.where(np.isnan(strength), np.nan, x) for x in (plus, minus))
