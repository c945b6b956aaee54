"""Functions of one bar: the compiled loop equals Python's `math`, and nothing leaves it but numbers and NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabulary_samples import AWKWARD, assert_same_bits

from tb.vocabulary.pointwise import POINTWISE
from tb.vocabulary.run import evaluate_pointwise

NUMBERS = st.floats() | st.sampled_from(AWKWARD) | st.floats(-750.0, 750.0)


@pytest.mark.parametrize("name", POINTWISE)
@settings(max_examples=60)
@given(data=st.data())
def test_kernel_equals_definition(name: str, data: st.DataObject) -> None:
    function = POINTWISE[name]
    rows = function.arity + (data.draw(st.integers(0, 2)) if function.is_variadic else 0)
    length = data.draw(st.integers(0, 20))
    inputs = np.array(data.draw(st.lists(st.lists(NUMBERS, min_size=length, max_size=length), min_size=rows, max_size=rows)))
    found = evaluate_pointwise(function, inputs)
    expected = np.array([function.value(*map(float, column)) for column in inputs.T], dtype=np.float64)
    assert_same_bits(found, expected)
    known = found[~np.isnan(found)]
    low, high = function.output_range
    assert np.isfinite(known).all()
    assert low is None or (known >= low).all()
    assert high is None or (known <= high).all()


@pytest.mark.parametrize("name", ["log", "exp", "sqrt"])
def test_the_same_bits_as_the_standard_library(name: str) -> None:
    """On many ordinary numbers at once, where a vectorised loop would show its own rounding."""
    xs = np.random.default_rng(5).uniform(1e-3, 20.0, 20_000)
    expected = np.array([getattr(math, name)(float(x)) for x in xs])
    assert_same_bits(evaluate_pointwise(POINTWISE[name], xs[None, :]), expected)


def test_by_hand() -> None:
    nan = math.nan
    assert [POINTWISE["sign"].value(x) for x in (-2.0, 0.0, 0.1)] == [-1, 0, 1]
    assert POINTWISE["min"].value(3.0, 1.0, 2.0) == 1
    assert POINTWISE["max"].value(3.0, 1.0, 2.0) == 3
    unknown = [
        POINTWISE["min"].value(1.0, nan),
        POINTWISE["max"].value(nan, 1.0),
        POINTWISE["log"].value(0.0),
        POINTWISE["sqrt"].value(-1.0),
        POINTWISE["exp"].value(710.0),
        POINTWISE["abs"].value(nan),
    ]
    assert all(map(math.isnan, unknown))
