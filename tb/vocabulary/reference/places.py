"""Places in a sorted window, how long ago an extreme was, and how long a move has gone on."""

from __future__ import annotations

from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, recursive, windowed


def median_of(values: list[float]) -> float:
    ordered = sorted(values)
    n = len(ordered)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2.0


@windowed(look_back.bars)
def quantile(constants: Constants, windows: list[list[float]]) -> list[float]:
    ordered = sorted(windows[0])
    at = constants[1] * (len(ordered) - 1)
    low = int(at)
    if low + 1 == len(ordered):
        return [ordered[low] + 0.0]
    return [ordered[low] + 0.0 + (at - low) * (ordered[low + 1] - ordered[low])]


@windowed(look_back.bars)
def mad(_constants: Constants, windows: list[list[float]]) -> list[float]:
    middle = median_of(windows[0])
    return [median_of([abs(x - middle) for x in windows[0]]) + 0.0]


@windowed(look_back.bars)
def bars_since_highest(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [float(windows[0][::-1].index(max(windows[0])))]


@windowed(look_back.bars)
def bars_since_lowest(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [float(windows[0][::-1].index(min(windows[0])))]


@recursive()
def streak(_constants: Constants, history: list[list[float]]) -> list[list[float]]:
    found = [NAN]
    length = 0.0
    for before, now in pairwise(history[0]):
        length = max(length, 0.0) + 1.0 if now > before else min(length, 0.0) - 1.0 if now < before else 0.0
        found.append(length)
    return [found]
