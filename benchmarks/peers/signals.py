"""Entry and exit signals of the compared strategies, from TA-Lib, pandas and NumPy alone: nothing here knows tb.

TA-Lib carries a sum along, so that its simple averages are off in their last bits. `exactly` computes them from the prices as
they are written, in whole numbers: the two differ where a close is exactly its average. Each signal is known at the close of
its bar. A comparison with a value that is not there yet is false."""

from decimal import Decimal
from itertools import accumulate

import numpy as np
import pandas as pd
import talib

SIDES = ("long_in", "long_out", "short_in", "short_out")


def load(path):
    """The arrays of a market: time (ms), open, high, low, close."""
    with np.load(path) as found:
        return {name: found[name] for name in ("time", "open", "high", "low", "close")}


def crosses_above(x, y):
    return np.r_[False, (x[1:] > y[1:]) & (x[:-1] <= y[:-1])]


def before(values):
    return np.r_[np.nan, values[:-1]]


def average(values, n, exactly):
    if not exactly:
        return talib.SMA(values, n)
    written = [Decimal(repr(value)) for value in values.tolist()]
    digits = max(-one.as_tuple().exponent for one in written)
    sums = [0, *accumulate(int(one.scaleb(digits)) for one in written)]
    whole = n * 10**digits  # one whole number by another is rounded once, and rightly
    return np.array([np.nan] * (n - 1) + [(sums[at] - sums[at - n]) / whole for at in range(n, len(sums))])


def ema(values, n):
    """Started from the mean of the first n values that are there."""
    found = np.full(len(values), np.nan)
    first = int(np.argmax(~np.isnan(values))) + n - 1
    if first >= len(values):
        return found
    found[first] = values[first - n + 1 : first + 1].mean()
    weight = 2.0 / (n + 1)
    for at in range(first + 1, len(values)):
        found[at] = found[at - 1] + weight * (values[at] - found[at - 1])
    return found


def sma_cross(m, exactly):
    return {"long_in": crosses_above(average(m["close"], 20, exactly), average(m["close"], 50, exactly))}


def rsi_long(m, _exactly):
    rsi = talib.RSI(m["close"], 14)
    return {"long_in": crosses_above(-rsi, np.full(len(rsi), -30.0)), "long_out": rsi > 55}


def rsi_short(m, _exactly):
    rsi = talib.RSI(m["close"], 14)
    return {"short_in": crosses_above(rsi, np.full(len(rsi), 70.0)), "short_out": rsi < 45}


def donchian(m, _exactly):
    upper = pd.Series(m["high"]).rolling(20).max().to_numpy()
    lower = pd.Series(m["low"]).rolling(10).min().to_numpy()
    return {"long_in": m["close"] > before(upper), "long_out": m["close"] < before(lower)}


def macd(m, _exactly):
    line = ema(m["close"], 12) - ema(m["close"], 26)
    signal = ema(line, 9)
    up, down = crosses_above(line, signal), crosses_above(-line, -signal)
    return {"long_in": up, "long_out": down, "short_in": down, "short_out": up}


def upper_band(m):
    closes = pd.Series(m["close"]).rolling(20)
    return (closes.mean() + 2 * closes.std(ddof=0)).to_numpy()


def bollinger(m, _exactly):
    return {"short_in": m["close"] > upper_band(m)}


def bollinger_cross(m, _exactly):
    return {"short_in": crosses_above(m["close"], upper_band(m))}


def above_average(m, exactly):
    return {"long_in": crosses_above(m["close"], average(m["close"], 50, exactly))}


KINDS = {
    "sma_cross": sma_cross,
    "rsi_long": rsi_long,
    "rsi_short": rsi_short,
    "donchian": donchian,
    "macd": macd,
    "bollinger": bollinger,
    "bollinger_cross": bollinger_cross,
    "above_average": above_average,
}


def of(kind, market, *, exactly=False):
    """All four sides of a strategy's signals."""
    found = KINDS[kind](market, exactly)
    never = np.zeros(len(market["close"]), dtype=bool)
    return {side: np.asarray(found.get(side, never), dtype=bool) for side in SIDES}
