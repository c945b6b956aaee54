"""Volume and price together."""

from __future__ import annotations

from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, ratio, recursive, windowed
from tb.vocabulary.reference.oscillators import added
from tb.vocabulary.reference.recursion import exponential


def _place(high: float, low: float, close: float) -> float:
    """Where the close lies in its bar, from -1 (low) to 1 (high); 0 where the bar has no range."""
    return ((close - low) - (high - close)) / (high - low) if high > low else 0.0


def _flows(bars: list[list[float]]) -> list[float]:
    return [_place(high, low, close) * volume for high, low, close, volume in zip(*bars, strict=True)]


def _line(history: list[list[float]]) -> list[float]:
    found, total = [], 0.0
    for flow in _flows(history):
        total += flow
        found.append(total)
    return found


@recursive()
def ad(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [_line(history)]


@recursive()
def adosc(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    fast, slow = (int(c) for c in constants)
    line = _line(history)
    return [[quick - lazy for quick, lazy in zip(exponential(line, fast), exponential(line, slow), strict=True)]]


@windowed(look_back.bars)
def cmf(_constants: Constants, windows: list[list[float]]) -> list[float]:
    found = ratio(added(_flows(windows)), added(windows[3]))
    return [1.0 if found > 1.0 else -1.0 if found < -1.0 else found]


@recursive()
def force_index(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    forces = [(now - before) * volume for (before, _), (now, volume) in pairwise(list(zip(*history, strict=True)))]
    return [[NAN, *exponential(forces, int(constants[0]))]]


@windowed(look_back.bars_and_previous)
def ease_of_movement(constants: Constants, windows: list[list[float]]) -> list[float]:
    ease = []
    for (high_before, low_before, _), (high, low, volume) in pairwise(list(zip(*windows, strict=True))):
        moved = (high + low) / 2.0 - (high_before + low_before) / 2.0
        ease.append(ratio(moved * (high - low), volume))
    return [added(ease) / int(constants[0])]


def _index(sign: float, history: list[list[float]]) -> list[float]:
    """Follows the close at bars of less (sign -1) or more (sign 1) volume than the bar before."""
    found = [1000.0]
    for (before, volume_before), (close, volume) in pairwise(list(zip(*history, strict=True))):
        counts = sign * volume > sign * volume_before and before != 0.0
        found.append(found[-1] * (close / before) if counts else found[-1])
    return found


@recursive()
def nvi(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [_index(-1.0, history)]


@recursive()
def pvi(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    return [_index(1.0, history)]


@recursive()
def pvt(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    found = [0.0]
    for (before, _), (close, volume) in pairwise(list(zip(*history, strict=True))):
        found.append(found[-1] + volume * (close / before - 1.0) if before != 0.0 else found[-1])
    return [found]
