"""Whether a price goes somewhere, over a window: `aroon`, `vortex`, `choppiness`, `efficiency_ratio`, `qstick`, `ichimoku`.

Definitions: `tb.vocabulary.reference.trends`. Bars are looped over inside and the window outside; each bar still adds its
window from the oldest value on.
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
def _since(x: Any, n: int, sign: float, out: Any) -> None:
    """How many bars ago the greatest (sign 1) or least (sign -1) value of n was, the newest of equal ones."""
    best = 0
    for i in range(x.shape[0]):
        start = max(i - n + 1, 0)
        if best < start:
            best = start
            for j in range(start + 1, i + 1):
                if sign * x[j] >= sign * x[best]:
                    best = j
        elif not sign * x[i] < sign * x[best]:
            best = i
        if i >= n - 1:
            out[i - n + 1] = i - best


@compiled
def aroon(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _since(inputs[0], n + 1, 1.0, outputs[0])
    _since(inputs[1], n + 1, -1.0, outputs[1])
    for t in range(outputs.shape[1]):
        outputs[0, t] = 100.0 * ((n - outputs[0, t]) / n)
        outputs[1, t] = 100.0 * ((n - outputs[1, t]) / n)
        outputs[2, t] = outputs[0, t] - outputs[1, t]
    _seal(inputs, outputs)


@part
def _ranges(inputs: Any) -> Any:
    """The true range of each bar after the first."""
    found = np.empty(inputs.shape[1] - 1)
    for i in range(found.shape[0]):
        found[i] = _true_range(inputs[0, i + 1], inputs[1, i + 1], inputs[2, i])
    return found


@compiled
def vortex(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    high, low = inputs[0], inputs[1]
    up = np.empty(inputs.shape[1] - 1)
    down = np.empty(inputs.shape[1] - 1)
    for i in range(up.shape[0]):
        up[i] = abs(high[i + 1] - low[i])
        down[i] = abs(low[i + 1] - high[i])
    span = np.empty(outputs.shape[1])
    _sums(up, n, outputs[0])
    _sums(down, n, outputs[1])
    _sums(_ranges(inputs), n, span)
    for t in range(outputs.shape[1]):
        outputs[0, t] = outputs[0, t] / span[t]
        outputs[1, t] = outputs[1, t] / span[t]
    _seal(inputs, outputs)


@compiled
def choppiness(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    top = np.empty(outputs.shape[1])
    bottom = np.empty(outputs.shape[1])
    _extremes(inputs[0][1:], n, 1.0, top)
    _extremes(inputs[1][1:], n, -1.0, bottom)
    _sums(_ranges(inputs), n, outputs[0])
    for t in range(outputs.shape[1]):
        share = outputs[0, t] / (top[t] - bottom[t])
        is_known = share > 0.0 and math.isfinite(share)
        outputs[0, t] = 100.0 * (math.log(share) / math.log(float(n))) if is_known else NAN
    _seal(inputs, outputs)


@compiled
def efficiency_ratio(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x, out = inputs[0], outputs[0]
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + abs(x[t + j + 1] - x[t + j])
            some += abs(x[t + j + 2] - x[t + j + 1])
            some += abs(x[t + j + 3] - x[t + j + 2])
            out[t] = some + abs(x[t + j + 4] - x[t + j + 3])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += abs(x[t + j + 1] - x[t + j])
    for t in range(out.shape[0]):
        found = _finite(abs(x[t + n] - x[t]) / out[t])
        out[t] = 1.0 if found > 1.0 else found
    _seal(inputs, outputs)


@compiled
def qstick(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    bodies = np.empty(inputs.shape[1])
    for i in range(bodies.shape[0]):
        bodies[i] = inputs[1, i] - inputs[0, i]
    _sums(bodies, n, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = outputs[0, t] / n
    _seal(inputs, outputs)


@part
def _middles(inputs: Any, n: int) -> Any:
    """At each bar halfway between the highest high and the lowest low of n bars; unknown before there are n."""
    found = np.full(inputs.shape[1], NAN)
    bottom = np.full(inputs.shape[1], NAN)
    _extremes(inputs[0], n, 1.0, found[n - 1 :])
    _extremes(inputs[1], n, -1.0, bottom[n - 1 :])
    for i in range(found.shape[0]):
        found[i] = (found[i] + bottom[i]) / 2.0
    return found


@compiled
def ichimoku(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    medium = int(constants[1])
    quick = _middles(inputs, int(constants[0]))
    usual = _middles(inputs, medium)
    lazy = _middles(inputs, int(constants[2]))
    lead = inputs.shape[1] - outputs.shape[1]
    for t in range(outputs.shape[1]):
        now, then = t + lead, t + lead - medium + 1
        outputs[0, t] = quick[now]
        outputs[1, t] = usual[now]
        outputs[2, t] = (quick[then] + usual[then]) / 2.0
        outputs[3, t] = lazy[then]
    _seal(inputs, outputs)
