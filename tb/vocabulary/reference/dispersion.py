"""How far values lie from their mean, and how two series move together. All moments divide by n (population)."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.histories import NAN, ratio, windowed


def stdev_of(values: list[float]) -> float:
    centre = mean_of(values)
    total = 0.0
    for x in values:
        total += (x - centre) * (x - centre)
    return math.sqrt(total / len(values))


@windowed(look_back.bars)
def stdev(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [stdev_of(windows[0])]


@windowed(look_back.bars)
def zscore(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [ratio(windows[0][-1] - mean_of(windows[0]), stdev_of(windows[0]))]


@windowed(look_back.bars, outputs=3)
def bollinger(constants: Constants, windows: list[list[float]]) -> list[float]:
    middle = mean_of(windows[0])
    width = constants[1] * stdev_of(windows[0])
    return [middle, middle + width, middle - width]


@windowed(look_back.bars_and_previous)
def volatility(_constants: Constants, windows: list[list[float]]) -> list[float]:
    values = windows[0]
    returns = []
    for before, now in pairwise(values):
        change = ratio(now, before)
        if not (before > 0.0 and now > 0.0 and 0.0 < change < math.inf):
            return [NAN]
        returns.append(math.log(change))
    return [stdev_of(returns)]


@windowed(look_back.bars)
def correlation(_constants: Constants, windows: list[list[float]]) -> list[float]:
    xs, ys = windows
    x_mean = mean_of(xs)
    y_mean = mean_of(ys)
    xx = xy = yy = 0.0
    for x, y in zip(xs, ys, strict=True):
        xx += (x - x_mean) * (x - x_mean)
        xy += (x - x_mean) * (y - y_mean)
        yy += (y - y_mean) * (y - y_mean)
    found = ratio(xy, math.sqrt(xx) * math.sqrt(yy))
    if not math.isfinite(found):
        return [NAN]
    if found > 1.0:
        return [1.0]
    return [-1.0 if found < -1.0 else found]


@windowed(look_back.bars)
def slope(_constants: Constants, windows: list[list[float]]) -> list[float]:
    values = windows[0]
    n = len(values)
    origin = values[0]
    centre = (n - 1) / 2.0
    total = 0.0
    for t, x in enumerate(values):
        total += (t - centre) * (x - origin)
    return [total / (n * (float(n) * n - 1.0) / 12.0)]


@windowed(look_back.bars)
def cci(_constants: Constants, windows: list[list[float]]) -> list[float]:
    typical = [(high + low + close) / 3.0 for high, low, close in zip(*windows, strict=True)]
    centre = mean_of(typical)
    deviation = 0.0
    for x in typical:
        deviation += abs(x - centre)
    return [ratio(typical[-1] - centre, 0.015 * (deviation / len(typical)))]
