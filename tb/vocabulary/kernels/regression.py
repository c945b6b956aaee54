"""The straight line through a window: `linreg`, `forecast`, `intercept`, `angle`, `r_squared`, `standard_error`.

Definitions: `tb.vocabulary.reference.regression`. Bars are looped over inside and the window outside; each bar still adds its
window from the oldest value on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled, part

NAN = math.nan


@part
def _finite(value: float) -> float:
    return value if math.isfinite(value) else NAN


@part
def _fit(x: Any, n: int, middle: Any, slope: Any) -> None:
    """The mean of each window, which the line takes in its middle, and the slope of the line per bar."""
    m = middle.shape[0]
    centre = (n - 1) / 2.0
    spread = n * (float(n) * n - 1.0) / 12.0
    for t in range(m):
        middle[t] = 0.0
        slope[t] = 0.0
    for j in range(n):
        for t in range(m):
            d = x[t + j] - x[t]
            middle[t] += d
            slope[t] += (j - centre) * d
    for t in range(m):
        middle[t] = x[t] + middle[t] / n
        slope[t] = slope[t] / spread


@part
def _along(x: Any, n: int, distance: float, out: Any) -> None:
    """Where the line is so many bars after the middle of the window."""
    slope = np.empty(out.shape[0])
    _fit(x, n, out, slope)
    for t in range(out.shape[0]):
        out[t] = _finite(out[t] + slope[t] * distance)


@compiled
def linreg(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _along(inputs[0], n, (n - 1) / 2.0, outputs[0])


@compiled
def forecast(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _along(inputs[0], n, (n + 1) / 2.0, outputs[0])


@compiled
def intercept(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _along(inputs[0], n, -(n - 1) / 2.0, outputs[0])


@compiled
def angle(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    middle = np.empty(outputs.shape[1])
    _fit(inputs[0], int(constants[0]), middle, outputs[0])
    for t in range(outputs.shape[1]):
        slope = outputs[0, t]
        outputs[0, t] = math.atan(slope) * (180.0 / math.pi) if math.isfinite(slope) else NAN


@part
def _squares(x: Any, n: int, middle: Any, slope: Any, out: Any) -> None:
    """The sum of squares of distances from the line; from the mean where the slope given is zero."""
    centre = (n - 1) / 2.0
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            d = x[t + j] - (middle[t] + slope[t] * (j - centre))
            out[t] += d * d


@compiled
def r_squared(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    m = outputs.shape[1]
    middle = np.empty(m)
    slope = np.empty(m)
    _fit(inputs[0], n, middle, slope)
    whole = np.empty(m)
    _squares(inputs[0], n, middle, np.zeros(m), whole)
    _squares(inputs[0], n, middle, slope, outputs[0])
    for t in range(m):
        found = _finite(1.0 - outputs[0, t] / whole[t])
        outputs[0, t] = 0.0 if found < 0.0 else found


@compiled
def standard_error(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    middle = np.empty(outputs.shape[1])
    slope = np.empty(outputs.shape[1])
    _fit(inputs[0], n, middle, slope)
    _squares(inputs[0], n, middle, slope, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(math.sqrt(outputs[0, t] / (n - 2)))
