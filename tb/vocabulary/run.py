"""Evaluate a function over a chunk of bars, of one instrument or of many at once, carrying what it needs to the next chunk.

Guarantees: the outputs of a history do not depend on how it is cut into chunks, bit for bit, nor on how many instruments are
computed together; a `Carry` is never changed, so that a chunk can be evaluated again from the same carry (a bar still forming,
a replay from a saved point).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.vocabulary.function import Constants, Function
from tb.vocabulary.kernels import address, load, load_averages, load_pointwise, load_together, load_truth
from tb.vocabulary.pointwise import Pointwise

Array = NDArray[np.float64]
Places = NDArray[np.int64]
MOST_INPUTS = 5  # that the loop over instruments takes


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


def compare(cases: tuple[float, float, float], left: Array, right: Array) -> Array:
    """What the cases (below, equal, above) of left against right give at each place; NaN where a side is. Shapes are equal."""
    output = np.empty(left.shape)
    sides = _flat(left), _prepared(right[:1, :1]).reshape(-1) if _is_one_number(right) else _flat(right)
    load_truth("compared")(*cases, *sides, output.reshape(-1))
    return output


def join(deciding: float, args: Sequence[Array]) -> Array:
    """`and` of truth values where 0.0 decides, `or` where 1.0 does, at each place. Shapes are equal."""
    found = args[0]
    for other in args[1:]:
        output = np.empty(found.shape)
        load_truth("joined")(deciding, _flat(found), _flat(other), output.reshape(-1))
        found = output
    return found


def in_bytes(truths: Array) -> NDArray[np.uint8]:
    """Truth values in bytes: 0 for false, 1 for true, 2 for unknown."""
    output = np.empty(truths.shape, dtype=np.uint8)
    load_truth("in_bytes")(_flat(truths), output.reshape(-1))
    return output


def relation(inputs: Array, rows: Places, ends: Places, windows: tuple[int, int], bars: int) -> NDArray[np.uint8]:
    """How the averages (`sma`) over two windows are to each other at each of the last bars [k, bars] before an end in each of
    those rows: 0 the first is below the second, 1 they are equal, 2 one is unknown, 3 above. As the averages have it, bit for
    bit, without making most of them. `inputs` are float64 in C order; in front of the bars stand the longer window's others."""
    output = np.empty((len(rows), bars), dtype=np.uint8)
    for place, (row, end) in enumerate(zip(rows.tolist(), ends.tolist(), strict=True)):
        load_averages("related")(inputs, row, end, *windows, output[place])
    return output


def average_at(values: Array, ends: Places, window: int) -> Array:
    """The average (`sma`) of the last values before each of some places of a column [n], NaN where there are too few."""
    output = np.empty(len(ends))
    load_averages("mean_at")(_prepared(values).reshape(1, -1), 0, np.ascontiguousarray(ends), window, output)
    return output


@dataclass(slots=True, eq=False)
class Together:
    """A function with its constants over many instruments, each with a state of its own, which every call carries on.

    `before` is how many earlier values a chunk needs in front of it: window - 1, or 0 of a recursive function, whose `states`
    [instruments, s] remember instead.
    """

    function: Function
    constants: Array
    before: int
    states: Array
    _kernel: int = 0  # where its machine code lies, once it was needed

    def run(
        self,
        states: Places,
        inputs: Sequence[Array],
        rows: Places,
        ends: Sequence[Places],
        bars: int,
        into: Array | None = None,
    ) -> Array:
        """Outputs [k, o, bars] of k of the instruments, those in rows `states`, for their next bars; they are written into an
        array of that shape, if one is given.

        Input i of instrument s is what stands before place ends[i][s] of row rows[s] in inputs[i]: values of these bars, and
        in front of them `before` earlier ones. `inputs` are float64 in C order, with a row for each instrument.
        """
        outputs = self.room(len(rows), bars) if into is None else into
        given = [*inputs, *[inputs[0]] * (MOST_INPUTS - len(inputs))]
        if not self._kernel:
            self._kernel = address(self.function)
        run, places = load_together(), np.array(ends)
        run(self._kernel, self.states, states, self.constants, *given, len(inputs), rows, places, self.before + bars, outputs)
        return outputs

    def room(self, instruments: int, bars: int) -> Array:
        """Where the outputs of so many instruments go."""
        return np.empty((instruments, len(self.function.outputs), bars))


def together(function: Function, constants: Constants, instruments: int) -> Together:
    """The function for so many instruments, none of which has had a bar."""
    before = 0 if function.is_recursive else function.window(constants) - 1
    size = 0 if function.state is None else function.state(constants)
    return Together(function, np.array(constants, dtype=np.float64), before, np.zeros((instruments, size)))


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


def _is_one_number(values: Array) -> bool:
    """Whether it stands for all of them (`np.broadcast_to`)."""
    return values.ndim == 2 and values.size > 0 and values.strides == (0, 0)


def _flat(values: Array) -> Array:
    return (values if values.flags.carray else _prepared(values)).reshape(-1)


def _prepared(inputs: Array) -> Array:
    """As the kernels are compiled for: float64, contiguous, writable (another layout would compile each kernel anew)."""
    return np.require(inputs, np.float64, ["C", "W"])
