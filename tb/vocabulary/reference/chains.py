"""Averages of averages: an average of an average starts when that has its first value."""

from __future__ import annotations

from itertools import pairwise

from tb.vocabulary.function import Constants
from tb.vocabulary.reference.histories import NAN, finite, ratio, recursive
from tb.vocabulary.reference.recursion import exponential


def after(lead: int, values: list[float], n: int) -> list[float]:
    """The exponential average of what follows the first `lead` values, which are no values yet."""
    return (values[:lead] + exponential(values[lead:], n))[: len(values)]


def _chain(values: list[float], n: int, depth: int) -> list[list[float]]:
    """An average, the average of that, and so on; all unknown until the last has a value."""
    found = []
    for level in range(depth):
        values = after(level * (n - 1), values, n)
        found.append(values)
    lead = depth * (n - 1)
    return [[NAN] * min(lead, len(values)) + one[lead:] for one in found]


@recursive()
def dema(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    pairs = zip(*_chain(history[0], int(constants[0]), 2), strict=True)
    return [[first + (first - second) for first, second in pairs]]


@recursive()
def tema(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    triples = zip(*_chain(history[0], int(constants[0]), 3), strict=True)
    return [[3.0 * (first - second) + third for first, second, third in triples]]


@recursive()
def t3(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    """c1 e6 + c2 e5 + c3 e4 + c4 e3, where the four weights sum to 1: so it is e3 and distances from it."""
    n, v = int(constants[0]), constants[1]
    sixth = -(v * v * v)
    fifth = 3.0 * v * v + 3.0 * v * v * v
    fourth = -6.0 * v * v - 3.0 * v - 3.0 * v * v * v
    return [
        [
            e3 + (sixth * (e6 - e3) + fifth * (e5 - e3) + fourth * (e4 - e3))
            for _, _, e3, e4, e5, e6 in zip(*_chain(history[0], n, 6), strict=True)
        ]
    ]


@recursive()
def trix(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    third = _chain(history[0], int(constants[0]), 3)[2]
    return [[NAN, *(ratio(now, before) - 1.0 for before, now in pairwise(third))]]


@recursive()
def apo(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    fast, slow = (int(c) for c in constants)
    pairs = zip(exponential(history[0], fast), exponential(history[0], slow), strict=True)
    return [[quick - lazy for quick, lazy in pairs]]


@recursive(outputs=3)
def ppo(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    fast, slow, signal = (int(c) for c in constants)
    pairs = list(zip(exponential(history[0], fast), exponential(history[0], slow), strict=True))
    lead = max(fast, slow) - 1
    # bars at which the slow average is zero have no line, and the signal passes over them
    lines = {i: (quick - lazy) / lazy for i, (quick, lazy) in enumerate(pairs) if i >= lead and lazy != 0.0}
    signals = dict(zip(lines, exponential(list(lines.values()), signal), strict=True))
    rows = [(NAN, NAN, NAN)] * len(pairs)
    for i in list(lines)[signal - 1 :]:
        rows[i] = (lines[i], signals[i], lines[i] - signals[i])
    return [list(column) for column in zip(*rows, strict=True)]


@recursive()
def tsi(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    slow, fast = (int(c) for c in constants)
    moves = [now - before for before, now in pairwise(history[0])]
    signed = after(slow - 1, exponential(moves, slow), fast)
    sizes = after(slow - 1, exponential([abs(move) for move in moves], slow), fast)
    lead = slow + fast - 2
    found = [finite(100.0 * ratio(a, b)) for a, b in zip(signed, sizes, strict=True)]
    return [[NAN, *([NAN] * lead + [max(-100.0, min(100.0, x)) if x == x else x for x in found[lead:]])[: len(moves)]]]  # noqa: PLR0124


@recursive(outputs=2)
def elder_ray(constants: Constants, history: list[list[float]]) -> list[list[float]]:
    n = int(constants[0])
    averages = exponential(history[2], n)
    return [[x - average for x, average in zip(row, averages, strict=True)] for row in history[:2]]
