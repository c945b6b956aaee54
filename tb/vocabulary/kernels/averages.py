"""Averages over a window: `mean`, `wma`, `hma`, `vwap`. Definitions: `tb.vocabulary.reference.averages`.

Bars are looped over inside and the window outside, so that the machine adds several bars at once; each bar still adds its
window from the oldest value on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled, part

NAN = math.nan
NEAR = 1024  # bars
BELOW, EQUAL, UNKNOWN, ABOVE = range(4)  # how two values are to each other
MOST = 1e150  # greater values are not added up here: their sums might not be finite
SURE = 1.0 / (1 << 50)  # eight times the error of one operation
LEAST = 1e-300


@part
def _finite(value: float) -> float:
    return value if math.isfinite(value) else NAN


@part
def _weighted_means(x: Any, n: int, out: Any) -> None:
    """out[t] = the mean of x[t : t + n] by the weights 1 to n, taken of distances from the oldest value."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for four in range(n // 4):  # four at a time, in their order
        j = 4 * four
        for t in range(out.shape[0]):
            some = out[t] + (j + 1) * (x[t + j] - x[t])
            some += (j + 2) * (x[t + j + 1] - x[t])
            some += (j + 3) * (x[t + j + 2] - x[t])
            out[t] = some + (j + 4) * (x[t + j + 3] - x[t])
    for j in range(n // 4 * 4, n):
        for t in range(out.shape[0]):
            out[t] += (j + 1) * (x[t + j] - x[t])
    for t in range(out.shape[0]):
        out[t] = x[t] + out[t] / (n * (n + 1) / 2.0)


@part
def _ten(x: Any, j: int, t: int, some: float) -> float:
    """A sum with ten more distances from the oldest value, in their order."""
    first = x[t]
    some += x[t + j] - first
    some += x[t + j + 1] - first
    some += x[t + j + 2] - first
    some += x[t + j + 3] - first
    some += x[t + j + 4] - first
    some += x[t + j + 5] - first
    some += x[t + j + 6] - first
    some += x[t + j + 7] - first
    some += x[t + j + 8] - first
    found: float = some + (x[t + j + 9] - first)
    return found


@part
def _means(x: Any, n: int, out: Any) -> None:
    """The means of some bars, few enough that their sums stay near the processor; x begins with the window of the first."""
    for t in range(out.shape[0]):
        out[t] = 0.0
    for tens in range(n // 10):
        for t in range(out.shape[0]):
            out[t] = _ten(x, 10 * tens, t, out[t])
    for j in range(n // 10 * 10, n):
        for t in range(out.shape[0]):
            out[t] += x[t + j] - x[t]
    for t in range(out.shape[0]):
        out[t] = _finite(x[t] + out[t] / n)


@compiled
def mean(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    for begin in range(0, outputs.shape[1], NEAR):
        _means(inputs[0, begin:], n, outputs[0, begin : begin + NEAR])


@part
def _mean_of(x: Any, row: int, last: int, n: int) -> float:
    """What `_means` has for the window that ends at one place of a row."""
    begin = last - n + 1
    some, first = 0.0, x[row, begin]
    for j in range(n):
        some += x[row, begin + j] - first
    return _finite(first + some / n)


@compiled
def mean_at(x: Any, row: int, ends: Any, n: int, output: Any) -> None:
    """The means of the windows that end before some places of a row; unknown where one begins before the row."""
    for i in range(ends.shape[0]):
        output[i] = _mean_of(x, row, ends[i] - 1, n) if ends[i] >= n else NAN


@part
def _relation(x: float, y: float) -> int:
    return BELOW if x < y else EQUAL if x == y else ABOVE if x > y else UNKNOWN


@part
def _added_up(x: Any, row: int, start: int, sums: Any) -> Any:
    """Writes the sums of distances from the first of some values, and gives the least and the greatest distance; NaN where one
    is not known."""
    first, total, least, most = x[row, start], 0.0, 0.0, 0.0
    sums[0] = 0.0
    for i in range(sums.shape[0] - 1):
        apart = x[row, start + i] - first
        total += apart
        least = apart if apart < least else least
        most = apart if apart > most else most
        sums[i + 1] = total
    return max(-least, most) + 0.0 * total


@part
def _told_apart(newest: Any, first: Any, second: Any, one: int, other: int, error: float, output: Any) -> bool:
    """How two means are to each other by differences of sums, and whether all are farther apart than the error."""
    share, other_share, unsure = 1.0 / one, 1.0 / other, 0
    for i in range(output.shape[0]):
        apart = (newest[i] - first[i]) * share - (newest[i] - second[i]) * other_share
        found = np.uint8(ABOVE) if apart > error else np.uint8(EQUAL)
        output[i] = np.uint8(BELOW) if apart < -error else found
    for i in range(output.shape[0]):
        unsure += output[i] == EQUAL
    return unsure == 0


@compiled
def related(x: Any, row: int, end: int, one: int, other: int, output: Any) -> None:
    """How the means of the last `one` and `other` values are to each other at each of the bars that end before a place of a
    row: BELOW, EQUAL, ABOVE or UNKNOWN, as the means themselves have it, bit for bit.

    Differences of running sums come near these means: nearer than the bound here, which is several times that of the errors of
    both (of each sum of L distances of at most d: L * L * d operations' errors; of the means themselves n * d and one of the
    value). Where two means are farther apart than that, they need not be known.
    """
    longest, count = max(one, other), output.shape[0]
    room = np.empty(NEAR + longest)
    for begin in range(0, count, NEAR):
        length = min(NEAR, count - begin)
        size, start = length + longest - 1, end - count + begin - longest + 1
        sums = room[: size + 1]
        far = _added_up(x, row, start, sums)
        high = abs(x[row, start]) + far
        error = SURE * (far * (2.0 * size * size / min(one, other) + 2.0 * longest + 16.0) + high) + LEAST
        ends = sums[longest:], sums[longest - one :], sums[longest - other :]
        is_sure = _told_apart(*ends, one, other, error, output[begin : begin + length])
        if high < MOST and (is_sure or far == 0.0):
            continue  # where all values are one, all means are that
        for i in range(length):
            if output[begin + i] == EQUAL or not high < MOST:
                last = start + longest - 1 + i
                output[begin + i] = _relation(_mean_of(x, row, last, one), _mean_of(x, row, last, other))


@compiled
def wma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    _weighted_means(inputs[0], int(constants[0]), outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(outputs[0, t])


@compiled
def hma(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    half = n // 2
    root = int(math.sqrt(n))
    quick = np.empty(outputs.shape[1] + root - 1)
    slow = np.empty(outputs.shape[1] + root - 1)
    _weighted_means(inputs[0][n - half :], half, quick)
    _weighted_means(inputs[0], n, slow)
    for i in range(quick.shape[0]):
        quick[i] = 2.0 * quick[i] - slow[i]
    _weighted_means(quick, root, outputs[0])
    for t in range(outputs.shape[1]):
        outputs[0, t] = _finite(outputs[0, t])


@part
def _typical(high: float, low: float, close: float) -> float:
    return low + ((high - low) + (close - low)) / 3.0


@compiled
def vwap(_state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    n = int(constants[0])
    volume, out = inputs[3], outputs[0]
    typical = np.empty(inputs.shape[1])
    for i in range(typical.shape[0]):
        typical[i] = _typical(inputs[0, i], inputs[1, i], inputs[2, i])
    traded = np.zeros(out.shape[0])
    for t in range(out.shape[0]):
        out[t] = 0.0
    for j in range(n):
        for t in range(out.shape[0]):
            out[t] += (typical[t + j] - typical[t]) * volume[t + j]
            traded[t] += volume[t + j]
    for t in range(out.shape[0]):
        out[t] = _finite(typical[t] + out[t] / traded[t])
