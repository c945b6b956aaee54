"""Moments of a window: `variance`, `skew`, `kurtosis`, `mean_deviation`, `autocorrelation`.

Definitions: `tb.vocabulary.reference.moments`. Bars are looped over inside and the window outside, so that the machine adds
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


@compiled
def variance(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, out = inputs[0], outputs[0]
    centre = np.empty(out.shape[0])
    _means(x, n, centre)
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
        out[t] = _finite(out[t] / n)


@compiled
def skew(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, out = inputs[0], outputs[0]
    centre = np.empty(out.shape[0])
    _means(x, n, centre)
    second = np.zeros(out.shape[0])
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            d = x[t + j] - centre[t]
            second[t] += d * d
            out[t] += d * d * d
    for t in range(out.shape[0]):
        spread = second[t] / n
        out[t] = _finite((out[t] / n) / (spread * math.sqrt(spread)))


@compiled
def kurtosis(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, out = inputs[0], outputs[0]
    centre = np.empty(out.shape[0])
    _means(x, n, centre)
    second = np.zeros(out.shape[0])
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            d = x[t + j] - centre[t]
            second[t] += d * d
            out[t] += (d * d) * (d * d)
    for t in range(out.shape[0]):
        spread = second[t] / n
        out[t] = _finite((out[t] / n) / (spread * spread) - 3.0)


@compiled
def mean_deviation(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, out = inputs[0], outputs[0]
    centre = np.empty(out.shape[0])
    _means(x, n, centre)
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + abs(x[t + j] - centre[t])
            some += abs(x[t + j + 1] - centre[t])
            some += abs(x[t + j + 2] - centre[t])
            out[t] = some + abs(x[t + j + 3] - centre[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += abs(x[t + j] - centre[t])
    for t in range(out.shape[0]):
        out[t] = _finite(out[t] / n)


@compiled
def autocorrelation(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n, lag = int(constants[0]), int(constants[1])
    x, out = inputs[0], outputs[0]
    m = out.shape[0]
    centre = np.empty(m + lag)
    _means(x, n, centre)
    xx = np.zeros(m)
    yy = np.zeros(m)
    for t in range(m):
        out[t] = 0.0
    for j in range(n):
        for t in range(m):
            before = x[t + j] - centre[t]
            now = x[t + j + lag] - centre[t + lag]
            xx[t] += before * before
            out[t] += before * now
            yy[t] += now * now
    known = 0
    for i in range(x.shape[0]):
        known = known + 1 if math.isfinite(x[i]) else 0
        t = i - n - lag + 1
        if t >= 0:
            found = _finite(out[t] / (math.sqrt(xx[t]) * math.sqrt(yy[t]))) if known >= n + lag else NAN
            out[t] = 1.0 if found > 1.0 else -1.0 if found < -1.0 else found
