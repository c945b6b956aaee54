"""How far a bar reaches, over a window."""

from __future__ import annotations

import math
from itertools import pairwise

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants
from tb.vocabulary.reference.averages import mean_of
from tb.vocabulary.reference.dispersion import stdev_of
from tb.vocabulary.reference.histories import NAN, ratio, windowed
from tb.vocabulary.reference.oscillators import added


def log_of(a: float, b: float) -> float:
    """The logarithm of a / b; unknown where one of them is not above zero."""
    share = ratio(a, b)
    return math.log(share) if a > 0.0 and b > 0.0 and 0.0 < share < math.inf else NAN


def _root_of_mean(terms: list[float]) -> float:
    total = added(terms)
    return math.sqrt(total / len(terms)) if total >= 0.0 else NAN


def _drift_free(first: float, high: float, low: float, last: float) -> float:
    """The variance of one bar, whatever its drift (Rogers and Satchell)."""
    return log_of(high, last) * log_of(high, first) + log_of(low, last) * log_of(low, first)


@windowed(look_back.bars)
def parkinson(_constants: Constants, windows: list[list[float]]) -> list[float]:
    spans = [log_of(high, low) for high, low in zip(*windows, strict=True)]
    return [_root_of_mean([span * span / (4.0 * math.log(2.0)) for span in spans])]


@windowed(look_back.bars)
def garman_klass(_constants: Constants, windows: list[list[float]]) -> list[float]:
    terms = []
    for first, high, low, last in zip(*windows, strict=True):
        span, body = log_of(high, low), log_of(last, first)
        terms.append(0.5 * span * span - (2.0 * math.log(2.0) - 1.0) * body * body)
    return [_root_of_mean(terms)]


@windowed(look_back.bars)
def rogers_satchell(_constants: Constants, windows: list[list[float]]) -> list[float]:
    return [_root_of_mean([_drift_free(*bar) for bar in zip(*windows, strict=True)])]


def _sample_variance(values: list[float]) -> float:
    centre = mean_of(values)
    return added([(x - centre) * (x - centre) for x in values]) / (len(values) - 1)


@windowed(look_back.bars_and_previous)
def yang_zhang(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    bars = list(zip(*windows, strict=True))
    between = _sample_variance([log_of(bar[0], before[3]) for before, bar in pairwise(bars)])
    within = _sample_variance([log_of(bar[3], bar[0]) for bar in bars[1:]])
    share = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    whole = between + share * within + (1.0 - share) * (added([_drift_free(*bar) for bar in bars[1:]]) / n)
    return [math.sqrt(whole) if whole >= 0.0 else NAN]


@windowed(look_back.bars_and_previous)
def realised_volatility(_constants: Constants, windows: list[list[float]]) -> list[float]:
    moves = [log_of(now, before) for before, now in pairwise(windows[0])]
    return [math.sqrt(added([move * move for move in moves]))]


@windowed(look_back.twice)
def ulcer_index(constants: Constants, windows: list[list[float]]) -> list[float]:
    n = int(constants[0])
    values = windows[0]
    squares = []
    for end in range(n, len(values) + 1):
        fall = ratio(values[end - 1], max(values[end - n : end]) + 0.0) - 1.0
        squares.append(fall * fall)
    return [_root_of_mean(squares)]


@windowed(look_back.bars)
def bollinger_width(constants: Constants, windows: list[list[float]]) -> list[float]:
    return [ratio(2.0 * (constants[1] * stdev_of(windows[0])), mean_of(windows[0]))]


@windowed(look_back.bars)
def bollinger_percent(constants: Constants, windows: list[list[float]]) -> list[float]:
    width = constants[1] * stdev_of(windows[0])
    return [ratio(windows[0][-1] - (mean_of(windows[0]) - width), 2.0 * width)]
