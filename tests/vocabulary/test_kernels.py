"""Every kernel equals its definition bit for bit, for every way of cutting a history into chunks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabulary_samples import (
    ALL,
    RECURSIVE,
    WINDOWED,
    Array,
    assert_same_bits,
    awkward_inputs,
    constants_for,
    name_of,
    usual_constants,
    walk,
)

from tb.vocabulary.function import Constants, Function
from tb.vocabulary.kernels import load
from tb.vocabulary.run import Carry, evaluate, together

ENDS_ALONE = ("change", "roc", "momentum")  # the bars between the two ends of the window do not matter


def reference(function: Function, constants: Constants, inputs: Array) -> Array:
    rows = function.reference(constants, [list(map(float, row)) for row in inputs])
    return np.array(rows, dtype=np.float64).reshape(len(function.outputs), inputs.shape[1])


def in_chunks(function: Function, constants: Constants, inputs: Array, cuts: list[int]) -> Array:
    carried: Carry | None = None
    parts = []
    edges = [0, *sorted(cuts), inputs.shape[1]]
    for start, end in pairwise(edges):
        found, carried = evaluate(function, constants, inputs[:, start:end], carried)
        parts.append(found)
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("function", ALL, ids=name_of)
@settings(max_examples=30)
@given(data=st.data())
def test_kernel_equals_definition_on_awkward_values(function: Function, data: st.DataObject) -> None:
    constants = data.draw(constants_for(function))
    inputs = data.draw(awkward_inputs(function))
    found, _ = evaluate(function, constants, inputs, None)
    assert_same_bits(found, reference(function, constants, inputs))
    assert not np.isinf(found).any()


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_kernel_equals_definition_on_a_market(function: Function) -> None:
    inputs = walk(function, 400)
    inputs[:, 200] = np.nan
    constants = usual_constants(function)
    found, _ = evaluate(function, constants, inputs, None)
    assert_same_bits(found, reference(function, constants, inputs))
    assert np.isfinite(found[:, -1]).all()


@pytest.mark.parametrize("function", ALL, ids=name_of)
@settings(max_examples=15)
@given(data=st.data())
def test_chunks_do_not_change_a_bit(function: Function, data: st.DataObject) -> None:
    constants = data.draw(constants_for(function))
    inputs = data.draw(awkward_inputs(function))
    cuts = data.draw(st.lists(st.integers(0, inputs.shape[1]), max_size=6))
    whole, _ = evaluate(function, constants, inputs, None)
    assert_same_bits(in_chunks(function, constants, inputs, cuts), whole)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_bar_by_bar_equals_at_once(function: Function) -> None:
    inputs = walk(function, 130)
    constants = usual_constants(function)
    whole, _ = evaluate(function, constants, inputs, None)
    assert_same_bits(in_chunks(function, constants, inputs, list(range(1, 130))), whole)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_a_carry_and_the_inputs_are_never_changed(function: Function) -> None:
    inputs = walk(function, 130)
    inputs.flags.writeable = False
    constants = usual_constants(function)
    _, carried = evaluate(function, constants, inputs[:, :100], None)
    first, _ = evaluate(function, constants, inputs[:, 100:], carried)
    again, _ = evaluate(function, constants, np.asfortranarray(inputs[:, 100:]), carried)
    assert_same_bits(again, first)
    assert len(load(function).signatures) == 1, "another layout of the inputs would compile the kernel again"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="read-only"):
        carried.memory[...] = 0.0


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_many_instruments_at_once_equal_each_alone(function: Function) -> None:
    constants = usual_constants(function)
    alone = [walk(function, 130, seed) for seed in range(3)]
    many = together(function, constants, len(alone))
    inputs = [
        np.array([np.concatenate([np.full(many.before, np.nan), one[row]]) for one in alone]) for row in range(len(alone[0]))
    ]
    found: list[list[Array]] = [[] for _ in alone]
    # the last instrument has its bars later than the others, all have several at once, then one by one
    for whose, start, stop in (
        ([1, 0], 0, 100),
        ([2], 0, 7),
        ([2], 7, 100),
        *(([0, 1, 2], at, at + 1) for at in range(100, 130)),
    ):
        rows = np.array(whose)
        ends = [np.full(len(rows), many.before + stop)] * len(inputs)
        for which, outputs in zip(whose, many.run(rows, inputs, rows, ends, stop - start), strict=True):
            found[which].append(outputs)
    for one, parts in zip(alone, found, strict=True):
        assert_same_bits(np.concatenate(parts, axis=1), evaluate(function, constants, one, None)[0])
    assert len(load(function).signatures) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_wrong_shapes_are_refused(function: Function) -> None:
    inputs = walk(function, 5)
    with pytest.raises(ValueError, match=function.name):
        evaluate(function, usual_constants(function), inputs[:-1], None)
    with pytest.raises(ValueError, match=function.name):
        evaluate(function, (*usual_constants(function), 1.0), inputs, None)


@pytest.mark.parametrize("function", ALL, ids=name_of)
@pytest.mark.parametrize("shortest", [False, True], ids=["usual", "shortest"])
def test_warm_up_ends_at_the_bar_the_window_says(function: Function, shortest: bool) -> None:
    constants = usual_constants(function)
    if shortest:
        constants = tuple(float(p.low or 0.0) if p.is_window else min(2.0, float(p.high or 0.0)) for p in function.constants)
    found, _ = evaluate(function, constants, walk(function, 150), None)
    lead = function.window(constants) - 1
    assert np.isnan(found[:, :lead]).all()
    assert np.isfinite(found[:, lead:]).all()


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_outputs_stay_in_their_range(function: Function) -> None:
    for seed in range(20):
        found, _ = evaluate(function, tuple(min(c, 5.0) for c in usual_constants(function)), walk(function, 300, seed), None)
        for output, column in enumerate(found):
            low, high = function.range_of(output)
            known = column[np.isfinite(column)]
            assert low is None or (known >= low).all()
            assert high is None or (known <= high).all()


@pytest.mark.parametrize("function", WINDOWED, ids=name_of)
def test_an_unknown_input_is_unknown_while_it_is_in_the_window(function: Function) -> None:
    constants = usual_constants(function)
    window = function.window(constants)
    clean = walk(function, 200)
    expected, _ = evaluate(function, constants, clean, None)
    for row in range(clean.shape[0]):
        for unknown in (np.nan, np.inf, -np.inf):
            inputs = clean.copy()
            inputs[row, 100] = unknown
            wanted = expected.copy()
            if function.name in ENDS_ALONE:
                wanted[:, [100, 100 + window - 1]] = np.nan
            else:
                wanted[:, 100 : 100 + window] = np.nan
            found, _ = evaluate(function, constants, inputs, None)
            assert_same_bits(found, wanted)


@pytest.mark.parametrize("function", RECURSIVE, ids=name_of)
def test_a_recursion_starts_anew_after_an_unknown_input(function: Function) -> None:
    constants = usual_constants(function)
    clean = walk(function, 300)
    before, _ = evaluate(function, constants, clean[:, :100], None)
    after, _ = evaluate(function, constants, clean[:, 101:], None)
    for row in range(clean.shape[0]):
        inputs = clean.copy()
        inputs[row, 100] = np.nan
        found, _ = evaluate(function, constants, inputs, None)
        assert_same_bits(found[:, :100], before)
        assert np.isnan(found[:, 100]).all()
        assert_same_bits(found[:, 101:], after)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_values_return_after_a_gap(function: Function) -> None:
    """Bars without data: nothing is known in them, and afterwards what a history that begins after them would say."""
    constants = usual_constants(function)
    inputs = walk(function, 400)
    inputs[:, 150:157] = np.nan
    found, _ = evaluate(function, constants, inputs, None)
    after, _ = evaluate(function, constants, inputs[:, 157:], None)
    assert np.isnan(found[:, 150:157]).all()
    if function.name not in ENDS_ALONE:  # these see across a gap that lies between their two bars
        assert_same_bits(found[:, 157:], after)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_the_first_bar(function: Function) -> None:
    found, _ = evaluate(function, usual_constants(function), walk(function, 1), None)
    assert found.shape == (len(function.outputs), 1)
    assert np.isfinite(found).all() == (function.window(usual_constants(function)) == 1)


FADING = [f for f in RECURSIVE if f.unstable is not None]


@pytest.mark.parametrize("function", FADING, ids=name_of)
def test_a_start_has_faded_when_the_function_says_so(function: Function) -> None:
    """Two histories that differ in their first bars differ by next to nothing at the bar `unstable` names.

    The weight of an average's start is under a millionth there; a quotient of averages, or the last bars changed here, make it
    a little more.
    """
    constants = usual_constants(function)
    assert function.unstable is not None
    settled, window = function.unstable(constants), function.window(constants)
    inputs = walk(function, settled)
    other = inputs.copy()
    other[:, :window] *= 1.0 + np.random.default_rng(1).normal(0.0, 0.01, window)
    apart = np.abs(evaluate(function, constants, inputs, None)[0] - evaluate(function, constants, other, None)[0])
    first = apart[:, window - 1 : window + 10].max(axis=1)
    assert (first > 1e-6).all()
    assert (apart[:, -1] < 1e-5 * first).all()
