"""Spread and co-movement: `stdev`, `zscore`, `bollinger`, `volatility`, `correlation`, `slope`, `cci`.

Definitions: `tb.vocabulary.reference.dispersion`. Bars are looped over inside and the window outside, so that the machine adds
several bars at once; each bar still adds its window from the oldest value on.
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
def _stdevs(x: Any, n: int, centre: Any, out: Any) -> None:
    """The standard deviation of each window from its mean."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (x[t + j] - centre[t]) * (x[t + j] - centre[t])
            some += (x[t + j + 1] - centre[t]) * (x[t + j + 1] - centre[t])
            some += (x[t + j + 2] - centre[t]) * (x[t + j + 2] - centre[t])
            out[t] = some + (x[t + j + 3] - centre[t]) * (x[t + j + 3] - centre[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += (x[t + j] - centre[t]) * (x[t + j] - centre[t])
    for t in range(out.shape[0]):
        out[t] = math.sqrt(out[t] / n)


@compiled
def stdev(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    centre = np.empty(outputs.shape[1])
    _means(inputs[0], n, centre)
    _stdevs(inputs[0], n, centre, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(outputs[0, t])


@compiled
def zscore(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    centre = np.empty(outputs.shape[1])
    _means(x, n, centre)
    _stdevs(x, n, centre, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite((x[t + n - 1] - centre[t]) / outputs[0, t])


@compiled
def bollinger(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    middle = np.empty(outputs.shape[1])
    width = np.empty(outputs.shape[1])
    _means(inputs[0], n, middle)
    _stdevs(inputs[0], n, middle, width)
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(middle[t])
        outputs[1, t] = _finite(middle[t] + constants[1] * width[t])
        outputs[2, t] = _finite(middle[t] - constants[1] * width[t])


@compiled
def volatility(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    returns = np.empty(outputs.shape[1] + n - 1)
    for i in range(returns.shape[0]):
        change = x[i + 1] / x[i]
        is_known = x[i] > 0.0 and x[i + 1] > 0.0 and change > 0.0 and math.isfinite(change) and math.isfinite(x[i])
        returns[i] = math.log(change) if is_known else NAN
    centre = np.empty(outputs.shape[1])
    _means(returns, n, centre)
    _stdevs(returns, n, centre, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(outputs[0, t])


@compiled
def correlation(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, y, xy = inputs[0], inputs[1], outputs[0]
    m = outputs.shape[1]
    x_mean = np.empty(m)
    y_mean = np.empty(m)
    _means(x, n, x_mean)
    _means(y, n, y_mean)
    xx = np.zeros(m)
    yy = np.zeros(m)
    for t in range(m):
        xy[t] = 0.0
    for j in range(n):
        for t in range(m):
            dx = x[t + j] - x_mean[t]
            dy = y[t + j] - y_mean[t]
            xx[t] += dx * dx
            xy[t] += dx * dy
            yy[t] += dy * dy
    for t in range(m):
        found = _finite(xy[t] / (math.sqrt(xx[t]) * math.sqrt(yy[t])))
        xy[t] = 1.0 if found > 1.0 else -1.0 if found < -1.0 else found


@compiled
def slope(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, out = inputs[0], outputs[0]
    centre = (n - 1) / 2.0
    spread = n * (float(n) * n - 1.0) / 12.0
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (j - centre) * (x[t + j] - x[t])
            some += (j + 1 - centre) * (x[t + j + 1] - x[t])
            some += (j + 2 - centre) * (x[t + j + 2] - x[t])
            out[t] = some + (j + 3 - centre) * (x[t + j + 3] - x[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += (j - centre) * (x[t + j] - x[t])
    for t in range(out.shape[0]):
        out[t] = _finite(out[t] / spread)


@compiled
def cci(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    high, low, close, out = inputs[0], inputs[1], inputs[2], outputs[0]
    typical = np.empty(inputs.shape[1])
    for i in range(typical.shape[0]):
        typical[i] = (high[i] + low[i] + close[i]) / 3.0
    centre = np.empty(out.shape[0])
    _means(typical, n, centre)
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + abs(typical[t + j] - centre[t])
            some += abs(typical[t + j + 1] - centre[t])
            some += abs(typical[t + j + 2] - centre[t])
            out[t] = some + abs(typical[t + j + 3] - centre[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += abs(typical[t + j] - centre[t])
    for t in range(out.shape[0]):
        out[t] = _finite((typical[t + n - 1] - centre[t]) / (0.015 * (out[t] / n)))
