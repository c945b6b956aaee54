"""Order of values: `highest`, `lowest`, `median`, `percentile`, `donchian`, `stochastic`, `williams_r`.

Definitions: `tb.vocabulary.reference.order`. Finding an extreme or a middle rounds nothing, so these may carry the place of the
last extreme, or the sorted window, from bar to bar; adding 0.0 hides which of two zeros, 0.0 and -0.0, was found.
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


@compiled
def highest(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _extremes(inputs[0], int(constants[0]), 1.0, outputs[0])


@compiled
def lowest(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _extremes(inputs[0], int(constants[0]), -1.0, outputs[0])


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


@compiled
def median(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    values = np.empty(n)
    known = 0
    for i in range(x.shape[0]):
        if not math.isfinite(x[i]):
            known = 0
        else:
            if known == n:
                for j in range(_place(values, n, x[i - n]), n - 1):
                    values[j] = values[j + 1]
                known -= 1
            place = _place(values, known, x[i])
            for j in range(known, place, -1):
                values[j] = values[j - 1]
            values[place] = x[i]
            known += 1
        if i < n - 1:
            continue
        if known < n:
            outputs[0, i - n + 1] = NAN
        elif n % 2 == 1:
            outputs[0, i - n + 1] = values[n // 2] + 0.0
        else:
            outputs[0, i - n + 1] = _finite((values[n // 2 - 1] + values[n // 2]) / 2.0 + 0.0)


@compiled
def percentile(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    known = 0
    for i in range(x.shape[0]):
        known = known + 1 if math.isfinite(x[i]) else 0
        start = i - n + 1
        if start < 0:
            continue
        below = 0
        for j in range(start, i):
            if x[j] < x[i]:
                below += 1
        outputs[0, start] = below / (n - 1) if known >= n else NAN


@compiled
def donchian(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    _extremes(inputs[0], n, 1.0, outputs[0])
    _extremes(inputs[1], n, -1.0, outputs[1])
    for t in range(outputs.shape[1]):
        outputs[2, t] = _finite((outputs[0, t] + outputs[1, t]) / 2.0)
        if math.isnan(outputs[0, t]) or math.isnan(outputs[1, t]):
            outputs[0, t] = NAN
            outputs[1, t] = NAN


@part
def _mean(x: Any, start: int, n: int) -> float:
    origin: float = x[start]
    total = 0.0
    for i in range(start, start + n):
        total += x[i] - origin
    return origin + total / n


@compiled
def stochastic(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n, k, d = int(constants[0]), int(constants[1]), int(constants[2])
    high, low, close = inputs[0], inputs[1], inputs[2]
    m = inputs.shape[1] - n + 1
    top = np.empty(m)
    bottom = np.empty(m)
    _extremes(high, n, 1.0, top)
    _extremes(low, n, -1.0, bottom)
    raw = np.empty(m)
    for i in range(m):
        raw[i] = 100.0 * ((close[i + n - 1] - bottom[i]) / (top[i] - bottom[i]))
    slow = np.empty(m - k + 1)
    for i in range(slow.shape[0]):
        slow[i] = _mean(raw, i, k)
    # k reads fewer bars than d, and neither reads the oldest closes; yet all bars of the window must be known, as everywhere
    known = 0
    window = n + k + d - 2
    for i in range(close.shape[0]):
        is_known = math.isfinite(high[i]) and math.isfinite(low[i]) and math.isfinite(close[i])
        known = known + 1 if is_known else 0
        t = i - window + 1
        if t >= 0:
            outputs[0, t] = _finite(slow[t + d - 1]) if known >= window else NAN
            outputs[1, t] = _finite(_mean(slow, t, d)) if known >= window else NAN


@compiled
def williams_r(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    close = inputs[2]
    top = np.empty(outputs.shape[1])
    bottom = np.empty(outputs.shape[1])
    _extremes(inputs[0], n, 1.0, top)
    _extremes(inputs[1], n, -1.0, bottom)
    known = 0
    for i in range(close.shape[0]):
        known = known + 1 if math.isfinite(close[i]) else 0
        t = i - n + 1
        if t >= 0:
            outputs[0, t] = _finite(-100.0 * ((top[t] - close[i]) / (top[t] - bottom[t]))) if known >= n else NAN


@compiled
def bars_since(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    known = 0
    last = -1
    for i in range(inputs.shape[1]):
        known = known + 1 if math.isfinite(inputs[0, i]) else 0
        if inputs[0, i] != 0.0:
            last = i
        t = i - n + 1
        if t >= 0:
            outputs[0, t] = NAN if known < n else float(i - last) if last >= t else float(n)
