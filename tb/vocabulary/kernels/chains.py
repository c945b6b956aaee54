"""Averages of averages: `dema`, `tema`, `t3`, `trix`, `ppo`, `apo`, `tsi`, `elder_ray`.

Definitions: `tb.vocabulary.reference.chains`. A smoothed average takes three floats of state, as in `recursion`; the average of
an average takes its first value when that has one.
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
def _through(state: Any, n: int, x: float, found: Any) -> bool:
    """Takes x through a chain of averages, one for each place of `found`. False while the last is in its warm-up."""
    for level in range(found.shape[0]):
        x = _smooth(state, 3 * level, n, 2.0 / (n + 1), x)
        if state[3 * level] < n:
            return False
        found[level] = x
    return True


@compiled
def dema(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    found = np.empty(2)
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not math.isfinite(inputs[0, i]):
            state[:] = 0.0
        elif _through(state, n, inputs[0, i], found):
            outputs[0, i] = _finite(found[0] + (found[0] - found[1]))


@compiled
def tema(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    found = np.empty(3)
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not math.isfinite(inputs[0, i]):
            state[:] = 0.0
        elif _through(state, n, inputs[0, i], found):
            outputs[0, i] = _finite(3.0 * (found[0] - found[1]) + found[2])


@compiled
def t3(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n, v = int(constants[0]), constants[1]
    sixth = -(v * v * v)
    fifth = 3.0 * v * v + 3.0 * v * v * v
    fourth = -6.0 * v * v - 3.0 * v - 3.0 * v * v * v
    found = np.empty(6)
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not math.isfinite(inputs[0, i]):
            state[:] = 0.0
        elif _through(state, n, inputs[0, i], found):
            third = found[2]
            moved = sixth * (found[5] - third) + fifth * (found[4] - third) + fourth * (found[3] - third)
            outputs[0, i] = _finite(third + moved)


@compiled
def trix(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-8 averages, 9 has a value before, 10 that value."""
    n = int(constants[0])
    found = np.empty(3)
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not math.isfinite(inputs[0, i]):
            state[:] = 0.0
        elif _through(state, n, inputs[0, i], found):
            if state[9] == 1.0:
                outputs[0, i] = _finite(found[2] / state[10] - 1.0)
            state[9] = 1.0
            state[10] = found[2]


@compiled
def apo(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-2 fast average, 3-5 slow average."""
    fast, slow = int(constants[0]), int(constants[1])
    for i in range(inputs.shape[1]):
        x = inputs[0, i]
        outputs[0, i] = NAN
        if not math.isfinite(x):
            state[:] = 0.0
            continue
        quick = _smooth(state, 0, fast, 2.0 / (fast + 1), x)
        lazy = _smooth(state, 3, slow, 2.0 / (slow + 1), x)
        outputs[0, i] = _finite(quick - lazy)


@compiled
def ppo(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-2 fast average, 3-5 slow average, 6-8 signal."""
    fast, slow, signal = int(constants[0]), int(constants[1]), int(constants[2])
    for i in range(inputs.shape[1]):
        x = inputs[0, i]
        outputs[0, i] = outputs[1, i] = outputs[2, i] = NAN
        if not math.isfinite(x):
            state[:] = 0.0
            continue
        quick = _smooth(state, 0, fast, 2.0 / (fast + 1), x)
        lazy = _smooth(state, 3, slow, 2.0 / (slow + 1), x)
        if state[0] < fast or state[3] < slow or lazy == 0.0:
            continue
        line = (quick - lazy) / lazy
        average = _smooth(state, 6, signal, 2.0 / (signal + 1), line)
        if state[6] >= signal:
            outputs[0, i] = _finite(line)
            outputs[1, i] = _finite(average)
            outputs[2, i] = _finite(line - average)


@compiled
def tsi(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a value before, 1 that value, 2-7 averages of changes, 8-13 averages of their sizes."""
    slow, fast = int(constants[0]), int(constants[1])
    for i in range(inputs.shape[1]):
        x = inputs[0, i]
        outputs[0, i] = NAN
        if not math.isfinite(x):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            move = x - state[1]
            first = _smooth(state, 2, slow, 2.0 / (slow + 1), move)
            size = _smooth(state, 8, slow, 2.0 / (slow + 1), abs(move))
            if state[2] >= slow:
                second = _smooth(state, 5, fast, 2.0 / (fast + 1), first)
                whole = _smooth(state, 11, fast, 2.0 / (fast + 1), size)
                found = _finite(100.0 * (second / whole))
                outputs[0, i] = 100.0 if found > 100.0 else -100.0 if found < -100.0 else found
        state[0] = 1.0
        state[1] = x


@compiled
def elder_ray(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for i in range(inputs.shape[1]):
        high, low, close = inputs[0, i], inputs[1, i], inputs[2, i]
        outputs[0, i] = outputs[1, i] = NAN
        if not (math.isfinite(high) and math.isfinite(low) and math.isfinite(close)):
            state[:] = 0.0
            continue
        average = _smooth(state, 0, n, 2.0 / (n + 1), close)
        outputs[0, i] = _finite(high - average)
        outputs[1, i] = _finite(low - average)
