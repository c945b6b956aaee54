"""Patterns of several candles: `engulfing`, `harami`, `harami_cross`, `piercing_line`, `dark_cloud_cover`, `doji_star`,
`morning_star`, `evening_star`, `morning_doji_star`, `evening_doji_star`, `three_white_soldiers`, `three_black_crows`,
`three_inside`, `three_outside`.

Definitions: `tb.vocabulary.reference.formations`. 1 where the pattern ends at the bar, 0 where not.
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
def engulfing(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        first, last = inputs[0], inputs[3]
        is_bullish = _rises(inputs, i) and not _rises(inputs, i - 1) and last[i] >= first[i - 1] and first[i] <= last[i - 1]
        is_bullish = is_bullish and (last[i] > first[i - 1] or first[i] < last[i - 1])
        is_bearish = not _rises(inputs, i) and _rises(inputs, i - 1) and first[i] >= last[i - 1] and last[i] <= first[i - 1]
        is_bearish = is_bearish and (first[i] > last[i - 1] or last[i] < first[i - 1])
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def harami(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 1] > bodies[i - 1] and shape[BODY, i] <= bodies[i]
        found = found and shape[TOP, i] <= shape[TOP, i - 1] and shape[BOTTOM, i] >= shape[BOTTOM, i - 1]
        is_bullish = found and not _rises(inputs, i - 1)
        is_bearish = found and _rises(inputs, i - 1)
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def harami_cross(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 1] > bodies[i - 1] and shape[BODY, i] <= 0.1 * spans[i]
        found = found and shape[TOP, i] <= shape[TOP, i - 1] and shape[BOTTOM, i] >= shape[BOTTOM, i - 1]
        is_bullish = found and not _rises(inputs, i - 1)
        is_bearish = found and _rises(inputs, i - 1)
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def piercing_line(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        is_long = shape[BODY, i - 1] > bodies[i - 1] and shape[BODY, i] > bodies[i]
        found = is_long and not _rises(inputs, i - 1) and _rises(inputs, i) and inputs[0, i] < inputs[2, i - 1]
        found = found and inputs[3, i] < inputs[0, i - 1] and inputs[3, i] > inputs[3, i - 1] + 0.5 * shape[BODY, i - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def dark_cloud_cover(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 1] > bodies[i - 1] and _rises(inputs, i - 1) and not _rises(inputs, i)
        found = found and inputs[0, i] > inputs[1, i - 1] and inputs[3, i] > inputs[0, i - 1]
        found = found and inputs[3, i] < inputs[3, i - 1] - 0.5 * shape[BODY, i - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def doji_star(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 1] > bodies[i - 1] and shape[BODY, i] <= 0.1 * spans[i]
        is_bullish = found and not _rises(inputs, i - 1) and shape[TOP, i] < shape[BOTTOM, i - 1]
        is_bearish = found and _rises(inputs, i - 1) and shape[BOTTOM, i] > shape[TOP, i - 1]
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def morning_star(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 2] > bodies[i - 2] and shape[BODY, i - 1] <= bodies[i - 1] and shape[BODY, i] > bodies[i]
        found = found and not _rises(inputs, i - 2) and shape[TOP, i - 1] < shape[BOTTOM, i - 2]
        found = found and _rises(inputs, i) and inputs[3, i] > inputs[3, i - 2] + 0.3 * shape[BODY, i - 2]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def evening_star(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 2] > bodies[i - 2] and shape[BODY, i - 1] <= bodies[i - 1] and shape[BODY, i] > bodies[i]
        found = found and _rises(inputs, i - 2) and shape[BOTTOM, i - 1] > shape[TOP, i - 2]
        found = found and not _rises(inputs, i) and inputs[3, i] < inputs[3, i - 2] - 0.3 * shape[BODY, i - 2]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def morning_doji_star(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 2] > bodies[i - 2] and shape[BODY, i - 1] <= 0.1 * spans[i - 1] and shape[BODY, i] > bodies[i]
        found = found and not _rises(inputs, i - 2) and shape[TOP, i - 1] < shape[BOTTOM, i - 2]
        found = found and _rises(inputs, i) and inputs[3, i] > inputs[3, i - 2] + 0.3 * shape[BODY, i - 2]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def evening_doji_star(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 2] > bodies[i - 2] and shape[BODY, i - 1] <= 0.1 * spans[i - 1] and shape[BODY, i] > bodies[i]
        found = found and _rises(inputs, i - 2) and shape[BOTTOM, i - 1] > shape[TOP, i - 2]
        found = found and not _rises(inputs, i) and inputs[3, i] < inputs[3, i - 2] - 0.3 * shape[BODY, i - 2]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def three_white_soldiers(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    spans = _before(shape[SPAN], 10)
    near = _before(shape[SPAN], 5)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i] > bodies[i]
        for j in range(i - 2, i + 1):
            found = found and _rises(inputs, j) and shape[UPPER, j] < 0.1 * spans[j]
        for j in range(i - 1, i + 1):
            found = found and inputs[3, j] > inputs[3, j - 1] and inputs[0, j] > inputs[0, j - 1]
            found = found and inputs[0, j] <= inputs[3, j - 1] + 0.2 * near[j - 1]
            found = found and shape[BODY, j] > shape[BODY, j - 1] - 0.6 * near[j - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def three_black_crows(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    spans = _before(shape[SPAN], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = _rises(inputs, i - 3) and inputs[1, i - 3] > inputs[3, i - 2]
        for j in range(i - 2, i + 1):
            found = found and not _rises(inputs, j) and shape[LOWER, j] < 0.1 * spans[j]
        for j in range(i - 1, i + 1):
            found = found and inputs[0, j] < inputs[0, j - 1] and inputs[0, j] > inputs[3, j - 1]
            found = found and inputs[3, j] < inputs[3, j - 1]
        outputs[0, t] = 1.0 if found else 0.0
    _seal(inputs, outputs)


@compiled
def three_inside(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    shape = _shapes(inputs)
    bodies = _before(shape[BODY], 10)
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        found = shape[BODY, i - 2] > bodies[i - 2] and shape[BODY, i - 1] <= bodies[i - 1]
        found = found and shape[TOP, i - 1] < shape[TOP, i - 2] and shape[BOTTOM, i - 1] > shape[BOTTOM, i - 2]
        is_bullish = not _rises(inputs, i - 2) and _rises(inputs, i) and inputs[3, i] > inputs[0, i - 2] and found
        is_bearish = _rises(inputs, i - 2) and not _rises(inputs, i) and inputs[3, i] < inputs[0, i - 2] and found
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)


@compiled
def three_outside(_state: Any, _constants: Any, inputs: Any, outputs: Any) -> None:
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        i = t + lead
        first, last = inputs[0], inputs[3]
        is_bullish = _rises(inputs, i - 1) and not _rises(inputs, i - 2) and last[i] > last[i - 1]
        is_bullish = is_bullish and last[i - 1] > first[i - 2] and first[i - 1] < last[i - 2]
        is_bearish = not _rises(inputs, i - 1) and _rises(inputs, i - 2) and last[i] < last[i - 1]
        is_bearish = is_bearish and first[i - 1] > last[i - 2] and last[i - 1] < first[i - 2]
        outputs[0, t] = 1.0 if is_bullish else 0.0
        outputs[1, t] = 1.0 if is_bearish else 0.0
    _seal(inputs, outputs)
