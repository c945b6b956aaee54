"""Two series at once: `beta`, `spread_zscore`, `relative_strength`, `tracking_error`, `lagged_correlation`.

Definitions: `tb.vocabulary.reference.pairs`. Bars are looped over inside and the window outside; each bar still adds its window
from the oldest value on.
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
def _unknowns(x: Any) -> int:
    """How many values are unknown; counted without a branch, so that the machine looks at several at once."""
    count = 0
    for i in range(x.shape[0]):
        count += 0 if x[i] - x[i] == 0.0 else 1
    return count


@part
def _seal(inputs: Any, outputs: Any) -> None:
    """Unknown where an input of the window is, and never endless."""
    for row in range(outputs.shape[0]):
        out = outputs[row]
        for t in range(out.shape[0]):
            out[t] = out[t] if out[t] - out[t] == 0.0 else NAN
    window = inputs.shape[1] - outputs.shape[1] + 1
    for row in range(inputs.shape[0]):
        if _unknowns(inputs[row]) == 0:
            continue
        known = 0
        for i in range(inputs.shape[1]):
            known = known + 1 if math.isfinite(inputs[row, i]) else 0
            if known < window and i >= window - 1:
                outputs[:, i - window + 1] = NAN


@part
def _means(x: Any, n: int, out: Any) -> None:
    """out[t] = the mean of x[t : t + n], taken of distances from the oldest value."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (x[t + j] - x[t])
            some += x[t + j + 1] - x[t]
            some += x[t + j + 2] - x[t]
            out[t] = some + (x[t + j + 3] - x[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += x[t + j] - x[t]
    for t in range(out.shape[0]):
        out[t] = x[t] + out[t] / n


@part
def _products(x: Any, y: Any, n: int, x_mean: Any, y_mean: Any, out: Any) -> None:
    """Sums of the products of distances from the means."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (x[t + j] - x_mean[t]) * (y[t + j] - y_mean[t])
            some += (x[t + j + 1] - x_mean[t]) * (y[t + j + 1] - y_mean[t])
            some += (x[t + j + 2] - x_mean[t]) * (y[t + j + 2] - y_mean[t])
            out[t] = some + (x[t + j + 3] - x_mean[t]) * (y[t + j + 3] - y_mean[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += (x[t + j] - x_mean[t]) * (y[t + j] - y_mean[t])


@compiled
def beta(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    m = outputs.shape[1]
    x_mean = np.empty(m)
    y_mean = np.empty(m)
    yy = np.empty(m)
    _means(inputs[0], n, x_mean)
    _means(inputs[1], n, y_mean)
    _products(inputs[0], inputs[1], n, x_mean, y_mean, outputs[0])
    _products(inputs[1], inputs[1], n, y_mean, y_mean, yy)
    for t in range(m):
        outputs[0, t] = outputs[0, t] / yy[t]
    _seal(inputs, outputs)


@compiled
def spread_zscore(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, y = inputs[0], inputs[1]
    m = outputs.shape[1]
    x_mean = np.empty(m)
    y_mean = np.empty(m)
    xx = np.empty(m)
    slope = np.empty(m)
    yy = np.empty(m)
    _means(x, n, x_mean)
    _means(y, n, y_mean)
    _products(x, x, n, x_mean, x_mean, xx)
    _products(x, y, n, x_mean, y_mean, slope)
    _products(y, y, n, y_mean, y_mean, yy)
    left = np.zeros(m)
    for t in range(m):
        slope[t] = slope[t] / yy[t]
    for j in range(n):
        for t in range(m):
            d = (x[t + j] - x_mean[t]) - slope[t] * (y[t + j] - y_mean[t])
            left[t] += d * d
    for t in range(m):
        newest = (x[t + n - 1] - x_mean[t]) - slope[t] * (y[t + n - 1] - y_mean[t])
        # what is left of a perfect line is rounding, and no distance
        outputs[0, t] = newest / math.sqrt(left[t] / n) if left[t] > 1e-20 * xx[t] else NAN
    _seal(inputs, outputs)


@compiled
def relative_strength(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = (inputs[0, t + n] / inputs[0, t]) / (inputs[1, t + n] / inputs[1, t]) - 1.0
        if inputs[0, t] == 0.0 or inputs[1, t] == 0.0:
            outputs[0, t] = NAN
    _seal(inputs, outputs)


@compiled
def tracking_error(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, y, out = inputs[0], inputs[1], outputs[0]
    apart = np.empty(out.shape[0] + n - 1)
    for i in range(apart.shape[0]):
        apart[i] = (x[i + 1] / x[i] - 1.0) - (y[i + 1] / y[i] - 1.0)
    centre = np.empty(out.shape[0])
    _means(apart, n, centre)
    _products(apart, apart, n, centre, centre, out)
    for t in range(out.shape[0]):
        out[t] = math.sqrt(out[t] / n)
    _seal(inputs, outputs)


@compiled
def lagged_correlation(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n, lag = int(constants[0]), int(constants[1])
    x, y, out = inputs[0][lag:], inputs[1], outputs[0]
    m = out.shape[0]
    x_mean = np.empty(m)
    y_mean = np.empty(m)
    xx = np.empty(m)
    yy = np.empty(m)
    _means(x, n, x_mean)
    _means(y, n, y_mean)
    _products(x, x, n, x_mean, x_mean, xx)
    _products(x, y, n, x_mean, y_mean, out)
    _products(y, y, n, y_mean, y_mean, yy)
    for t in range(m):
        found = _finite(out[t] / (math.sqrt(xx[t]) * math.sqrt(yy[t])))
        out[t] = 1.0 if found > 1.0 else -1.0 if found < -1.0 else found
    _seal(inputs, outputs)
