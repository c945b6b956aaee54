"""What follows a trend and remembers: `dx`, `adxr`, `psar`, `supertrend`, `chandelier`, `heikin_ashi`.

Definitions: `tb.vocabulary.reference.followers`. A smoothed average takes three floats of state, as in `recursion`.
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
def _true_range(high: float, low: float, previous_close: float) -> float:
    greatest = high - low
    greatest = max(greatest, abs(high - previous_close))
    return max(greatest, abs(low - previous_close))


@part
def _all_known(inputs: Any, i: int) -> bool:
    is_known = True
    for row in range(inputs.shape[0]):
        is_known = is_known and math.isfinite(inputs[row, i])
    return is_known


@part
def _direction(state: Any, n: int, high: float, low: float) -> float:
    """How much one way outweighs the other, 0 to 100; unknown in the warm-up and where nothing moved."""
    up = high - state[1]
    down = state[2] - low
    plus = _smooth(state, 4, n, 1.0 / n, up if up > down and up > 0.0 else 0.0)
    minus = _smooth(state, 7, n, 1.0 / n, down if down > up and down > 0.0 else 0.0)
    span = _smooth(state, 10, n, 1.0 / n, _true_range(high, low, state[3]))
    if not span > 0.0:
        return NAN
    plus = 100.0 * (plus / span)
    minus = 100.0 * (minus / span)
    both = plus + minus
    return 0.0 if both == 0.0 else 100.0 * (abs(plus - minus) / both)


@compiled
def dx(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1-3 its high, low, close, 4-6 upward, 7-9 downward, 10-12 range."""
    n = int(constants[0])
    for i in range(inputs.shape[1]):
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            outputs[0, i] = _finite(_direction(state, n, inputs[0, i], inputs[1, i]))
        state[0] = 1.0
        for row in range(3):
            state[1 + row] = inputs[row, i]


@compiled
def adxr(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: as `dx`, 13-15 strength, then the strengths before."""
    n = int(constants[0])
    strengths = np.full(inputs.shape[1], NAN)
    for i in range(inputs.shape[1]):
        if not _all_known(inputs, i):
            for slot in range(16):
                state[slot] = 0.0
            continue
        if state[0] == 1.0:
            one = _direction(state, n, inputs[0, i], inputs[1, i])
            if not math.isnan(one) and state[10] >= n:
                strengths[i] = _smooth(state, 13, n, 1.0 / n, one)
        state[0] = 1.0
        for row in range(3):
            state[1 + row] = inputs[row, i]
    whole = _joined(state, 16, n - 1, strengths)
    for i in range(inputs.shape[1]):
        outputs[0, i] = _finite((whole[i + n - 1] + whole[i]) / 2.0)


@part
def _turned(state: Any, step: float, high: float, low: float) -> float:
    """The stop is met: it becomes the extreme of the trend that has ended, and follows from the other side."""
    is_long = state[3] == 1.0
    stop: float = max(state[5], state[1], high) if is_long else min(state[5], state[2], low)
    state[3] = 0.0 if is_long else 1.0
    state[5] = low if is_long else high
    state[6] = step
    follows = stop + step * (state[5] - stop)
    state[4] = max(follows, state[1], high) if is_long else min(follows, state[2], low)
    return stop


@part
def _followed(state: Any, step: float, limit: float, high: float, low: float) -> float:
    stop: float = state[4]
    is_long = state[3] == 1.0
    if (is_long and high > state[5]) or (not is_long and low < state[5]):
        state[5] = high if is_long else low
        state[6] = min(state[6] + step, limit)
    follows = stop + state[6] * (state[5] - stop)
    state[4] = min(follows, state[2], low) if is_long else max(follows, state[1], high)
    return stop


@compiled
def psar(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 bars seen, 1 high, 2 low before, 3 is long, 4 stop, 5 extreme, 6 speed."""
    step, limit = min(constants[0], constants[1]), constants[1]
    for i in range(inputs.shape[1]):
        high, low = inputs[0, i], inputs[1, i]
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            fell = state[2] - low
            is_long = not (fell > 0.0 and fell > high - state[1])
            state[3] = 1.0 if is_long else 0.0
            state[4] = state[2] if is_long else state[1]
            state[5] = high if is_long else low
            state[6] = step
            state[1] = high
            state[2] = low
        if state[0] >= 1.0:
            is_met = low <= state[4] if state[3] == 1.0 else high >= state[4]
            stop = _turned(state, step, high, low) if is_met else _followed(state, step, limit, high, low)
            outputs[0, i] = _finite(stop)
        state[0] = min(state[0] + 1.0, 2.0)
        state[1] = high
        state[2] = low


@compiled
def supertrend(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2-4 average range, 5 has bands, 6 upper, 7 lower, 8 is up."""
    n, k = int(constants[0]), constants[1]
    for i in range(inputs.shape[1]):
        high, low, close = inputs[0, i], inputs[1, i], inputs[2, i]
        outputs[0, i] = NAN
        if not _all_known(inputs, i):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            average = _smooth(state, 2, n, 1.0 / n, _true_range(high, low, state[1]))
            if state[2] >= n:
                upper = (high + low) / 2.0 + k * average
                lower = (high + low) / 2.0 - k * average
                if state[5] == 0.0 or upper < state[6] or state[1] > state[6]:
                    state[6] = upper
                if state[5] == 0.0 or lower > state[7] or state[1] < state[7]:
                    state[7] = lower
                if state[5] == 1.0:
                    is_up = not close < state[7] if state[8] == 1.0 else close > state[6]
                    state[8] = 1.0 if is_up else 0.0
                state[5] = 1.0
                outputs[0, i] = _finite(state[7] if state[8] == 1.0 else state[6])
        state[0] = 1.0
        state[1] = close


@compiled
def chandelier(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2-4 average range, then the highs and the lows before."""
    n, k = int(constants[0]), constants[1]
    m = inputs.shape[1]
    averages = np.full(m, NAN)
    for i in range(m):
        if not _all_known(inputs, i):
            for slot in range(5):
                state[slot] = 0.0
            continue
        if state[0] == 1.0:
            averages[i] = _smooth(state, 2, n, 1.0 / n, _true_range(inputs[0, i], inputs[1, i], state[1]))
        state[0] = 1.0
        state[1] = inputs[2, i]
    _extremes(_joined(state, 5, n - 1, inputs[0]), n, 1.0, outputs[0])
    _extremes(_joined(state, 5 + n, n - 1, inputs[1]), n, -1.0, outputs[1])
    for i in range(m):
        outputs[0, i] = _finite(outputs[0, i] - k * averages[i])
        outputs[1, i] = _finite(outputs[1, i] + k * averages[i])


@compiled
def heikin_ashi(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its open, 2 its close, both averaged."""
    for i in range(inputs.shape[1]):
        first, high, low, last = inputs[0, i], inputs[1, i], inputs[2, i], inputs[3, i]
        if not _all_known(inputs, i):
            state[0] = 0.0
            for row in range(4):
                outputs[row, i] = NAN
            continue
        start = (state[1] + state[2]) / 2.0 if state[0] == 1.0 else (first + last) / 2.0
        end = first + ((high - first) + (low - first) + (last - first)) / 4.0
        state[0] = 1.0
        state[1] = start
        state[2] = end
        outputs[0, i] = _finite(start)
        outputs[1, i] = _finite(max(high, start, end))
        outputs[2, i] = _finite(min(low, start, end))
        outputs[3, i] = _finite(end)
