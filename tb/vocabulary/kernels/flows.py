"""Volume and price together: `ad`, `adosc`, `cmf`, `force_index`, `ease_of_movement`, `nvi`, `pvi`, `pvt`.

Definitions: `tb.vocabulary.reference.flows`.
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
def _sums(x: Any, n: int, out: Any) -> None:
    """out[t] = the sum of x[t : t + n], from the oldest value on."""
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
def _all_known(inputs: Any, i: int) -> bool:
    is_known = True
    for row in range(inputs.shape[0]):
        is_known = is_known and math.isfinite(inputs[row, i])
    return is_known


@part
def _place(high: float, low: float, close: float) -> float:
    """Where the close lies in its bar, from -1 (low) to 1 (high); 0 where the bar has no range."""
    return ((close - low) - (high - close)) / (high - low) if high > low else 0.0


@compiled
def ad(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[0] = 0.0
            continue
        state[0] += _place(inputs[0, i], inputs[1, i], inputs[2, i]) * inputs[3, i]
        outputs[0, i] = _finite(state[0])


@compiled
def adosc(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 the line, 1-3 fast average, 4-6 slow average."""
    fast, slow = int(constants[0]), int(constants[1])
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[:] = 0.0
            continue
        state[0] += _place(inputs[0, i], inputs[1, i], inputs[2, i]) * inputs[3, i]
        quick = _smooth(state, 1, fast, 2.0 / (fast + 1), state[0])
        lazy = _smooth(state, 4, slow, 2.0 / (slow + 1), state[0])
        outputs[0, i] = _finite(quick - lazy)


@compiled
def cmf(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    flow = np.empty(inputs.shape[1])
    for i in range(flow.shape[0]):
        flow[i] = _place(inputs[0, i], inputs[1, i], inputs[2, i]) * inputs[3, i]
    traded = np.empty(outputs.shape[1])
    _sums(flow, n, outputs[0])
    _sums(inputs[3], n, traded)
    for t in range(outputs.shape[1]):
        found = outputs[0, t] / traded[t]
        outputs[0, t] = 1.0 if found > 1.0 else -1.0 if found < -1.0 else found
        if traded[t] == 0.0:
            outputs[0, t] = NAN
    _seal(inputs, outputs)


@compiled
def force_index(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2-4 average."""
    n = int(constants[0])
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            outputs[0, i] = _finite(_smooth(state, 2, n, 2.0 / (n + 1), (inputs[0, i] - state[1]) * inputs[1, i]))
        state[0] = 1.0
        state[1] = inputs[0, i]


@compiled
def ease_of_movement(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    ease = np.empty(outputs.shape[1] + n - 1)
    for i in range(ease.shape[0]):
        high, low = inputs[0, i + 1], inputs[1, i + 1]
        moved = (high + low) / 2.0 - (inputs[0, i] + inputs[1, i]) / 2.0
        ease[i] = moved * (high - low) / inputs[2, i + 1]
    _sums(ease, n, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = outputs[0, t] / n
    _seal(inputs, outputs)


@part
def _index(state: Any, sign: float, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2 its volume, 3 the index."""
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[0] = 0.0
            continue
        close, volume = inputs[0, i], inputs[1, i]
        if state[0] == 0.0:
            state[3] = 1000.0
        elif sign * volume > sign * state[2] and state[1] != 0.0:
            state[3] *= close / state[1]
        state[0] = 1.0
        state[1] = close
        state[2] = volume
        outputs[0, i] = _finite(state[3])


@compiled
def nvi(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    _index(state, -1.0, inputs, outputs)


@compiled
def pvi(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    _index(state, 1.0, inputs, outputs)


@compiled
def pvt(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2 the running sum."""
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[:] = 0.0
            continue
        if state[0] == 1.0 and state[1] != 0.0:
            state[2] += inputs[1, i] * (inputs[0, i] / state[1] - 1.0)
        state[0] = 1.0
        state[1] = inputs[0, i]
        outputs[0, i] = _finite(state[2])
