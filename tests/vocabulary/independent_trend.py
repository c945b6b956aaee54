"""Independent formulas of trends."""

from __future__ import annotations

import numpy as np
import talib
from independent_formulas import (
    PRICE,
    UNKNOWN,
    Array,
    Market,
    independent,
    late,
    rolling,
    shifted,
    true_ranges,
    wilder,
    windows,
)

FADED = 1_000  # bars after which it does not matter that TA-Lib starts Wilder's averages from n - 1 values


@independent("dx", 14, by="TA-Lib DX", inputs=(), flat=UNKNOWN, settled=FADED, rtol=1e-7)
def dx(m: Market) -> Array:
    return talib.DX(*m.bars, 14)


@independent("adxr", 14, by="TA-Lib ADXR", inputs=(), flat=UNKNOWN, settled=FADED)
def adxr(m: Market) -> Array:
    return talib.ADXR(*m.bars, 14)


@independent("aroon", 25, by="TA-Lib AROON and AROONOSC", inputs=(), flat=(100, 100, 0))
def aroon(m: Market) -> tuple[Array, ...]:
    down, up = talib.AROON(m.high, m.low, 25)
    return up, down, talib.AROONOSC(m.high, m.low, 25)


@independent("psar", 0.02, 0.2, by="TA-Lib SAR", inputs=(), flat=PRICE)
def psar(m: Market) -> Array:
    return talib.SAR(m.high, m.low, 0.02, 0.2)


@independent("supertrend", 10, 3, by="a plain loop", inputs=(), flat=PRICE)
def supertrend(m: Market) -> Array:
    middle, width = (m.high + m.low) / 2, 3 * wilder(true_ranges(m), 10)
    found = np.full(len(middle), np.nan)
    above, below, is_up = np.inf, -np.inf, False
    for i in range(10, len(middle)):
        before = m.close[i - 1]
        above = min(middle[i] + width[i], above) if before <= above else middle[i] + width[i]
        below = max(middle[i] - width[i], below) if before >= below else middle[i] - width[i]
        is_up = i > 10 and (m.close[i] >= below if is_up else m.close[i] > above)
        found[i] = below if is_up else above
    return found


@independent("chandelier", 22, 3, by="TA-Lib MAX, MIN and ATR", inputs=(), flat=(PRICE, PRICE))
def chandelier(m: Market) -> tuple[Array, ...]:
    width = 3 * talib.ATR(*m.bars, 22)
    return talib.MAX(m.high, 22) - width, talib.MIN(m.low, 22) + width


@independent("ichimoku", 9, 26, 52, by="TA-Lib MAX and MIN", inputs=(), flat=(PRICE, PRICE, PRICE, PRICE))
def ichimoku(m: Market) -> tuple[Array, ...]:
    short, medium, slow = ((talib.MAX(m.high, n) + talib.MIN(m.low, n)) / 2 for n in (9, 26, 52))
    columns = short, medium, shifted((short + medium) / 2, 25), shifted(slow, 25)
    return tuple(np.where(np.isnan(columns[3]), np.nan, column) for column in columns)


@independent("vortex", 14, inputs=(), flat=(UNKNOWN, UNKNOWN))
def vortex(m: Market) -> tuple[Array, ...]:
    span = rolling(true_ranges(m), 14, np.sum)
    up, down = np.abs(m.high - shifted(m.low, 1)), np.abs(m.low - shifted(m.high, 1))
    return rolling(up, 14, np.sum) / span, rolling(down, 14, np.sum) / span


@independent("choppiness", 14, inputs=(), flat=UNKNOWN)
def choppiness(m: Market) -> Array:
    reach = rolling(m.high, 14, np.max) - rolling(m.low, 14, np.min)
    return 100 * np.log10(rolling(true_ranges(m), 14, np.sum) / reach) / np.log10(14)


@independent("efficiency_ratio", 10, flat=UNKNOWN)
def efficiency_ratio(m: Market) -> Array:
    moves = windows(np.diff(m.close), 10)
    return late(np.abs(moves.sum(axis=1)) / np.abs(moves).sum(axis=1))


@independent("qstick", 8, inputs=(), flat=0)
def qstick(m: Market) -> Array:
    return rolling(m.close - m.open, 8, np.mean)


@independent("heikin_ashi", by="a plain loop", inputs=(), flat=(PRICE, PRICE, PRICE, PRICE))
def heikin_ashi(m: Market) -> tuple[Array, ...]:
    close = (m.open + m.high + m.low + m.close) / 4
    opened = [(m.open[0] + m.close[0]) / 2]
    for before in close[:-1]:
        opened.append((opened[-1] + before) / 2)
    start = np.array(opened)
    return start, np.max([m.high, start, close], axis=0), np.min([m.low, start, close], axis=0), close
