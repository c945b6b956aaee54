"""Independent formulas of momentum."""

from __future__ import annotations

import numpy as np
import talib
from independent_formulas import (
    UNKNOWN,
    Array,
    Market,
    exponential,
    independent,
    late,
    rolling,
    shifted,
    windows,
)


@independent("roc", 10, by="TA-Lib ROCP", flat=0)
def roc(m: Market) -> Array:
    return talib.ROCP(m.close, 10)


@independent("cmo", 14, flat=UNKNOWN)
def cmo(m: Market) -> Array:
    moves = windows(np.diff(m.close), 14)
    return late(100 * moves.sum(axis=1) / np.abs(moves).sum(axis=1))


@independent("stochastic_rsi", 14, 14, 1, 3, by="TA-Lib STOCHRSI", flat=(UNKNOWN, UNKNOWN))
def stochastic_rsi(m: Market) -> tuple[Array, ...]:
    return talib.STOCHRSI(m.close, 14, 14, 3, 0)


@independent("ppo", 12, 26, 9, by="TA-Lib PPO", flat=(0, 0, 0))
def ppo(m: Market) -> tuple[Array, ...]:
    line = talib.PPO(m.close, 12, 26, 1) / 100
    signal = exponential(line, 9)
    line = np.where(np.isnan(signal), np.nan, line)
    return line, signal, line - signal


@independent("apo", 12, 26, by="TA-Lib APO", flat=0)
def apo(m: Market) -> Array:
    return talib.APO(m.close, 12, 26, 1)


@independent("ultimate", 7, 14, 28, by="TA-Lib ULTOSC", inputs=(), flat=UNKNOWN)
def ultimate(m: Market) -> Array:
    return talib.ULTOSC(*m.bars, 7, 14, 28)


@independent("trix", 15, by="TA-Lib TRIX", flat=0, atol=1e-12)
def trix(m: Market) -> Array:
    return talib.TRIX(m.close, 15) / 100


@independent("bop", by="TA-Lib BOP", inputs=(), flat=UNKNOWN)
def bop(m: Market) -> Array:
    return talib.BOP(m.open, *m.bars)


@independent("tsi", 25, 13, by="polars", flat=UNKNOWN)
def tsi(m: Market) -> Array:
    moves = m.close - shifted(m.close, 1)
    return 100 * exponential(exponential(moves, 25), 13) / exponential(exponential(np.abs(moves), 25), 13)


@independent("awesome", 5, 34, by="TA-Lib SMA", inputs=(), flat=0)
def awesome(m: Market) -> Array:
    middle = talib.MEDPRICE(m.high, m.low)
    return talib.SMA(middle, 5) - talib.SMA(middle, 34)


@independent("dpo", 20, flat=0)
def dpo(m: Market) -> Array:
    return shifted(m.close, 11) - rolling(m.close, 20, np.mean)


@independent("coppock", 10, 14, 11, by="TA-Lib WMA and ROCP", flat=0, atol=1e-12)
def coppock(m: Market) -> Array:
    return talib.WMA(talib.ROCP(m.close, 14) + talib.ROCP(m.close, 11), 10)


@independent("kst", 9, by="TA-Lib SMA and ROCP", flat=(0, 0), atol=1e-12)
def kst(m: Market) -> tuple[Array, ...]:
    parts = ((10, 10), (15, 10), (20, 10), (30, 15))
    line = sum(weight * talib.SMA(talib.ROCP(m.close, lag), n) for weight, (lag, n) in enumerate(parts, start=1))
    signal = talib.SMA(line, 9)
    return np.where(np.isnan(signal), np.nan, line), signal


@independent("fisher", 9, by="a plain loop", inputs=(), flat=(UNKNOWN, UNKNOWN))
def fisher(m: Market) -> tuple[Array, ...]:
    middle = (m.high + m.low) / 2
    top, bottom = talib.MAX(middle, 9), talib.MIN(middle, 9)
    line = np.full(len(middle), np.nan)
    value = last = 0.0
    for i in range(8, len(middle)):
        value = np.clip(0.66 * ((middle[i] - bottom[i]) / (top[i] - bottom[i]) - 0.5) + 0.67 * value, -10, 10)
        value = 0.999 if value > 0.99 else -0.999 if value < -0.99 else value
        last = np.arctanh(value) + 0.5 * last
        line[i] = last
    signal = shifted(line, 1)
    return np.where(np.isnan(signal), np.nan, line), signal


@independent("elder_ray", 13, by="TA-Lib EMA", inputs=(), flat=(0, 0))
def elder_ray(m: Market) -> tuple[Array, ...]:
    average = talib.EMA(m.close, 13)
    return m.high - average, m.low - average
