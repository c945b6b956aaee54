"""Weighted averages over a window: `trima`, `alma`, `vwma`, `midpoint`. Definitions: `tb.vocabulary.reference.weights`.

Bars are looped over inside and the window outside, so that the machine adds several bars at once; each bar still adds its
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
def _weighted(x: Any, weights: Any, out: Any) -> None:
    """out[t] = the mean of x[t : t + n] by those weights, taken of distances from the oldest value."""
    whole = 0.0
    for j in range(weights.shape[0]):
        whole += weights[j]
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(weights.shape[0] // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + weights[j] * (x[t + j] - x[t])
            some += weights[j + 1] * (x[t + j + 1] - x[t])
            some += weights[j + 2] * (x[t + j + 2] - x[t])
            out[t] = some + weights[j + 3] * (x[t + j + 3] - x[t])
    for j in range(weights.shape[0] // 4 * 4, weights.shape[0]):
        for t in range(out.shape[0]):
            out[t] += weights[j] * (x[t + j] - x[t])
    for t in range(out.shape[0]):
        out[t] = _finite(x[t] + out[t] / whole)


@compiled
def trima(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    weights = np.empty(n)
    for j in range(n):
        weights[j] = float(min(j + 1, n - j))
    _weighted(inputs[0], weights, outputs[0])


@compiled
def alma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    peak = constants[1] * (n - 1)
    width = n / constants[2]
    weights = np.empty(n)
    for j in range(n):
        weights[j] = math.exp(-((j - peak) * (j - peak)) / (2.0 * width * width))
    _weighted(inputs[0], weights, outputs[0])


@compiled
def vwma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    volume, x, out = inputs[0], inputs[1], outputs[0]
    traded = np.zeros(out.shape[0])
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            out[t] += (x[t + j] - x[t]) * volume[t + j]
            traded[t] += volume[t + j]
    for t in range(out.shape[0]):
        out[t] = _finite(x[t] + out[t] / traded[t])


@part
def _unknowns(x: Any) -> int:
    """How many values are unknown; counted without a branch, so that the machine looks at several at once."""
    count = 0
    for i in range(x.shape[0]):
        count += 0 if x[i] - x[i] == 0.0 else 1
    return count


@part
def _hide_unknown(x: Any, n: int, out: Any) -> None:
    """out[t] becomes unknown where one of x[t : t + n] is."""
    if _unknowns(x) > 0:
        known = 0
        for i in range(x.shape[0]):
            known = known + 1 if math.isfinite(x[i]) else 0
            if known < n and i >= n - 1:
                out[i - n + 1] = NAN


@part
def _extremes(x: Any, n: int, sign: float, out: Any) -> None:
    """out[t] = the greatest (sign 1) or least (sign -1) of x[t : t + n], NaN where one of them is unknown.

    The extreme of twice as many values is that of two extremes, so a window takes as many steps as n has binary digits.
    """
    m = out.shape[0]
    if m < 4:  # a live step: too few for them to share anything
        for t in range(m):
            most = sign * x[t]
            for j in range(1, n):
                value = sign * x[t + j]
                most = value if value > most else most
            out[t] = sign * most + 0.0
        _hide_unknown(x, n, out)
        return
    best = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        best[i] = sign * x[i]
    size = 1
    while 2 * size <= n:
        length = best.shape[0] - size
        left, right, joined = best[:length], best[size:], np.empty(length)
        for i in range(length):
            joined[i] = left[i] if left[i] > right[i] else right[i]
        best = joined
        size *= 2
    left, right = best[:m], best[n - size :]
    for t in range(m):
        out[t] = sign * (left[t] if left[t] > right[t] else right[t]) + 0.0
    _hide_unknown(x, n, out)


@compiled
def midpoint(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    bottom = np.empty(outputs.shape[1])
    _extremes(inputs[0], n, 1.0, outputs[0])
    _extremes(inputs[0], n, -1.0, bottom)
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite((outputs[0, t] + bottom[t]) / 2.0)
