"""Oscillators over a window."""

from __future__ import annotations

from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.histories import ratio, windowed


def added(values: list[float]) -> float:
    """The sum, from the oldest value on."""
    total = 0.0
    for x in values:
        total += x
    return total


@windowed(look_back.bars_and_previous)
def cmo(_constants: Constants, windows: list[list[float]]) -> list[float]:
    moves = [now - before for before, now in pairwise(windows[0])]
    up = added([move if move > 0.0 else 0.0 for move in moves])
    down = added([-move if move < 0.0 else 0.0 for move in moves])
    return [100.0 * ratio(up - down, up + down)]


@windowed(look_back.longest_and_previous)
def ultimate(constants: Constants, windows: list[list[float]]) -> list[float]:
    highs, lows, closes = windows
    bars = list(zip(highs[1:], lows[1:], closes[1:], closes, strict=False))
    pressures = [close - min(low, before) for _, low, close, before in bars]
    spans = [max(high, before) - min(low, before) for high, low, _, before in bars]
    total = 0.0
    for weight, n in zip((4.0, 2.0, 1.0), (int(c) for c in constants), strict=True):
        total += weight * ratio(added(pressures[-n:]), added(spans[-n:]))
    return [100.0 * (total / 7.0)]


@windowed(look_back.one)
def bop(_constants: Constants, windows: list[list[float]]) -> list[float]:
    (first,), (high,), (low,), (last,) = windows
    return [ratio(last - first, high - low)]


@windowed(look_back.longest)
def awesome(constants: Constants, windows: list[list[float]]) -> list[float]:
    middles = [(high + low) / 2.0 for high, low in zip(*windows, strict=True)]
    fast, slow = (int(c) for c in constants)
    return [mean_of(middles[-fast:]) - mean_of(middles[-slow:])]


@windowed(look_back.detrended)
def dpo(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    return [windows[0][-1 - (n // 2 + 1)] - mean_of(windows[0][-n:])]


def _changes(values: list[float], lag: int, n: int) -> list[float]:
    """The last n changes over `lag` bars."""
    pairs = zip(values[-n - lag :], values[-n:], strict=False)
    return [ratio(now, before) - 1.0 for before, now in pairs]


@windowed(look_back.coppock)
def coppock(constants: Constants, windows: list[list[float]]) -> list[float]:
    n, first, second = (int(c) for c in constants)
    total = 0.0
    pairs = zip(_changes(windows[0], first, n), _changes(windows[0], second, n), strict=True)
    for weight, (one, other) in enumerate(pairs, start=1):
        total += weight * (one + other)
    return [total / (n * (n + 1) / 2.0)]


KST = ((10, 10), (15, 10), (20, 10), (30, 15))  # bars of each change, and of its average


def _know_sure(values: list[float]) -> float:
    line = 0.0
    for weight, (lag, n) in enumerate(KST, start=1):
        line += weight * (added(_changes(values, lag, n)) / n)
    return line


@windowed(look_back.know_sure, outputs=2)
def kst(constants: Constants, windows: list[list[float]]) -> list[float]:
    signal = int(constants[0])
    size = len(windows[0])
    lines = [_know_sure(windows[0][: size - back]) for back in range(signal - 1, -1, -1)]
    return [lines[-1], added(lines) / signal]
