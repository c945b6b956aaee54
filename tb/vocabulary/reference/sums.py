"""Sums, counts and differences over a window."""

from __future__ import annotations

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, finite, ratio, windowed


@windowed(look_back.bars)
def total(_constants: Constants, windows: list[list[float]]) -> list[float]:
    found = 0.0
    for x in windows[0]:
        found += x
    return [found]


@windowed(look_back.bars)
def count(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [float(len([x for x in windows[0] if x != 0.0]))]


@windowed(look_back.bars)
def volume_usd(_constants: Constants, windows: list[list[float]]) -> list[float]:
    found = 0.0
    for close, volume in zip(*windows, strict=True):
        found += close * volume
    return [found]


def _ends(n: int, values: list[float]) -> list[tuple[float, float]]:
    """The value n bars ago and the newest, for each bar; bars in between do not matter."""
    known = [NAN] * n + [finite(x) for x in values]
    return list(zip(known, known[n:], strict=False))


def change(constants: Constants, inputs: list[list[float]]) -> list[list[float]]:
    return [[finite(ratio(now, before) - 1.0) for before, now in _ends(int(constants[0]), inputs[0])]]


def momentum(constants: Constants, inputs: list[list[float]]) -> list[list[float]]:
    return [[finite(now - before) for before, now in _ends(int(constants[0]), inputs[0])]]


@windowed(look_back.two)
def true_range(_constants: Constants, windows: list[list[float]]) -> list[float]:
    highs, lows, closes = windows
    return [true_range_of(highs[-1], lows[-1], closes[0])]


def true_range_of(high: float, low: float, previous_close: float) -> float:
    return max(high - low, abs(high - previous_close), abs(low - previous_close))


@windowed(look_back.bars_and_previous)
def mfi(_constants: Constants, windows: list[list[float]]) -> list[float]:
    rising = falling = 0.0
    before = NAN
    for high, low, close, volume in zip(*windows, strict=True):
        typical = (high + low + close) / 3.0
        if typical > before:
            rising += typical * volume
        elif typical < before:
            falling += typical * volume
        before = typical
    return [100.0 * ratio(rising, rising + falling)]
