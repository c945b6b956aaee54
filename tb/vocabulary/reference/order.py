"""Functions of the order of values: extremes, middles, and where the newest value lies between them.

Adding 0.0 turns a negative zero into zero: which of two equal zeros was found first must not show.
"""

from __future__ import annotations

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.histories import ratio, windowed


@windowed(look_back.bars)
def highest(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [max(windows[0]) + 0.0]


@windowed(look_back.bars)
def lowest(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [min(windows[0]) + 0.0]


@windowed(look_back.bars)
def median(_constants: Constants, windows: list[list[float]]) -> list[float]:
    values = sorted(windows[0])
    n = len(values)
    if n % 2:
        return [values[n // 2] + 0.0]
    return [(values[n // 2 - 1] + values[n // 2]) / 2.0 + 0.0]


@windowed(look_back.bars)
def percentile(_constants: Constants, windows: list[list[float]]) -> list[float]:
    *earlier, newest = windows[0]
    return [len([x for x in earlier if x < newest]) / len(earlier)]


@windowed(look_back.bars, outputs=3)
def donchian(_constants: Constants, windows: list[list[float]]) -> list[float]:
    upper = max(windows[0]) + 0.0
    lower = min(windows[1]) + 0.0
    return [upper, lower, (upper + lower) / 2.0]


def _place(highs: list[float], lows: list[float], close: float) -> float:
    """Where the close lies between the lowest low (0) and the highest high (100)."""
    top = max(highs) + 0.0
    bottom = min(lows) + 0.0
    return 100.0 * ratio(close - bottom, top - bottom)


@windowed(look_back.stochastic, outputs=2)
def stochastic(constants: Constants, windows: list[list[float]]) -> list[float]:
    n, k, d = (int(c) for c in constants)
    highs, lows, closes = windows
    raw = [_place(highs[end - n : end], lows[end - n : end], closes[end - 1]) for end in range(n, len(closes) + 1)]
    slow = [mean_of(raw[end - k : end]) for end in range(k, len(raw) + 1)]
    return [slow[-1], mean_of(slow[-d:])]


@windowed(look_back.bars)
def williams_r(_constants: Constants, windows: list[list[float]]) -> list[float]:
    highs, lows, closes = windows
    top = max(highs) + 0.0
    bottom = min(lows) + 0.0
    return [-100.0 * ratio(top - closes[-1], top - bottom)]


@windowed(look_back.bars)
def bars_since(_constants: Constants, windows: list[list[float]]) -> list[float]:
    newest_first = windows[0][::-1]
    return [next((float(back) for back, truth in enumerate(newest_first) if truth != 0.0), float(len(newest_first)))]
