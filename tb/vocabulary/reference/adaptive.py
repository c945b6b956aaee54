"""Averages whose weights follow the market or the calendar."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import typical_of
from tb.vocabulary.reference.chains import after
from tb.vocabulary.reference.histories import NAN, ratio, recursive


def _noise(values: list[float]) -> float:
    """The way a price went, back and forth."""
    found = 0.0
    for before, now in pairwise(values):
        found += abs(now - before)
    return found


@recursive()
def kama(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, fast, slow = int(constants[0]), constants[1], constants[2]
    quick, lazy = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    values = history[0]
    found = [NAN] * min(n, len(values))
    average = NAN
    for i in range(n, len(values)):
        noise = _noise(values[i - n : i + 1])
        if not math.isfinite(noise):
            average = NAN
            found.append(NAN)
            continue
        start = values[i - 1] if math.isnan(average) else average
        efficiency = min(1.0, abs(values[i] - values[i - n]) / noise) if noise > 0.0 else 1.0
        weight = efficiency * (quick - lazy) + lazy
        average = start + weight * weight * (values[i] - start)
        found.append(average)
    return [found]


@recursive()
def zlema(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n = int(constants[0])
    lag = (n - 1) // 2
    values = history[0]
    led = [NAN] * min(lag, len(values)) + [now + (now - before) for before, now in zip(values, values[lag:], strict=False)]
    return [after(lag, led, n)]


@recursive()
def mcginley(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    found: list[float] = []
    before = NAN
    for x in history[0]:
        if x <= 0.0:
            before = NAN
        elif math.isnan(before):
            before = x
        else:
            speed = x / before
            before = before + ratio(x - before, constants[0] * (speed * speed) * (speed * speed))
            before = before if math.isfinite(before) and before > 0.0 else NAN
        found.append(before)
    return [found]


@recursive()
def day_vwap(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    found: list[float] = []
    today = origin = NAN
    weighted = traded = 0.0
    for high, low, close, volume, day in zip(*history, strict=True):
        typical = typical_of(high, low, close)
        if day != today:
            today, origin = day, typical
            weighted = traded = 0.0
        weighted += (typical - origin) * volume
        traded += volume
        found.append(origin + ratio(weighted, traded))
    return [found]
