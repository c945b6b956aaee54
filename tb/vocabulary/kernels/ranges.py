"""How far a bar reaches, over a window: `parkinson`, `garman_klass`, `rogers_satchell`, `yang_zhang`, `realised_volatility`,
`ulcer_index`, `bollinger_width`, `bollinger_percent`.

Definitions: `tb.vocabulary.reference.ranges`. Bars are looped over inside and the window outside; each bar still adds its
window from the oldest value on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled, part

NAN = math.nan


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
def _means(x: Any, n: int, out: Any) -> None:
    """out[t] = the mean of x[t : t + n], taken of distances from the oldest value."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (x[t + j] - x[t])
            some += x[t + j + 1] - x[t]
            some += x[t + j + 2] - x[t]
            out[t] = some + (x[t + j + 3] - x[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += x[t + j] - x[t]
    for t in range(out.shape[0]):
        out[t] = x[t] + out[t] / n


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
def _log(a: float, b: float) -> float:
    """The logarithm of a / b; unknown where one of them is not above zero."""
    share = a / b
    return math.log(share) if a > 0.0 and b > 0.0 and share > 0.0 and math.isfinite(share) else NAN


@part
def _root_of_mean(terms: Any, n: int, out: Any) -> None:
    """The square root of the mean of n terms; unknown below zero."""
    _sums(terms, n, out)
    for t in range(out.shape[0]):
        out[t] = math.sqrt(out[t] / n) if out[t] >= 0.0 else NAN


@part
def _drift_free(first: float, high: float, low: float, last: float) -> float:
    """The variance of one bar, whatever its drift (Rogers and Satchell)."""
    return _log(high, last) * _log(high, first) + _log(low, last) * _log(low, first)


@compiled
def parkinson(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    terms = np.empty(inputs.shape[1])
    for i in range(terms.shape[0]):
        span = _log(inputs[0, i], inputs[1, i])
        terms[i] = span * span / (4.0 * math.log(2.0))
    _root_of_mean(terms, int(constants[0]), outputs[0])
    _seal(inputs, outputs)


@compiled
def garman_klass(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    terms = np.empty(inputs.shape[1])
    for i in range(terms.shape[0]):
        span = _log(inputs[1, i], inputs[2, i])
        body = _log(inputs[3, i], inputs[0, i])
        terms[i] = 0.5 * span * span - (2.0 * math.log(2.0) - 1.0) * body * body
    _root_of_mean(terms, int(constants[0]), outputs[0])
    _seal(inputs, outputs)


@compiled
def rogers_satchell(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    terms = np.empty(inputs.shape[1])
    for i in range(terms.shape[0]):
        terms[i] = _drift_free(inputs[0, i], inputs[1, i], inputs[2, i], inputs[3, i])
    _root_of_mean(terms, int(constants[0]), outputs[0])
    _seal(inputs, outputs)


@part
def _sample_variance(x: Any, n: int, out: Any) -> None:
    centre = np.empty(out.shape[0])
    _means(x, n, centre)
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (x[t + j] - centre[t]) * (x[t + j] - centre[t])
            some += (x[t + j + 1] - centre[t]) * (x[t + j + 1] - centre[t])
            some += (x[t + j + 2] - centre[t]) * (x[t + j + 2] - centre[t])
            out[t] = some + (x[t + j + 3] - centre[t]) * (x[t + j + 3] - centre[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += (x[t + j] - centre[t]) * (x[t + j] - centre[t])
    for t in range(out.shape[0]):
        out[t] = out[t] / (n - 1)


@compiled
def yang_zhang(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    m = outputs.shape[1]
    overnight = np.empty(m + n - 1)
    body = np.empty(m + n - 1)
    drift_free = np.empty(m + n - 1)
    for i in range(m + n - 1):
        first, high, low, last = inputs[0, i + 1], inputs[1, i + 1], inputs[2, i + 1], inputs[3, i + 1]
        overnight[i] = _log(first, inputs[3, i])
        body[i] = _log(last, first)
        drift_free[i] = _drift_free(first, high, low, last)
    between = np.empty(m)
    within = np.empty(m)
    _sample_variance(overnight, n, between)
    _sample_variance(body, n, within)
    _sums(drift_free, n, outputs[0])
    share = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    for t in range(m):
        whole = between[t] + share * within[t] + (1.0 - share) * (outputs[0, t] / n)
        outputs[0, t] = math.sqrt(whole) if whole >= 0.0 else NAN
    _seal(inputs, outputs)


@compiled
def realised_volatility(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    x = inputs[0]
    squares = np.empty(outputs.shape[1] + n - 1)
    for i in range(squares.shape[0]):
        move = _log(x[i + 1], x[i])
        squares[i] = move * move
    _sums(squares, n, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = math.sqrt(outputs[0, t])
    _seal(inputs, outputs)


@compiled
def ulcer_index(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    squares = np.empty(outputs.shape[1] + n - 1)
    _extremes(inputs[0], n, 1.0, squares)
    for i in range(squares.shape[0]):
        fall = inputs[0, i + n - 1] / squares[i] - 1.0
        squares[i] = fall * fall
    _root_of_mean(squares, n, outputs[0])
    _seal(inputs, outputs)


@part
def _bands(x: Any, n: int, k: float, middle: Any, width: Any) -> None:
    """The mean of each window, and k standard deviations (population)."""
    _means(x, n, middle)
    for t in range(width.shape[0]):
        width[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(width.shape[0]):
            some = width[t] + (x[t + j] - middle[t]) * (x[t + j] - middle[t])
            some += (x[t + j + 1] - middle[t]) * (x[t + j + 1] - middle[t])
            some += (x[t + j + 2] - middle[t]) * (x[t + j + 2] - middle[t])
            width[t] = some + (x[t + j + 3] - middle[t]) * (x[t + j + 3] - middle[t])
    for j in range(n // 4 * 4, n):
        for t in range(width.shape[0]):
            width[t] += (x[t + j] - middle[t]) * (x[t + j] - middle[t])
    for t in range(width.shape[0]):
        width[t] = k * math.sqrt(width[t] / n)


@compiled
def bollinger_width(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    width = np.empty(outputs.shape[1])
    _bands(inputs[0], int(constants[0]), constants[1], outputs[0], width)
    for t in range(outputs.shape[1]):
        outputs[0, t] = 2.0 * width[t] / outputs[0, t]
    _seal(inputs, outputs)


@compiled
def bollinger_percent(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    width = np.empty(outputs.shape[1])
    _bands(inputs[0], n, constants[1], outputs[0], width)
    for t in range(outputs.shape[1]):
        outputs[0, t] = (inputs[0, t + n - 1] - (outputs[0, t] - width[t])) / (2.0 * width[t])
    _seal(inputs, outputs)
