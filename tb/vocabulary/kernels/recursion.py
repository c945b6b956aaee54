"""Functions that remember: `ema`, `rma`, `rsi`, `macd`, `atr`, `keltner`, `adx`, `obv`.

Definitions: `tb.vocabulary.reference.recursion`.

A smoothed average takes three floats of state from `at` on: how many values it has seen (up to n), the first of them, and the
sum of distances from the first or, once n are seen, the average. Other layouts stand at their kernel. Zeros are a fresh state.
"""

from __future__ import annotations

import math
from typing import Any

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
def _smooth_all(state: Any, n: int, weight: float, x: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        if math.isfinite(x[i]):
            out[i] = _finite(_smooth(state, 0, n, weight, x[i]))
        else:
            state[0] = 0.0
            out[i] = NAN


@compiled
def ema(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _smooth_all(state, n, 2.0 / (n + 1), inputs[0], outputs[0])


@compiled
def rma(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _smooth_all(state, n, 1.0 / n, inputs[0], outputs[0])


@part
def _strengths(state: Any, weight: float, x: Any, out: Any) -> int:
    """`rsi` after its warm-up, as far as values are known: of how many bars. What it remembers stays in registers."""
    last, gain, loss = state[1], state[4], state[7]
    known = 0
    while known < x.shape[0] and math.isfinite(x[known]):
        change = x[known] - last
        gain = gain + weight * ((change if change > 0.0 else 0.0) - gain)
        loss = loss + weight * ((-change if change < 0.0 else 0.0) - loss)
        out[known] = _finite(100.0 * (gain / (gain + loss)))
        last = x[known]
        known += 1
    state[1], state[4], state[7] = last, gain, loss
    return known


@compiled
def rsi(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a value before, 1 that value, 2-4 gains, 5-7 losses."""
    n = int(constants[0])
    weight, i = 1.0 / n, 0
    while i < inputs.shape[1]:
        if state[0] == 1.0 and state[2] >= n and state[5] >= n:
            i += _strengths(state, weight, inputs[0, i:], outputs[0, i:])
            if i == inputs.shape[1]:
                return
        x = inputs[0, i]
        outputs[0, i] = NAN
        if not math.isfinite(x):
            state[:] = 0.0
        else:
            if state[0] == 1.0:
                change = x - state[1]
                gain = _smooth(state, 2, n, weight, change if change > 0.0 else 0.0)
                loss = _smooth(state, 5, n, weight, -change if change < 0.0 else 0.0)
                outputs[0, i] = _finite(100.0 * (gain / (gain + loss)))
            state[0] = 1.0
            state[1] = x
        i += 1


@compiled
def macd(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0-2 fast average, 3-5 slow average, 6-8 signal."""
    fast, slow, signal = int(constants[0]), int(constants[1]), int(constants[2])
    for i in range(inputs.shape[1]):
        x = inputs[0, i]
        for row in range(3):
            outputs[row, i] = NAN
        if not math.isfinite(x):
            state[:] = 0.0
            continue
        line = _smooth(state, 0, fast, 2.0 / (fast + 1), x) - _smooth(state, 3, slow, 2.0 / (slow + 1), x)
        if state[0] < fast or state[3] < slow:
            continue
        average = _smooth(state, 6, signal, 2.0 / (signal + 1), line)
        if state[6] >= signal:
            outputs[0, i] = _finite(line)
            outputs[1, i] = _finite(average)
            outputs[2, i] = _finite(line - average)


@part
def _true_range(high: float, low: float, previous_close: float) -> float:
    greatest = high - low
    greatest = max(greatest, abs(high - previous_close))
    return max(greatest, abs(low - previous_close))


@compiled
def atr(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2-4 average."""
    n = int(constants[0])
    weight = 1.0 / n
    for i in range(inputs.shape[1]):
        high, low, close = inputs[0, i], inputs[1, i], inputs[2, i]
        outputs[0, i] = NAN
        if not (math.isfinite(high) and math.isfinite(low) and math.isfinite(close)):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            outputs[0, i] = _finite(_smooth(state, 2, n, weight, _true_range(high, low, state[1])))
        state[0] = 1.0
        state[1] = close


@compiled
def keltner(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2-4 average range, 5-7 average close."""
    n = int(constants[0])
    for i in range(inputs.shape[1]):
        high, low, close = inputs[0, i], inputs[1, i], inputs[2, i]
        outputs[0, i] = outputs[1, i] = outputs[2, i] = NAN
        if not (math.isfinite(high) and math.isfinite(low) and math.isfinite(close)):
            state[:] = 0.0
            continue
        middle = _smooth(state, 5, n, 2.0 / (n + 1), close)
        if state[0] == 1.0:
            width = constants[1] * _smooth(state, 2, n, 1.0 / n, _true_range(high, low, state[1]))
            if math.isfinite(width):
                outputs[0, i] = _finite(middle)
                outputs[1, i] = _finite(middle + width)
                outputs[2, i] = _finite(middle - width)
        state[0] = 1.0
        state[1] = close


@part
def _directions(state: Any, n: int, high: float, low: float, found: Any) -> None:
    """One bar of `adx` after the first: averages of movement, their shares of the range, strength."""
    up = high - state[1]
    down = state[2] - low
    weight = 1.0 / n
    plus = _smooth(state, 4, n, weight, up if up > down and up > 0.0 else 0.0)
    minus = _smooth(state, 7, n, weight, down if down > up and down > 0.0 else 0.0)
    span = _smooth(state, 10, n, weight, _true_range(high, low, state[3]))
    if not span > 0.0:
        return
    plus = 100.0 * (plus / span)
    minus = 100.0 * (minus / span)
    both = plus + minus
    strength = _smooth(state, 13, n, weight, 0.0 if both == 0.0 else 100.0 * (abs(plus - minus) / both))
    if state[13] >= n:
        found[0] = _finite(strength)
        found[1] = _finite(plus)
        found[2] = _finite(minus)


@compiled
def adx(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1-3 its high, low, close, 4-6 upward, 7-9 downward, 10-12 range, 13-15 strength."""
    n = int(constants[0])
    for i in range(inputs.shape[1]):
        high, low, close = inputs[0, i], inputs[1, i], inputs[2, i]
        for row in range(3):
            outputs[row, i] = NAN
        if not (math.isfinite(high) and math.isfinite(low) and math.isfinite(close)):
            state[:] = 0.0
            continue
        if state[0] == 1.0:
            _directions(state, n, high, low, outputs[:, i])
        state[0] = 1.0
        state[1] = high
        state[2] = low
        state[3] = close


@compiled
def obv(state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    """State: 0 has a bar before, 1 its close, 2 the running sum."""
    for i in range(inputs.shape[1]):
        close, volume = inputs[0, i], inputs[1, i]
        if not (math.isfinite(close) and math.isfinite(volume)):
            state[:] = 0.0
            outputs[0, i] = NAN
            continue
        if state[0] == 1.0:
            state[2] += volume if close > state[1] else -volume if close < state[1] else 0.0
        state[0] = 1.0
        state[1] = close
        outputs[0, i] = _finite(state[2])
