"""Where a value lies in its own past, remembered: `stochastic_rsi`, `fisher`.

Definitions: `tb.vocabulary.reference.strength`.
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


@part
def _mean(x: Any, start: int, n: int) -> float:
    origin: float = x[start]
    total = 0.0
    for i in range(start, start + n):
        total += x[i] - origin
    return origin + total / n


@part
def _strength(state: Any, n: int, x: Any) -> Any:
    """The relative strength index. State: 0 has a value before, 1 that, 2-4 gains, 5-7 losses, 8 values without a break."""
    found = np.full(x.shape[0], NAN)
    weight = 1.0 / n
    for i in range(x.shape[0]):
        if not math.isfinite(x[i]):
            for slot in range(9):
                state[slot] = 0.0
            continue
        if state[0] == 1.0:
            change = x[i] - state[1]
            gain = _smooth(state, 2, n, weight, change if change > 0.0 else 0.0)
            loss = _smooth(state, 5, n, weight, -change if change < 0.0 else 0.0)
            found[i] = _finite(100.0 * (gain / (gain + loss)))
        state[0] = 1.0
        state[1] = x[i]
        state[8] += 1.0
    return found


@compiled
def stochastic_rsi(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n, length, k, d = int(constants[0]), int(constants[1]), int(constants[2]), int(constants[3])
    m = inputs.shape[1]
    seen = state[8]
    back = length + k + d - 3
    whole = _joined(state, 9, back, _strength(state, n, inputs[0]))
    top = np.empty(m + k + d - 2)
    bottom = np.empty(m + k + d - 2)
    _extremes(whole, length, 1.0, top)
    _extremes(whole, length, -1.0, bottom)
    raw = np.empty(m + k + d - 2)
    for i in range(raw.shape[0]):
        raw[i] = 100.0 * ((whole[i + length - 1] - bottom[i]) / (top[i] - bottom[i]))
    slow = np.empty(m + d - 1)
    for i in range(slow.shape[0]):
        slow[i] = _mean(raw, i, k)
    for i in range(m):
        seen = seen + 1.0 if math.isfinite(inputs[0, i]) else 0.0
        is_warm = seen > n + back
        outputs[0, i] = _finite(slow[i + d - 1]) if is_warm else NAN
        outputs[1, i] = _finite(_mean(slow, i, d)) if is_warm else NAN


@compiled
def fisher(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has values before, 1 the place, 2 its transform, then the middles of the bars before."""
    n = int(constants[0])
    m = inputs.shape[1]
    middle = np.empty(m)
    for i in range(m):
        middle[i] = (inputs[0, i] + inputs[1, i]) / 2.0
    whole = _joined(state, 3, n - 1, middle)
    top = np.empty(m)
    bottom = np.empty(m)
    _extremes(whole, n, 1.0, top)
    _extremes(whole, n, -1.0, bottom)
    for i in range(m):
        outputs[0, i] = outputs[1, i] = NAN
        if not math.isfinite(top[i]):
            state[0] = 0.0
            continue
        if not (top[i] > bottom[i] and math.isfinite(top[i] - bottom[i])):
            continue
        before = state[2] if state[0] == 1.0 else 0.0
        place = 0.66 * ((whole[i + n - 1] - bottom[i]) / (top[i] - bottom[i]) - 0.5)
        place += 0.67 * (state[1] if state[0] == 1.0 else 0.0)
        place = 0.999 if place > 0.99 else -0.999 if place < -0.99 else place
        found = 0.5 * math.log((1.0 + place) / (1.0 - place)) + 0.5 * before
        if state[0] == 1.0:
            outputs[0, i] = found
            outputs[1, i] = before
        state[0] = 1.0
        state[1] = place
        state[2] = found
