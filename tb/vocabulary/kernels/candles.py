"""Patterns of one candle: `doji`, `dragonfly_doji`, `gravestone_doji`, `long_legged_doji`, `spinning_top`, `marubozu`,
`belt_hold`, `hammer`, `hanging_man`, `inverted_hammer`, `shooting_star`.

Definitions: `tb.vocabulary.reference.candles`. 1 where the pattern ends at the bar, 0 where not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled, part

NAN = math.nan
# rows of what `_shapes` tells of each candle
BODY, UPPER, LOWER, TOP, BOTTOM, SPAN = range(6)


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
def _shapes(inputs: Any) -> Any:
    found = np.empty((6, inputs.shape[1]))
    for i in range(inputs.shape[1]):
        first, high, low, last = inputs[0, i], inputs[1, i], inputs[2, i], inputs[3, i]
        found[TOP, i] = max(first, last)
        found[BOTTOM, i] = min(first, last)
        found[BODY, i] = abs(last - first)
        found[UPPER, i] = high - found[TOP, i]
        found[LOWER, i] = found[BOTTOM, i] - low
        found[SPAN, i] = high - low
    return found


@part
def _before(x: Any, n: int) -> Any:
    """At each bar the mean of the n values before it; unknown where there are not so many."""
    found = np.full(x.shape[0], NAN)
    out = found[n:]
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        part = x[j : j + out.shape[0]]
        for t in range(out.shape[0]):
            out[t] += part[t]
    for t in range(out.shape[0]):
        out[t] = out[t] / n
    return found


@part
def _rises(inputs: Any, i: int) -> bool:
    """Whether the candle is a rising one; one whose close is its open counts as such."""
    risen: bool = inputs[3, i] >= inputs[0, i]
    return risen


@compiled
def doji(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i] <= 0.1 * spans[i]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def dragonfly_doji(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        tiny = 0.1 * spans[i]
        found = shape[BODY, i] <= tiny and shape[UPPER, i] < tiny and shape[LOWER, i] > tiny
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def gravestone_doji(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        tiny = 0.1 * spans[i]
        found = shape[BODY, i] <= tiny and shape[LOWER, i] < tiny and shape[UPPER, i] > tiny
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def long_legged_doji(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        longest = max(shape[LOWER, i], shape[UPPER, i])
        found = shape[BODY, i] <= 0.1 * spans[i] and longest > shape[BODY, i]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def spinning_top(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        body = shape[BODY, i]
        found = body < bodies[i] and shape[UPPER, i] > body and shape[LOWER, i] > body
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def marubozu(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        tiny = 0.1 * spans[i]
        found = shape[BODY, i] > bodies[i] and shape[UPPER, i] < tiny and shape[LOWER, i] < tiny
        is_bullish = found and _rises(inputs, i)
        is_bearish = found and not _rises(inputs, i)
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def belt_hold(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        tiny = 0.1 * spans[i]
        is_long = shape[BODY, i] > bodies[i]
        is_bullish = is_long and _rises(inputs, i) and shape[LOWER, i] < tiny
        is_bearish = is_long and not _rises(inputs, i) and shape[UPPER, i] < tiny
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def hammer(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    near = _before(shape[SPAN], 5)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        body = shape[BODY, i]
        found = body < bodies[i] and shape[LOWER, i] > body and shape[UPPER, i] < 0.1 * spans[i]
        found = found and shape[BOTTOM, i] <= inputs[2, i - 1] + 0.2 * near[i - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def hanging_man(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    near = _before(shape[SPAN], 5)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        body = shape[BODY, i]
        found = body < bodies[i] and shape[LOWER, i] > body and shape[UPPER, i] < 0.1 * spans[i]
        found = found and shape[BOTTOM, i] >= inputs[1, i - 1] - 0.2 * near[i - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def inverted_hammer(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        body = shape[BODY, i]
        found = body < bodies[i] and shape[UPPER, i] > body and shape[LOWER, i] < 0.1 * spans[i]
        found = found and shape[TOP, i] < shape[BOTTOM, i - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def shooting_star(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        body = shape[BODY, i]
        found = body < bodies[i] and shape[UPPER, i] > body and shape[LOWER, i] < 0.1 * spans[i]
        found = found and shape[BOTTOM, i] > shape[TOP, i - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)
