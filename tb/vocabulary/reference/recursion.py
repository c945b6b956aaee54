"""Functions that remember: each value follows from the one before."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.histories import NAN, ratio, recursive
from tb.vocabulary.reference.sums import true_range_of


def smoothed(values: list[float], n: int, weight: float) -> list[float]:
    """NaN for n - 1 bars, then the mean of the first n values, then `weight` of the way to each new value."""
    if len(values) < n:
        return [NAN] * len(values)
    found = [NAN] * (n - 1) + [mean_of(values[:n])]
    for x in values[n:]:
        found.append(found[-1] + weight * (x - found[-1]))
    return found


def exponential(values: list[float], n: int) -> list[float]:
    return smoothed(values, n, 2.0 / (n + 1))


def wilder(values: list[float], n: int) -> list[float]:
    return smoothed(values, n, 1.0 / n)


@recursive()
def ema(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [exponential(history[0], int(constants[0]))]


@recursive()
def rma(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [wilder(history[0], int(constants[0]))]


def strength_of(values: list[float], n: int) -> list[float]:
    changes = [now - before for before, now in pairwise(values)]
    gains = wilder([c if c > 0.0 else 0.0 for c in changes], n)
    losses = wilder([-c if c < 0.0 else 0.0 for c in changes], n)
    return [NAN, *(100.0 * ratio(gain, gain + loss) for gain, loss in zip(gains, losses, strict=True))]


@recursive()
def rsi(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [strength_of(history[0], int(constants[0]))]


@recursive(outputs=3)
def macd(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    fast, slow, signal = (int(c) for c in constants)
    pairs = zip(exponential(history[0], fast), exponential(history[0], slow), strict=True)
    line = [quick - lazy for quick, lazy in pairs]
    first = max(fast, slow) - 1
    signals = ([NAN] * first + exponential(line[first:], signal))[: len(line)]
    lead = max(fast, slow) + signal - 2
    line = ([NAN] * lead + line[lead:])[: len(line)]
    return [line, signals, [a - b for a, b in zip(line, signals, strict=True)]]


@recursive()
def atr(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    bars = list(zip(*history, strict=True))
    ranges = [true_range_of(high, low, before[2]) for before, (high, low, _) in pairwise(bars)]
    return [[NAN, *wilder(ranges, int(constants[0]))]]


@recursive(outputs=3)
def keltner(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, k = int(constants[0]), constants[1]
    bars = list(zip(*history, strict=True))
    ranges = [true_range_of(high, low, before[2]) for before, (high, low, _) in pairwise(bars)]
    widths = [k * average for average in (NAN, *wilder(ranges, n))]
    middles = [m if math.isfinite(width) else NAN for m, width in zip(exponential(history[2], n), widths, strict=True)]
    pairs = list(zip(middles, widths, strict=True))
    return [middles, [m + w for m, w in pairs], [m - w for m, w in pairs]]


@recursive(outputs=3)
def adx(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n = int(constants[0])
    ranges, ups, downs = [], [], []
    for before, (high, low, _) in pairwise(list(zip(*history, strict=True))):
        up = high - before[0]
        down = before[1] - low
        ranges.append(true_range_of(high, low, before[2]))
        ups.append(up if up > down and up > 0.0 else 0.0)
        downs.append(down if down > up and down > 0.0 else 0.0)
    plus, minus, strengths = [NAN], [NAN], []
    moved: list[int] = []
    for i, (up, down, span) in enumerate(zip(wilder(ups, n), wilder(downs, n), wilder(ranges, n), strict=True), start=1):
        plus.append(100.0 * ratio(up, span))
        minus.append(100.0 * ratio(down, span))
        if span > 0.0:
            both = plus[-1] + minus[-1]
            strengths.append(0.0 if both == 0.0 else 100.0 * (abs(plus[-1] - minus[-1]) / both))
            moved.append(i)
    found = dict(zip(moved, wilder(strengths, n), strict=True))
    known = set(moved[n - 1 :])  # the bars at which all three are out of their warm-up
    columns = ([found.get(i, NAN) for i in range(len(plus))], plus, minus)
    return [[value if i in known else NAN for i, value in enumerate(column)] for column in columns]


@recursive()
def obv(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    found = [0.0]
    for (before, _), (now, volume) in pairwise(list(zip(*history, strict=True))):
        step = volume if now > before else -volume if now < before else 0.0
        found.append(found[-1] + step)
    return [found]
