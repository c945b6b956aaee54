"""Spread and co-movement: `stdev`, `zscore`, `bollinger`, `volatility`, `correlation`, `slope`, `cci`.

Definitions: `tb.vocabulary.reference.dispersion`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

NAN = math.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _finite(value: float) -> float:
    return value if math.isfinite(value) else NAN


@njit(cache=True, nogil=True, error_model="numpy")
def _mean(x: Any, start: int, n: int) -> float:
    origin: float = x[start]
    total = 0.0
    for i in range(start, start + n):
        total += x[i] - origin
    return origin + total / n


@njit(cache=True, nogil=True, error_model="numpy")
def _stdev(x: Any, start: int, n: int, centre: float) -> float:
    total = 0.0
    for i in range(start, start + n):
        total += (x[i] - centre) * (x[i] - centre)
    return math.sqrt(total / n)


@njit(cache=True, nogil=True, error_model="numpy")
def stdev(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(_stdev(x, t, n, _mean(x, t, n)))


@njit(cache=True, nogil=True, error_model="numpy")
def zscore(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    for t in range(outputs.shape[1]):
        centre = _mean(x, t, n)
        outputs[0, t] = _finite((x[t + n - 1] - centre) / _stdev(x, t, n, centre))


@njit(cache=True, nogil=True, error_model="numpy")
def bollinger(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    for t in range(outputs.shape[1]):
        middle = _mean(x, t, n)
        width = constants[1] * _stdev(x, t, n, middle)
        outputs[0, t] = _finite(middle)
        outputs[1, t] = _finite(middle + width)
        outputs[2, t] = _finite(middle - width)


@njit(cache=True, nogil=True, error_model="numpy")
def volatility(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    returns = np.empty(outputs.shape[1] + n - 1)
    for i in range(returns.shape[0]):
        change = x[i + 1] / x[i]
        is_known = x[i] > 0.0 and x[i + 1] > 0.0 and change > 0.0 and math.isfinite(change) and math.isfinite(x[i])
        returns[i] = math.log(change) if is_known else NAN
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(_stdev(returns, t, n, _mean(returns, t, n)))


@njit(cache=True, nogil=True, error_model="numpy")
def correlation(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, y = inputs[0], inputs[1]
    for t in range(outputs.shape[1]):
        x_mean = _mean(x, t, n)
        y_mean = _mean(y, t, n)
        xx = 0.0
        xy = 0.0
        yy = 0.0
        for i in range(t, t + n):
            dx = x[i] - x_mean
            dy = y[i] - y_mean
            xx += dx * dx
            xy += dx * dy
            yy += dy * dy
        found = _finite(xy / (math.sqrt(xx) * math.sqrt(yy)))
        if found > 1.0:
            found = 1.0
        elif found < -1.0:
            found = -1.0
        outputs[0, t] = found


@njit(cache=True, nogil=True, error_model="numpy")
def slope(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    centre = (n - 1) / 2.0
    spread = n * (float(n) * n - 1.0) / 12.0
    for t in range(outputs.shape[1]):
        total = 0.0
        for i in range(n):
            total += (i - centre) * (x[t + i] - x[t])
        outputs[0, t] = _finite(total / spread)


@njit(cache=True, nogil=True, error_model="numpy")
def cci(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    high, low, close = inputs[0], inputs[1], inputs[2]
    typical = np.empty(inputs.shape[1])
    for i in range(typical.shape[0]):
        typical[i] = (high[i] + low[i] + close[i]) / 3.0
    for t in range(outputs.shape[1]):
        centre = _mean(typical, t, n)
        deviation = 0.0
        for i in range(t, t + n):
            deviation += abs(typical[i] - centre)
        outputs[0, t] = _finite((typical[t + n - 1] - centre) / (0.015 * (deviation / n)))
