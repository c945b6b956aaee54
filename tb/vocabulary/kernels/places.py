"""Order of values: `quantile`, `mad`, `bars_since_highest`, `bars_since_lowest`, `streak`.

Definitions: `tb.vocabulary.reference.places`. Finding a place rounds nothing, so the sorted window, or the place of the last
extreme, may be carried from bar to bar; adding 0.0 hides which of two zeros, 0.0 and -0.0, was found.
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
def _place(values: Any, size: int, x: float) -> int:
    """How many of the sorted first `size` values are below x."""
    low = 0
    high = size
    while low < high:
        middle = (low + high) // 2
        if values[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _slide(values: Any, known: int, x: Any, i: int) -> int:
    """Takes x[i] into the sorted window and the oldest value out of it; how many values it holds."""
    n = values.shape[0]
    if not math.isfinite(x[i]):
        return 0
    if known == n:
        for j in range(_place(values, n, x[i - n]), n - 1):
            values[j] = values[j + 1]
        known -= 1
    place = _place(values, known, x[i])
    for j in range(known, place, -1):
        values[j] = values[j - 1]
    values[place] = x[i]
    return known + 1


@compiled
def quantile(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    at = constants[1] * (n - 1)
    low = int(at)
    values = np.empty(n)
    known = 0
    for i in range(inputs.shape[1]):
        known = _slide(values, known, inputs[0], i)
        if i >= n - 1:
            found = NAN
            if known == n:
                found = values[low] + 0.0
                if low + 1 < n:
                    found += (at - low) * (values[low + 1] - values[low])
            outputs[0, i - n + 1] = _finite(found)


@part
def _middle_distance(values: Any) -> float:
    """The median distance from the median of sorted values: their distances are merged outwards from the middle."""
    n = values.shape[0]
    median = values[n // 2] if n % 2 == 1 else (values[n // 2 - 1] + values[n // 2]) / 2.0
    right = n // 2
    left = right - 1
    last = 0.0
    before = 0.0
    for _ in range(n // 2 + 1):
        before = last
        if right >= n or (left >= 0 and median - values[left] <= values[right] - median):
            last = median - values[left]
            left -= 1
        else:
            last = values[right] - median
            right += 1
    return last if n % 2 == 1 else (before + last) / 2.0


@compiled
def mad(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    values = np.empty(n)
    known = 0
    for i in range(inputs.shape[1]):
        known = _slide(values, known, inputs[0], i)
        if i >= n - 1:
            outputs[0, i - n + 1] = _finite(_middle_distance(values) + 0.0) if known == n else NAN


@part
def _since(x: Any, n: int, sign: float, out: Any) -> None:
    """How many bars ago the greatest (sign 1) or least (sign -1) value of the window was, the newest of equal ones."""
    known = 0
    best = -1
    for i in range(x.shape[0]):
        known = known + 1 if math.isfinite(x[i]) else 0
        start = i - n + 1
        if start < 0:
            continue
        if known < n:
            out[start] = NAN
            best = -1
            continue
        if best < start:
            best = start
            for j in range(start + 1, i + 1):
                if sign * x[j] >= sign * x[best]:
                    best = j
        elif sign * x[i] >= sign * x[best]:
            best = i
        out[start] = float(i - best)


@compiled
def bars_since_highest(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _since(inputs[0], int(constants[0]), 1.0, outputs[0])


@compiled
def bars_since_lowest(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _since(inputs[0], int(constants[0]), -1.0, outputs[0])


@compiled
def streak(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a value before, 1 that value, 2 the streak."""
    for i in range(inputs.shape[1]):
        x = inputs[0, i]
        outputs[0, i] = NAN
        if not math.isfinite(x):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            if x > state[1]:
                state[2] = max(state[2], 0.0) + 1.0
            elif x < state[1]:
                state[2] = min(state[2], 0.0) - 1.0
            else:
                state[2] = 0.0
            outputs[0, i] = state[2]
        state[0] = 1.0
        state[1] = x
