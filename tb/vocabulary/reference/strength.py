"""Where a value lies in its own past, remembered."""

from __future__ import annotations

import math

from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.histories import NAN, ratio, recursive
from tb.vocabulary.reference.recursion import strength_of


def _place(values: list[float]) -> float:
    """Where the last lies between the least (0) and the greatest (100); unknown where one of them is, or all are one."""
    if not all(map(math.isfinite, values)):
        return NAN
    top, bottom = max(values) + 0.0, min(values) + 0.0
    return 100.0 * ratio(values[-1] - bottom, top - bottom)


def _ending(values: list[float], n: int) -> list[list[float]]:
    """For each bar the n values up to it, unknown ones put before the first."""
    padded = [NAN] * (n - 1) + values
    return [padded[i : i + n] for i in range(len(values))]


@recursive(outputs=2)
def stochastic_rsi(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, length, k, d = (int(c) for c in constants)
    strength = strength_of(history[0], n)
    raw = [_place(values) for values in _ending(strength, length)]
    slow = [mean_of(values) for values in _ending(raw, k)]
    signal = [mean_of(values) for values in _ending(slow, d)]
    lead = min(n + length + k + d - 3, len(raw))
    return [[NAN] * lead + slow[lead:], [NAN] * lead + signal[lead:]]


@recursive(outputs=2)
def fisher(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n = int(constants[0])
    middles = [(high + low) / 2.0 for high, low in zip(*history, strict=True)]
    lines, signals = [], []
    place = before = 0.0
    is_first = True
    for values in _ending(middles, n):
        lines.append(NAN)
        signals.append(NAN)
        if not all(map(math.isfinite, values)):
            place, before, is_first = 0.0, 0.0, True
            continue
        top, bottom = max(values) + 0.0, min(values) + 0.0
        if not 0.0 < top - bottom < math.inf:
            continue
        place = 0.66 * ((values[-1] - bottom) / (top - bottom) - 0.5) + 0.67 * place
        place = 0.999 if place > 0.99 else -0.999 if place < -0.99 else place
        found = 0.5 * math.log((1.0 + place) / (1.0 - place)) + 0.5 * before
        if not is_first:
            lines[-1], signals[-1] = found, before
        before, is_first = found, False
    return [lines, signals]
