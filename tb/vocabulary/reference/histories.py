"""From a definition on one window, or on one unbroken history, to outputs over whole series.

Guarantees: an output is NaN where an input it looks at is unknown (NaN or infinite), where its window reaches before the first
bar, and where its value is not finite. A history starts anew after an unknown value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from tb.vocabulary.function import Constants, Reference

NAN = math.nan
OnWindow = Callable[[Constants, list[list[float]]], Sequence[float]]
OnHistory = Callable[[Constants, list[list[float]]], Sequence[Sequence[float]]]


def ratio(a: float, b: float) -> float:
    """a / b, unknown where b is zero."""
    return NAN if b == 0.0 else a / b


def finite(value: float) -> float:
    return value if math.isfinite(value) else NAN


def windowed(window: Callable[[Constants], int], outputs: int = 1) -> Callable[[OnWindow], Reference]:
    """Lift a definition on one window (oldest bar first) to whole series."""

    def lift(definition: OnWindow) -> Reference:
        def reference(constants: Constants, inputs: list[list[float]]) -> list[list[float]]:
            size = window(constants)
            columns: list[list[float]] = [[] for _ in range(outputs)]
            for end in range(1, len(inputs[0]) + 1):
                windows = [series[max(end - size, 0) : end] for series in inputs]
                is_known = end >= size and all(math.isfinite(x) for values in windows for x in values)
                row = definition(constants, windows) if is_known else [NAN] * outputs
                for column, value in zip(columns, row, strict=True):
                    column.append(finite(value))
            return columns

        reference.__doc__ = definition.__doc__
        return reference

    return lift


def recursive(outputs: int = 1) -> Callable[[OnHistory], Reference]:
    """Lift a definition on one unbroken history (a column for each output, as long as the history) to whole series."""

    def lift(definition: OnHistory) -> Reference:
        def reference(constants: Constants, inputs: list[list[float]]) -> list[list[float]]:
            length = len(inputs[0])
            columns = [[NAN] * length for _ in range(outputs)]
            for start, end in _unbroken(inputs):
                found = definition(constants, [series[start:end] for series in inputs])
                for column, values in zip(columns, found, strict=True):
                    column[start:end] = [finite(value) for value in values]
            return columns

        reference.__doc__ = definition.__doc__
        return reference

    return lift


def _unbroken(inputs: list[list[float]]) -> Iterator[tuple[int, int]]:
    """The longest stretches (start, end) in which every input is known."""
    start = 0
    for i, row in enumerate(zip(*inputs, strict=True)):
        if not all(math.isfinite(x) for x in row):
            if i > start:
                yield start, i
            start = i + 1
    if len(inputs[0]) > start:
        yield start, len(inputs[0])
