"""The loop over instruments calls what it is given, and lets through what that raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from tb.vocabulary.kernels.many import address_of, for_each


@njit
def doubled(state: Any, constants: Any, inputs: Any, outputs: Any) -> None:
    """Twice the newest of the input, and refuses what is below zero."""
    if inputs[0, -1] < 0.0:
        raise ValueError("below zero")
    state[0] += 1.0
    outputs[0, 0] = constants[0] * inputs[-1, -1]


def run(rows: Any, *, count: int = 1) -> tuple[Any, Any]:
    """Over three instruments, whose values differ."""
    states, outputs = np.zeros((3, 1)), np.full((len(rows), 1, 1), np.nan)
    values = np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [5.0, -6.0, 0.0]])
    given = [values, *[values + 10.0 * at for at in range(1, 5)]]
    ends = np.full((count, len(rows)), 2)
    for_each(address_of(doubled), states, rows, np.array([2.0]), *given, count, rows, ends, 2, outputs)
    return states[:, 0].tolist(), outputs[:, 0, 0].tolist()


def test_each_instrument_has_its_own_row_and_state() -> None:
    assert run(np.array([1, 0])) == ([1.0, 1.0, 0.0], [8.0, 4.0])


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_several_inputs_are_gathered_in_their_order(count: int) -> None:
    assert run(np.array([0]), count=count) == ([1.0, 0.0, 0.0], [2.0 * (2.0 + 10.0 * (count - 1))])


def test_what_a_kernel_raises_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="below zero"):
        run(np.array([0, 2, 1]))
