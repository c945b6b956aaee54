"""Sums, counts and differences: `total`, `count`, `volume_usd`, `change`, `momentum`, `true_range`, `mfi`.

Definitions: `tb.vocabulary.reference.sums`.
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
def _added(x: Any, n: int, out: Any) -> None:
    """out[t] = the sum of x[t : t + n], added from the oldest value on."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + x[t + j]
            some += x[t + j + 1]
            some += x[t + j + 2]
            out[t] = some + x[t + j + 3]
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += x[t + j]


@part
def _totals(x: Any, n: int, out: Any) -> None:
    """The same sums, unknown where they are endless."""
    _added(x, n, out)
    for t in range(out.shape[0]):
        out[t] = _finite(out[t])


@compiled
def total(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _totals(inputs[0], int(constants[0]), outputs[0])


@compiled
def count(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    truths = np.empty(inputs.shape[1])
    for i in range(truths.shape[0]):
        truths[i] = (1.0 if inputs[0, i] != 0.0 else 0.0) if math.isfinite(inputs[0, i]) else NAN
    _totals(truths, int(constants[0]), outputs[0])


@compiled
def volume_usd(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    traded = np.empty(inputs.shape[1])
    for i in range(traded.shape[0]):
        traded[i] = inputs[0, i] * inputs[1, i]
    _totals(traded, int(constants[0]), outputs[0])


@compiled
def change(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for t in range(outputs.shape[1]):
        before = inputs[0, t]
        outputs[0, t] = _finite(inputs[0, t + n] / before - 1.0) if math.isfinite(before) else NAN


@compiled
def momentum(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(inputs[0, t + n] - inputs[0, t])


@compiled
def true_range(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    for t in range(outputs.shape[1]):
        high, low, close = inputs[0, t + 1], inputs[1, t + 1], inputs[2, t]
        greatest = high - low
        greatest = max(greatest, abs(high - close))
        greatest = max(greatest, abs(low - close))
        is_known = True
        for i in range(3):
            is_known = is_known and math.isfinite(inputs[i, t]) and math.isfinite(inputs[i, t + 1])
        outputs[0, t] = _finite(greatest) if is_known else NAN


@compiled
def mfi(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    high, low, close, volume = inputs[0], inputs[1], inputs[2], inputs[3]
    rising = np.zeros(inputs.shape[1])
    falling = np.zeros(inputs.shape[1])
    before = NAN
    for i in range(close.shape[0]):
        typical = (high[i] + low[i] + close[i]) / 3.0
        rising[i] = typical * volume[i] if typical > before else 0.0
        falling[i] = typical * volume[i] if typical < before else 0.0
        before = typical
    down = np.empty(outputs.shape[1])
    _added(rising[1:], n, outputs[0])
    _added(falling[1:], n, down)
    known = 0
    for i in range(close.shape[0]):
        is_known = math.isfinite(high[i]) and math.isfinite(low[i]) and math.isfinite(close[i]) and math.isfinite(volume[i])
        known = known + 1 if is_known else 0
        if i >= n:
            up = outputs[0, i - n]
            outputs[0, i - n] = _finite(100.0 * (up / (up + down[i - n]))) if known > n else NAN
