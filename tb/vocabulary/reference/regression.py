"""The straight line that fits a window best (least squares). The line passes the mean in the middle of the window."""

from __future__ import annotations

import math

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, finite, ratio, windowed


def _fit(values: list[float]) -> tuple[float, float]:
    """The mean, and the slope per bar."""
    n = len(values)
    origin = values[0]
    centre = (n - 1) / 2.0
    total = moment = 0.0
    for j, x in enumerate(values):
        total += x - origin
        moment += (j - centre) * (x - origin)
    return origin + total / n, moment / (n * (float(n) * n - 1.0) / 12.0)


def _squares(values: list[float], middle: float, slope: float) -> float:
    centre = (len(values) - 1) / 2.0
    found = 0.0
    for j, x in enumerate(values):
        d = x - (middle + slope * (j - centre))
        found += d * d
    return found


@windowed(look_back.bars)
def linreg(_constants: Constants, windows: list[list[float]]) -> list[float]:
    middle, slope = _fit(windows[0])
    return [middle + slope * ((len(windows[0]) - 1) / 2.0)]


@windowed(look_back.bars)
def forecast(_constants: Constants, windows: list[list[float]]) -> list[float]:
    middle, slope = _fit(windows[0])
    return [middle + slope * ((len(windows[0]) + 1) / 2.0)]


@windowed(look_back.bars)
def intercept(_constants: Constants, windows: list[list[float]]) -> list[float]:
    middle, slope = _fit(windows[0])
    return [middle + slope * (-(len(windows[0]) - 1) / 2.0)]


@windowed(look_back.bars)
def angle(_constants: Constants, windows: list[list[float]]) -> list[float]:
    slope = _fit(windows[0])[1]
    return [math.atan(slope) * (180.0 / math.pi) if math.isfinite(slope) else NAN]


@windowed(look_back.bars)
def r_squared(_constants: Constants, windows: list[list[float]]) -> list[float]:
    middle, slope = _fit(windows[0])
    found = finite(1.0 - ratio(_squares(windows[0], middle, slope), _squares(windows[0], middle, 0.0)))
    return [0.0 if found < 0.0 else found]


@windowed(look_back.bars)
def standard_error(_constants: Constants, windows: list[list[float]]) -> list[float]:
    middle, slope = _fit(windows[0])
    return [math.sqrt(_squares(windows[0], middle, slope) / (len(windows[0]) - 2))]
