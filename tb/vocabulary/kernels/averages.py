"""Averages over a window: `mean`, `wma`, `hma`, `vwap`. Definitions: `tb.vocabulary.reference.averages`."""

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
def _weighted_mean(x: Any, start: int, n: int) -> float:
    origin: float = x[start]
    total = 0.0
    for i in range(n):
        total += (i + 1) * (x[start + i] - origin)
    return origin + total / (n * (n + 1) / 2.0)


@njit(cache=True, nogil=True, error_model="numpy")
def mean(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    out = outputs[0]
    # bar by bar inside, so that the machine adds several bars at once; each bar still adds its window from the oldest value on
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            out[t] += x[t + j] - x[t]
    for t in range(out.shape[0]):
        out[t] = _finite(x[t] + out[t] / n)


@njit(cache=True, nogil=True, error_model="numpy")
def wma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(_weighted_mean(inputs[0], t, n))


@njit(cache=True, nogil=True, error_model="numpy")
def hma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    half = n // 2
    root = int(math.sqrt(n))
    raw = np.empty(outputs.shape[1] + root - 1)
    for i in range(raw.shape[0]):
        raw[i] = 2.0 * _weighted_mean(inputs[0], i + n - half, half) - _weighted_mean(inputs[0], i, n)
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(_weighted_mean(raw, t, root))


@njit(cache=True, nogil=True, error_model="numpy")
def _typical(high: float, low: float, close: float) -> float:
    return low + ((high - low) + (close - low)) / 3.0


@njit(cache=True, nogil=True, error_model="numpy")
def vwap(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    high, low, close, volume = inputs[0], inputs[1], inputs[2], inputs[3]
    for t in range(outputs.shape[1]):
        origin = _typical(high[t], low[t], close[t])
        traded = 0.0
        weighted = 0.0
        for i in range(t, t + n):
            typical = _typical(high[i], low[i], close[i])
            weighted += (typical - origin) * volume[i]
            traded += volume[i]
        outputs[0, t] = _finite(origin + weighted / traded)
