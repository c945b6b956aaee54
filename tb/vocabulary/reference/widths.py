"""Widths that remember."""

from __future__ import annotations

from itertools import pairwise

from tb.vocabulary.function import Constants
from tb.vocabulary.reference.chains import after
from tb.vocabulary.reference.histories import NAN, ratio, recursive
from tb.vocabulary.reference.oscillators import added
from tb.vocabulary.reference.recursion import exponential, wilder
from tb.vocabulary.reference.sums import true_range_of


def average_ranges(history: list[list[float]], n: int) -> list[float]:
    """The average true range of high, low and close."""
    bars = list(zip(*history, strict=True))
    return [NAN, *wilder([true_range_of(high, low, before[2]) for before, (high, low, _) in pairwise(bars)], n)]


@recursive()
def natr(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    pairs = zip(average_ranges(history, int(constants[0])), history[2], strict=True)
    return [[ratio(average, close) for average, close in pairs]]


@recursive()
def chaikin_volatility(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, back = (int(c) for c in constants)
    averages = exponential([high - low for high, low in zip(*history, strict=True)], n)
    before = [NAN] * min(back, len(averages)) + averages
    return [[ratio(now, then) - 1.0 for now, then in zip(averages, before, strict=False)]]


@recursive()
def mass_index(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n, smooth = (int(c) for c in constants)
    first = exponential([high - low for high, low in zip(*history, strict=True)], smooth)
    shares = [ratio(one, two) for one, two in zip(first, after(smooth - 1, first, smooth), strict=True)]
    padded = [NAN] * (n - 1) + shares
    return [[added(padded[i : i + n]) for i in range(len(shares))]]
