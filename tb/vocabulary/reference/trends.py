"""Whether a price goes somewhere, over a window."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, ratio, windowed
from tb.vocabulary.reference.oscillators import added
from tb.vocabulary.reference.sums import true_range_of


@windowed(look_back.bars_and_previous, outputs=3)
def aroon(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    highs, lows = windows
    up = 100.0 * ((n - highs[::-1].index(max(highs))) / n)
    down = 100.0 * ((n - lows[::-1].index(min(lows))) / n)
    return [up, down, up - down]


def _ranges(windows: list[list[float]]) -> list[float]:
    return [true_range_of(high, low, before[2]) for before, (high, low, _) in pairwise(list(zip(*windows, strict=True)))]


@windowed(look_back.bars_and_previous, outputs=2)
def vortex(_constants: Constants, windows: list[list[float]]) -> list[float]:
    highs, lows, _ = windows
    up = added([abs(high - low) for high, low in zip(highs[1:], lows, strict=False)])
    down = added([abs(low - high) for low, high in zip(lows[1:], highs, strict=False)])
    span = added(_ranges(windows))
    return [ratio(up, span), ratio(down, span)]


@windowed(look_back.bars_and_previous)
def choppiness(constants: Constants, windows: list[list[float]]) -> list[float]:
    top, bottom = max(windows[0][1:]) + 0.0, min(windows[1][1:]) + 0.0
    share = ratio(added(_ranges(windows)), top - bottom)
    return [100.0 * (math.log(share) / math.log(constants[0])) if 0.0 < share < math.inf else NAN]


@windowed(look_back.bars_and_previous)
def efficiency_ratio(_constants: Constants, windows: list[list[float]]) -> list[float]:
    values = windows[0]
    found = ratio(abs(values[-1] - values[0]), added([abs(now - before) for before, now in pairwise(values)]))
    return [1.0 if 1.0 < found < math.inf else found]


@windowed(look_back.bars)
def qstick(constants: Constants, windows: list[list[float]]) -> list[float]:
    return [added([last - first for first, last in zip(*windows, strict=True)]) / int(constants[0])]


def _middle(highs: list[float], lows: list[float], end: int, n: int) -> float:
    return (max(highs[end - n : end]) + 0.0 + (min(lows[end - n : end]) + 0.0)) / 2.0


@windowed(look_back.ichimoku, outputs=4)
def ichimoku(constants: Constants, windows: list[list[float]]) -> list[float]:
    short, medium, slow = (int(c) for c in constants)
    highs, lows = windows
    now = len(highs)
    then = now - medium + 1
    cloud = (_middle(highs, lows, then, short) + _middle(highs, lows, then, medium)) / 2.0
    return [_middle(highs, lows, now, short), _middle(highs, lows, now, medium), cloud, _middle(highs, lows, then, slow)]
