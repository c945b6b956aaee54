"""Widths that remember: `natr`, `chaikin_volatility`, `mass_index`. Definitions: `tb.vocabulary.reference.widths`."""

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


@part
def _true_range(high: float, low: float, previous_close: float) -> float:
    greatest = high - low
    greatest = max(greatest, abs(high - previous_close))
    return max(greatest, abs(low - previous_close))


@compiled
def natr(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2-4 average."""
    n = int(constants[0])
    for i in range(inputs.shape[1]):
        high, low, close = inputs[0, i], inputs[1, i], inputs[2, i]
        outputs[0, i] = NAN
        if not (math.isfinite(high) and math.isfinite(low) and math.isfinite(close)):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            outputs[0, i] = _finite(_smooth(state, 2, n, 1.0 / n, _true_range(high, low, state[1])) / close)
        state[0] = 1.0
        state[1] = close


@compiled
def chaikin_volatility(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-2 average, then the averages before."""
    n, back = int(constants[0]), int(constants[1])
    m = inputs.shape[1]
    averages = np.empty(m)
    for i in range(m):
        averages[i] = NAN
        if math.isfinite(inputs[0, i]) and math.isfinite(inputs[1, i]):
            averages[i] = _smooth(state, 0, n, 2.0 / (n + 1), inputs[0, i] - inputs[1, i])
        else:
            state[0] = 0.0
    whole = _joined(state, 3, back, averages)
    # an average of before a break is no average of this stretch
    seen = state[4 + back]
    for i in range(m):
        seen = 0.0 if math.isnan(whole[i + back]) else seen + 1.0
        outputs[0, i] = _finite(whole[i + back] / whole[i] - 1.0) if seen > back else NAN
    state[4 + back] = seen


@compiled
def mass_index(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-2 average, 3-5 average of that, then the quotients before."""
    n, smooth = int(constants[0]), int(constants[1])
    m = inputs.shape[1]
    weight = 2.0 / (smooth + 1)
    shares = np.full(m, NAN)
    for i in range(m):
        if not (math.isfinite(inputs[0, i]) and math.isfinite(inputs[1, i])):
            for slot in range(6):
                state[slot] = 0.0
            continue
        first = _smooth(state, 0, smooth, weight, inputs[0, i] - inputs[1, i])
        if state[0] >= smooth:
            second = _smooth(state, 3, smooth, weight, first)
            if state[3] >= smooth:
                shares[i] = first / second
    whole = _joined(state, 6, n - 1, shares)
    for i in range(m):
        outputs[0, i] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for i in range(m):
            some = outputs[0, i] + whole[i + j]
            some += whole[i + j + 1]
            some += whole[i + j + 2]
            outputs[0, i] = some + whole[i + j + 3]
    for j in range(n // 4 * 4, n):
        for i in range(m):
            outputs[0, i] += whole[i + j]
    for i in range(m):
        outputs[0, i] = _finite(outputs[0, i])
