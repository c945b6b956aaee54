"""What follows a trend and remembers."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, ratio, recursive
from tb.vocabulary.reference.recursion import wilder
from tb.vocabulary.reference.sums import true_range_of
from tb.vocabulary.reference.widths import average_ranges


def _directions(history: list[list[float]], n: int) -> list[float]:
    """How much one way outweighs the other, 0 to 100; unknown in the warm-up and where nothing moved."""
    ranges, ups, downs = [], [], []
    for before, (high, low, _) in pairwise(list(zip(*history, strict=True))):
        up, down = high - before[0], before[1] - low
        ranges.append(true_range_of(high, low, before[2]))
        ups.append(up if up > down and up > 0.0 else 0.0)
        downs.append(down if down > up and down > 0.0 else 0.0)
    found = [NAN]
    for up, down, span in zip(wilder(ups, n), wilder(downs, n), wilder(ranges, n), strict=True):
        plus, minus = 100.0 * ratio(up, span), 100.0 * ratio(down, span)
        both = plus + minus
        one = 0.0 if both == 0.0 else 100.0 * (abs(plus - minus) / both)
        found.append(one if span > 0.0 else NAN)
    return found


@recursive()
def dx(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [_directions(history, int(constants[0]))]


@recursive()
def adxr(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n = int(constants[0])
    found = _directions(history, n)
    known = [i for i, one in enumerate(found) if not math.isnan(one)]
    strengths = dict(zip(known, wilder([found[i] for i in known], n), strict=True))
    return [[(strengths.get(i, NAN) + strengths.get(i - n + 1, NAN)) / 2.0 for i in range(len(found))]]


@recursive()
def psar(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    step, limit = min(constants), constants[1]
    bars = list(zip(*history, strict=True))
    if len(bars) < 2:
        return [[NAN] * len(bars)]
    (high_before, low_before), (high, low) = bars[:2]
    is_long = not (low_before - low > 0.0 and low_before - low > high - high_before)
    stop, extreme, speed = (low_before, high, step) if is_long else (high_before, low, step)
    found = [NAN]
    for at, (high, low) in enumerate(bars[1:], start=1):
        high_before, low_before = bars[max(at - 1, 1)]  # the first stop follows from one bar alone
        above, below = max(high_before, high), min(low_before, low)
        if low <= stop if is_long else high >= stop:
            stop = max(extreme, above) if is_long else min(extreme, below)
            found.append(stop)
            is_long = not is_long
            extreme, speed = high if is_long else low, step
        else:
            found.append(stop)
            if high > extreme if is_long else low < extreme:
                extreme, speed = high if is_long else low, min(speed + step, limit)
        follows = stop + speed * (extreme - stop)
        stop = min(follows, below) if is_long else max(follows, above)
    return [found]


@recursive()
def supertrend(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, k = int(constants[0]), constants[1]
    found: list[float] = []
    upper = lower = before = NAN
    is_up = is_going = False
    for average, (high, low, close) in zip(average_ranges(history, n), zip(*history, strict=True), strict=True):
        if len(found) >= n:
            top, bottom = (high + low) / 2.0 + k * average, (high + low) / 2.0 - k * average
            upper = top if not is_going or top < upper or before > upper else upper
            lower = bottom if not is_going or bottom > lower or before < lower else lower
            if is_going:
                is_up = not close < lower if is_up else close > upper
            is_going = True
        found.append((lower if is_up else upper) if is_going else NAN)
        before = close
    return [found]


@recursive(outputs=2)
def chandelier(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, k = int(constants[0]), constants[1]
    highs, lows, _ = history
    longs, shorts = [], []
    for i, average in enumerate(average_ranges(history, n)):
        start = max(i - n + 1, 0)
        longs.append(max(highs[start : i + 1]) + 0.0 - k * average)
        shorts.append(min(lows[start : i + 1]) + 0.0 + k * average)
    return [longs, shorts]


@recursive(outputs=4)
def heikin_ashi(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    rows: list[tuple[float, float, float, float]] = []
    for first, high, low, last in zip(*history, strict=True):
        start = (rows[-1][0] + rows[-1][3]) / 2.0 if rows else (first + last) / 2.0
        end = first + ((high - first) + (low - first) + (last - first)) / 4.0
        rows.append((start, max(high, start, end), min(low, start, end), end))
    return [list(column) for column in zip(*rows, strict=True)]
