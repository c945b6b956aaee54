"""Moments of a window, divided by n (population)."""

from __future__ import annotations

import math

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.histories import NAN, finite, ratio, windowed
from tb.vocabulary.reference.oscillators import added


def _distances(values: list[float]) -> list[float]:
    centre = mean_of(values)
    return [x - centre for x in values]


@windowed(look_back.bars)
def variance(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [added([d * d for d in _distances(windows[0])]) / len(windows[0])]


@windowed(look_back.bars)
def skew(_constants: Constants, windows: list[list[float]]) -> list[float]:
    distances = _distances(windows[0])
    n = len(distances)
    spread = added([d * d for d in distances]) / n
    if not math.isfinite(spread):
        return [NAN]
    return [ratio(added([d * d * d for d in distances]) / n, spread * math.sqrt(spread))]


@windowed(look_back.bars)
def kurtosis(_constants: Constants, windows: list[list[float]]) -> list[float]:
    distances = _distances(windows[0])
    n = len(distances)
    spread = added([d * d for d in distances]) / n
    return [ratio(added([(d * d) * (d * d) for d in distances]) / n, spread * spread) - 3.0]


@windowed(look_back.bars)
def mean_deviation(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [added([abs(d) for d in _distances(windows[0])]) / len(windows[0])]


def correlation_of(xs: list[float], ys: list[float]) -> float:
    """Pearson's coefficient, held within -1 and 1."""
    pairs = list(zip(_distances(xs), _distances(ys), strict=True))
    xx, xy, yy = added([dx * dx for dx, _ in pairs]), added([dx * dy for dx, dy in pairs]), added([dy * dy for _, dy in pairs])
    found = finite(ratio(xy, math.sqrt(xx) * math.sqrt(yy)))
    return found if math.isnan(found) else max(-1.0, min(1.0, found))


@windowed(look_back.bars_and_lag)
def autocorrelation(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    return [correlation_of(windows[0][:n], windows[0][-n:])]
