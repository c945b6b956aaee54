"""Averages over a window: `mean`, `wma`, `hma`, `vwap`. Definitions: `tb.vocabulary.reference.averages`.

Bars are looped over inside and the window outside, so that the machine adds several bars at once; each bar still adds its
window from the oldest value on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled, part

NAN = math.nan
NEAR = 1024  # bars


@part
def _finite(value: float) -> float:
    return value if math.isfinite(value) else NAN


@part
def _weighted_means(x: Any, n: int, out: Any) -> None:
    """out[t] = the mean of x[t : t + n] by the weights 1 to n, taken of distances from the oldest value."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (j + 1) * (x[t + j] - x[t])
            some += (j + 2) * (x[t + j + 1] - x[t])
            some += (j + 3) * (x[t + j + 2] - x[t])
            out[t] = some + (j + 4) * (x[t + j + 3] - x[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += (j + 1) * (x[t + j] - x[t])
    for t in range(out.shape[0]):
        out[t] = x[t] + out[t] / (n * (n + 1) / 2.0)


@part
def _ten(x: Any, j: int, t: int, some: float) -> float:
    """A sum with ten more distances from the oldest value, in their order."""
    first = x[t]
    some += x[t + j] - first
    some += x[t + j + 1] - first
    some += x[t + j + 2] - first
    some += x[t + j + 3] - first
    some += x[t + j + 4] - first
    some += x[t + j + 5] - first
    some += x[t + j + 6] - first
    some += x[t + j + 7] - first
    some += x[t + j + 8] - first
    found: float = some + (x[t + j + 9] - first)
    return found


@part
def _means(x: Any, n: int, out: Any) -> None:
    """The means of some bars, few enough that their sums stay near the processor; x begins with the window of the first."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for tens in range(n // 10):
        for t in range(out.shape[0]):
            out[t] = _ten(x, 10 * tens, t, out[t])
    for j in range(n // 10 * 10, n):
        for t in range(out.shape[0]):
            out[t] += x[t + j] - x[t]
    for t in range(out.shape[0]):
        out[t] = _finite(x[t] + out[t] / n)


@compiled
def mean(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for begin in range(0, outputs.shape[1], NEAR):
        _means(inputs[0, begin:], n, outputs[0, begin : begin + NEAR])


@compiled
def wma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _weighted_means(inputs[0], int(constants[0]), outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(outputs[0, t])


@compiled
def hma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    half = n // 2
    root = int(math.sqrt(n))
    quick = np.empty(outputs.shape[1] + root - 1)
    slow = np.empty(outputs.shape[1] + root - 1)
    _weighted_means(inputs[0][n - half :], half, quick)
    _weighted_means(inputs[0], n, slow)
    for i in range(quick.shape[0]):
        quick[i] = 2.0 * quick[i] - slow[i]
    _weighted_means(quick, root, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(outputs[0, t])


@part
def _typical(high: float, low: float, close: float) -> float:
    return low + ((high - low) + (close - low)) / 3.0


@compiled
def vwap(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    volume, out = inputs[3], outputs[0]
    typical = np.empty(inputs.shape[1])
    for i in range(typical.shape[0]):
        typical[i] = _typical(inputs[0, i], inputs[1, i], inputs[2, i])
    traded = np.zeros(out.shape[0])
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            out[t] += (typical[t + j] - typical[t]) * volume[t + j]
            traded[t] += volume[t + j]
    for t in range(out.shape[0]):
        out[t] = _finite(typical[t] + out[t] / traded[t])
