"""Bars and constants to try the functions on, and how outputs are compared."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.function import Constants, Function

Array = NDArray[np.float64]
ALL = [*FUNCTIONS.values()]
WINDOWED = [f for f in ALL if not f.is_recursive]
RECURSIVE = [f for f in ALL if f.is_recursive]

# values on which formulas go wrong: unknown, endless, zeros, ties, the ends of float64
AWKWARD = (
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    1.0,
    1.0,
    2.0,
    3.0,
    0.1,
    0.1,
    100.5,
    -7.25,
    1e16,
    1e-300,
    5e-324,
    1e308,
    -1e308,
)
TIES = (1.0, 1.0, 1.0, 2.0, 3.0, math.nan)
CALM = (99.5, 100.0, 100.0, 100.25, 101.0, 98.75)


def name_of(function: Function) -> str:
    return function.name


def rows_of(function: Function) -> int:
    return len(function.implicit) + len(function.series)


@st.composite
def constants_for(draw: st.DrawFn, function: Function) -> Constants:
    found: list[float] = []
    for parameter in function.constants:
        assert parameter.low is not None
        if parameter.is_window:
            found.append(float(draw(st.integers(int(parameter.low), 6))))
        else:
            low, high = parameter.low, float(parameter.high or 0.0)
            found.append(draw(st.sampled_from([x for x in (low, 0.3, 1.0, 2.0, 2.5) if low <= x <= high])))
    return tuple(found)


@st.composite
def awkward_inputs(draw: st.DrawFn, function: Function) -> Array:
    length = draw(st.integers(0, 32))
    pools = [st.sampled_from(AWKWARD), st.sampled_from(TIES), st.sampled_from(CALM), st.floats(), st.floats(90.0, 110.0)]
    value = draw(st.sampled_from(pools))
    rows = draw(
        st.lists(st.lists(value, min_size=length, max_size=length), min_size=rows_of(function), max_size=rows_of(function))
    )
    return np.array(rows, dtype=np.float64).reshape(rows_of(function), length)


def walk(function: Function, length: int, seed: int = 7) -> Array:
    """Well-formed bars of a random walk, as inputs of the function; every field and argument known."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, length)))
    first = close * np.exp(rng.normal(0.0, 0.005, length))
    fields = {
        "open": first,
        "high": np.maximum(first, close) * 1.002,
        "low": np.minimum(first, close) * 0.998,
        "close": close,
        "volume": rng.lognormal(3.0, 1.0, length),
        "day_number": np.arange(length) // 24 + 19_000.0,
        "funding_paid": np.where(np.arange(length) % 8 == 7, 1e-4, 0.0),
    }
    arguments = [close, fields["volume"]][: len(function.series)]
    if function.name in {"count", "bars_since"}:
        arguments = [(close > first).astype(np.float64)]
    return np.array([*(fields[name] for name in function.implicit), *arguments])


def usual_constants(function: Function) -> Constants:
    return tuple(float(p.default) if p.default is not None else 12.0 for p in function.constants)


def assert_same_bits(found: Array, expected: Array) -> None:
    """Equal shapes and bits; any NaN equals any NaN, 0.0 differs from -0.0."""
    assert found.shape == expected.shape
    both_unknown = np.isnan(found) & np.isnan(expected)
    same = both_unknown | (np.ascontiguousarray(found).view(np.int64) == np.ascontiguousarray(expected).view(np.int64))
    assert same.all(), f"at {np.argwhere(~same)[0]}: {found[~same][0]!r} is not {expected[~same][0]!r}"
