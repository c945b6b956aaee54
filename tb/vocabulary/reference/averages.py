"""Averages over a window.

Averages are taken of distances from the oldest value, so that the average of equal values is that value to the last bit, and
`close > sma(close, 20)` cannot be true by rounding in a market that does not move.
"""

from __future__ import annotations

import math

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, ratio, windowed


def mean_of(values: list[float]) -> float:
    origin = values[0]
    total = 0.0
    for x in values:
        total += x - origin
    return origin + total / len(values)


def weighted_mean_of(values: list[float]) -> float:
    """Weights 1, 2, ... n from the oldest value to the newest."""
    n = len(values)
    origin = values[0]
    total = 0.0
    for weight, x in enumerate(values, start=1):
        total += weight * (x - origin)
    return origin + total / (n * (n + 1) / 2.0)


@windowed(look_back.bars)
def mean(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [mean_of(windows[0])]


@windowed(look_back.bars)
def wma(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [weighted_mean_of(windows[0])]


@windowed(look_back.hull)
def hma(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    half = n // 2
    raw = []
    for end in range(n, len(windows[0]) + 1):
        values = windows[0][end - n : end]
        raw.append(2.0 * weighted_mean_of(values[n - half :]) - weighted_mean_of(values))
    assert len(raw) == int(math.sqrt(n))
    return [weighted_mean_of(raw)]


def typical_of(high: float, low: float, close: float) -> float:
    """(high + low + close) / 3, which is exactly the price where the three are one."""
    return low + ((high - low) + (close - low)) / 3.0


@windowed(look_back.bars)
def vwap(_constants: Constants, windows: list[list[float]]) -> list[float]:
    traded = 0.0
    weighted = 0.0
    origin = NAN
    for high, low, close, volume in zip(*windows, strict=True):
        typical = typical_of(high, low, close)
        if math.isnan(origin):
            origin = typical
        weighted += (typical - origin) * volume
        traded += volume
    return [origin + ratio(weighted, traded)]
