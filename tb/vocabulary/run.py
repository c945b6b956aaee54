"""Evaluate a function over a chunk of bars, carrying what it needs from one chunk to the next.

Guarantees: the outputs of a history do not depend on how it is cut into chunks, bit for bit; a `Carry` is never changed, so
that a chunk can be evaluated again from the same carry (a bar still forming, a replay from a saved point).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.vocabulary.function import Constants, Function
from tb.vocabulary.kernels import load, load_pointwise
from tb.vocabulary.pointwise import Pointwise

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Carry:
    """What a function remembers after a chunk: the last window - 1 inputs [i, window - 1], or the state of a recursion [s]."""

    memory: Array

    def __post_init__(self) -> None:
        self.memory.flags.writeable = False


def evaluate(function: Function, constants: Constants, inputs: Array, carried: Carry | None) -> tuple[Array, Carry]:
    """Outputs [o, n] for inputs [i, n], which hold the implicit fields first, then the series arguments.

    `carried` is what the call for the bars just before returned, None at the first bar of a history. Values are float64, NaN
    where unknown. The units are those of `function.unit`. Inputs are not changed.
    """
    count = len(function.implicit) + len(function.series)
    if inputs.ndim != 2 or inputs.shape[0] != count or len(constants) != len(function.constants):
        raise ValueError(f"{function.name}: {count} inputs and {len(function.constants)} constants needed")
    run = _recursive if function.is_recursive else _windowed
    return run(function, constants, inputs, carried)


def evaluate_pointwise(function: Pointwise, inputs: Array) -> Array:
    """The values [n] of a function of one bar for its arguments [i, n]."""
    output = np.empty(inputs.shape[1])
    load_pointwise(function)(_prepared(inputs), output)
    return output


def _windowed(function: Function, constants: Constants, inputs: Array, carried: Carry | None) -> tuple[Array, Carry]:
    before = function.window(constants) - 1
    tail = np.full((inputs.shape[0], before), np.nan) if carried is None else carried.memory
    whole = np.empty((inputs.shape[0], before + inputs.shape[1]))
    whole[:, :before] = tail
    whole[:, before:] = inputs
    outputs = np.empty((len(function.outputs), inputs.shape[1]))
    if inputs.shape[1]:
        load(function)(np.empty(0), np.array(constants, dtype=np.float64), whole, outputs)
    return outputs, Carry(whole[:, whole.shape[1] - before :].copy())


def _recursive(function: Function, constants: Constants, inputs: Array, carried: Carry | None) -> tuple[Array, Carry]:
    assert function.state is not None
    state = np.zeros(function.state(constants)) if carried is None else carried.memory.copy()
    outputs = np.empty((len(function.outputs), inputs.shape[1]))
    load(function)(state, np.array(constants, dtype=np.float64), _prepared(inputs), outputs)
    return outputs, Carry(state)


def _prepared(inputs: Array) -> Array:
    """As the kernels are compiled for: float64, contiguous, writable (another layout would compile each kernel anew)."""
    return np.require(inputs, np.float64, ["C", "W"])
