"""Averages that adapt: `kama`, `zlema`, `mcginley`, `day_vwap`. Definitions: `tb.vocabulary.reference.adaptive`."""

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
def _smooth(state: Any, at: int, n: int, weight: float, x: float) -> float:
    """The average after one more value, NaN in its warm-up."""
    if state[at] >= n:
        average: float = state[at + 2] + weight * (x - state[at + 2])
        state[at + 2] = average
        return average
    if state[at] == 0.0:
        state[at + 1] = x
        state[at + 2] = 0.0
    state[at] += 1.0
    state[at + 2] += x - state[at + 1]
    if state[at] < n:
        return NAN
    first: float = state[at + 1] + state[at + 2] / n
    state[at + 2] = first
    return first


@part
def _joined(state: Any, at: int, back: int, x: Any) -> Any:
    """x with the `back` values before it, which the state keeps from `at + 1` on; unknown before the first bar (state 0)."""
    whole = np.empty(back + x.shape[0])
    for i in range(back):
        whole[i] = state[at + 1 + i] if state[at] == 1.0 else NAN
    for i in range(x.shape[0]):
        whole[back + i] = x[i] if math.isfinite(x[i]) else NAN
    for i in range(back):
        state[at + 1 + i] = whole[x.shape[0] + i]
    state[at] = 1.0
    return whole


@compiled
def kama(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has an average, 1 the average, then the n values before."""
    n, fast, slow = int(constants[0]), constants[1], constants[2]
    quick = 2.0 / (fast + 1.0)
    lazy = 2.0 / (slow + 1.0)
    x = _joined(state, 2, n, inputs[0])
    m = inputs.shape[1]
    noise = np.zeros(m)
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for i in range(m):
            some = noise[i] + abs(x[i + j + 1] - x[i + j])
            some += abs(x[i + j + 2] - x[i + j + 1])
            some += abs(x[i + j + 3] - x[i + j + 2])
            noise[i] = some + abs(x[i + j + 4] - x[i + j + 3])
    for j in range(n // 4 * 4, n):
        for i in range(m):
            noise[i] += abs(x[i + j + 1] - x[i + j])
    for i in range(m):
        outputs[0, i] = NAN
        if not math.isfinite(noise[i]):
            state[0] = 0.0
            continue
        if state[0] == 0.0:
            state[0] = 1.0
            state[1] = x[i + n - 1]
        efficiency = 1.0
        if noise[i] > 0.0:
            efficiency = min(1.0, abs(x[i + n] - x[i]) / noise[i])
        weight = efficiency * (quick - lazy) + lazy
        state[1] += weight * weight * (x[i + n] - state[1])
        outputs[0, i] = _finite(state[1])


@compiled
def zlema(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-2 average, 3 how many values are known without a break, then the values before."""
    n = int(constants[0])
    lag = (n - 1) // 2
    x = _joined(state, 4, lag, inputs[0])
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if math.isnan(x[i + lag]):
            state[0] = 0.0
            state[3] = 0.0
            continue
        state[3] += 1.0
        if state[3] > lag:
            led = x[i + lag] + (x[i + lag] - x[i])
            outputs[0, i] = _finite(_smooth(state, 0, n, 2.0 / (n + 1), led))


@compiled
def mcginley(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a value before, 1 the value before."""
    n = constants[0]
    for i in range(inputs.shape[1]):
        x = inputs[0, i]
        outputs[0, i] = NAN
        if not math.isfinite(x) or x <= 0.0:
            state[0] = 0.0
            continue
        if state[0] == 0.0:
            state[1] = x
        else:
            speed = x / state[1]
            state[1] += (x - state[1]) / (n * (speed * speed) * (speed * speed))
        state[0] = 1.0 if math.isfinite(state[1]) and state[1] > 0.0 else 0.0
        outputs[0, i] = state[1] if state[0] == 1.0 else NAN


@compiled
def day_vwap(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its day, 2 the day's first typical price, 3 distances by volume, 4 volume."""
    for i in range(inputs.shape[1]):
        high, low, close, volume, day = inputs[0, i], inputs[1, i], inputs[2, i], inputs[3, i], inputs[4, i]
        outputs[0, i] = NAN
        is_known = math.isfinite(high) and math.isfinite(low) and math.isfinite(close)
        if not (is_known and math.isfinite(volume) and math.isfinite(day)):
            state[0] = 0.0
            continue
        typical = low + ((high - low) + (close - low)) / 3.0
        if state[0] == 0.0 or day != state[1]:
            state[0] = 1.0
            state[1] = day
            state[2] = typical
            state[3] = 0.0
            state[4] = 0.0
        state[3] += (typical - state[2]) * volume
        state[4] += volume
        outputs[0, i] = _finite(state[2] + state[3] / state[4])
