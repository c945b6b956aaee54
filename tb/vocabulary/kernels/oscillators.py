"""Oscillators over a window: `cmo`, `ultimate`, `bop`, `awesome`, `dpo`, `coppock`, `kst`.

Definitions: `tb.vocabulary.reference.oscillators`. Helpers fill columns as long as the inputs; the value at a bar is of the
window that ends there, unknown where that reaches before the first bar given.
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
def _sums(x: Any, n: int) -> Any:
    """At each bar the sum of the last n values, from the oldest on."""
    found = np.full(x.shape[0], NAN)
    out = found[n - 1 :]
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        part = x[j : j + out.shape[0]]
        for t in range(out.shape[0]):
            out[t] += part[t]
    return found


@part
def _means(x: Any, n: int) -> Any:
    """At each bar the mean of the last n values, taken of distances from the oldest."""
    found = np.full(x.shape[0], NAN)
    out = found[n - 1 :]
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        part = x[j : j + out.shape[0]]
        for t in range(out.shape[0]):
            out[t] += part[t] - x[t]
    for t in range(out.shape[0]):
        out[t] = x[t] + out[t] / n
    return found


@part
def _changes(x: Any, n: int) -> Any:
    found = np.full(x.shape[0], NAN)
    for i in range(n, x.shape[0]):
        found[i] = x[i] / x[i - n] - 1.0
    return found


@compiled
def cmo(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    rising = np.zeros(x.shape[0])
    falling = np.zeros(x.shape[0])
    for i in range(1, x.shape[0]):
        move = x[i] - x[i - 1]
        rising[i] = move if move > 0.0 else 0.0
        falling[i] = -move if move < 0.0 else 0.0
    up = _sums(rising, n)
    down = _sums(falling, n)
    for t in range(outputs.shape[1]):
        outputs[0, t] = 100.0 * ((up[t + n] - down[t + n]) / (up[t + n] + down[t + n]))
    _seal(inputs, outputs)


@compiled
def ultimate(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    first, second, third = int(constants[0]), int(constants[1]), int(constants[2])
    high, low, close = inputs[0], inputs[1], inputs[2]
    pressure = np.full(close.shape[0], NAN)
    span = np.full(close.shape[0], NAN)
    for i in range(1, close.shape[0]):
        bottom = min(low[i], close[i - 1])
        pressure[i] = close[i] - bottom
        span[i] = max(high[i], close[i - 1]) - bottom
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        outputs[0, t] = 0.0
    for term in range(3):
        n = first if term == 0 else second if term == 1 else third
        weight = 4.0 if term == 0 else 2.0 if term == 1 else 1.0
        pressures = _sums(pressure, n)
        spans = _sums(span, n)
        for t in range(outputs.shape[1]):
            outputs[0, t] += weight * (pressures[t + lead] / spans[t + lead])
    for t in range(outputs.shape[1]):
        outputs[0, t] = 100.0 * (outputs[0, t] / 7.0)
    _seal(inputs, outputs)


@compiled
def bop(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    for t in range(outputs.shape[1]):
        outputs[0, t] = (inputs[3, t] - inputs[0, t]) / (inputs[1, t] - inputs[2, t])
    _seal(inputs, outputs)


@compiled
def awesome(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    fast, slow = int(constants[0]), int(constants[1])
    middle = np.empty(inputs.shape[1])
    for i in range(middle.shape[0]):
        middle[i] = (inputs[0, i] + inputs[1, i]) / 2.0
    quick = _means(middle, fast)
    lazy = _means(middle, slow)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        outputs[0, t] = quick[t + lead] - lazy[t + lead]
    _seal(inputs, outputs)


@compiled
def dpo(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    average = _means(inputs[0], n)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        outputs[0, t] = inputs[0, t + lead - n // 2 - 1] - average[t + lead]
    _seal(inputs, outputs)


@compiled
def coppock(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n, first, second = int(constants[0]), int(constants[1]), int(constants[2])
    one = _changes(inputs[0], first)
    other = _changes(inputs[0], second)
    lead = inputs.shape[1] - outputs.shape[1] - n + 1
    for t in range(outputs.shape[1]):
        outputs[0, t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(outputs.shape[1]):
            some = outputs[0, t] + (j + 1) * (one[t + lead + j] + other[t + lead + j])
            some += (j + 2) * (one[t + lead + j + 1] + other[t + lead + j + 1])
            some += (j + 3) * (one[t + lead + j + 2] + other[t + lead + j + 2])
            outputs[0, t] = some + (j + 4) * (one[t + lead + j + 3] + other[t + lead + j + 3])
    for j in range(n // 4 * 4, n):
        for t in range(outputs.shape[1]):
            outputs[0, t] += (j + 1) * (one[t + lead + j] + other[t + lead + j])
    for t in range(outputs.shape[1]):
        outputs[0, t] = outputs[0, t] / (n * (n + 1) / 2.0)
    _seal(inputs, outputs)


@compiled
def kst(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    signal = int(constants[0])
    line = np.zeros(inputs.shape[1])
    for term in range(4):
        lag = 10 if term == 0 else 15 if term == 1 else 20 if term == 2 else 30
        n = 15 if term == 3 else 10
        sums = _sums(_changes(inputs[0], lag), n)
        for i in range(line.shape[0]):
            line[i] += (term + 1) * (sums[i] / n)
    average = _sums(line, signal)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        outputs[0, t] = line[t + lead]
        outputs[1, t] = average[t + lead] / signal
    _seal(inputs, outputs)
