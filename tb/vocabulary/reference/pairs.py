"""Two series at once."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.dispersion import stdev_of
from tb.vocabulary.reference.histories import NAN, ratio, windowed
from tb.vocabulary.reference.moments import correlation_of
from tb.vocabulary.reference.oscillators import added


def _distances(values: list[float]) -> list[float]:
    centre = mean_of(values)
    return [x - centre for x in values]


def _slope(dxs: list[float], dys: list[float]) -> float:
    """How far x goes with y."""
    return ratio(added([dx * dy for dx, dy in zip(dxs, dys, strict=True)]), added([dy * dy for dy in dys]))


@windowed(look_back.bars)
def beta(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [_slope(*map(_distances, windows))]


@windowed(look_back.bars)
def spread_zscore(_constants: Constants, windows: list[list[float]]) -> list[float]:
    dxs, dys = map(_distances, windows)
    slope = _slope(dxs, dys)
    apart = [dx - slope * dy for dx, dy in zip(dxs, dys, strict=True)]
    left = added([d * d for d in apart])
    if not left > 1e-20 * added([dx * dx for dx in dxs]):
        return [NAN]
    return [apart[-1] / math.sqrt(left / len(apart))]


@windowed(look_back.bars_and_previous)
def relative_strength(_constants: Constants, windows: list[list[float]]) -> list[float]:
    xs, ys = windows
    return [ratio(ratio(xs[-1], xs[0]), ratio(ys[-1], ys[0])) - 1.0]


@windowed(look_back.bars_and_previous)
def tracking_error(_constants: Constants, windows: list[list[float]]) -> list[float]:
    pairs = zip(*(list(pairwise(values)) for values in windows), strict=True)
    apart = [(ratio(x, x_before) - 1.0) - (ratio(y, y_before) - 1.0) for (x_before, x), (y_before, y) in pairs]
    return [stdev_of(apart)]


@windowed(look_back.bars_and_lag)
def lagged_correlation(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    xs, ys = windows
    return [correlation_of(xs[-n:], ys[:n])]
