"""Weighted averages over a window, taken of distances from the oldest value."""

from __future__ import annotations

import math

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import ratio, windowed


def weighted_by(values: list[float], weights: list[float]) -> float:
    origin = values[0]
    total = whole = 0.0
    for x, weight in zip(values, weights, strict=True):
        total += weight * (x - origin)
        whole += weight
    return origin + ratio(total, whole)


@windowed(look_back.bars)
def trima(_constants: Constants, windows: list[list[float]]) -> list[float]:
    n = len(windows[0])
    return [weighted_by(windows[0], [float(min(j + 1, n - j)) for j in range(n)])]


@windowed(look_back.bars)
def alma(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = len(windows[0])
    peak = constants[1] * (n - 1)
    width = n / constants[2]
    return [weighted_by(windows[0], [math.exp(-((j - peak) * (j - peak)) / (2.0 * width * width)) for j in range(n)])]


@windowed(look_back.bars)
def vwma(_constants: Constants, windows: list[list[float]]) -> list[float]:
    volumes, values = windows
    return [weighted_by(values, volumes)]


@windowed(look_back.bars)
def midpoint(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [(max(windows[0]) + 0.0 + (min(windows[0]) + 0.0)) / 2.0]
