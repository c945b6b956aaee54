"""Comparisons and logic of many bars in one pass: what is between them does not leave the processor's near memory.

INVARIANT: truths are those of `compare` and `join` (`tb.vocabulary.run`), bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.vocabulary.kernels import load_truth

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
FALSE, TRUE, UNKNOWN = range(3)  # a truth in a byte
# columns of the table that `kernels/truth.py` reads, and what a step does
WHAT, CASES, LEFT, RIGHT, OUTPUT, WIDTH = 0, 1, 4, 6, 8, 10
READS, COMPARES, JOINS, TURNS, WRITES = range(5)
BLOCK = 2048  # bars that it takes at once


@dataclass(frozen=True, slots=True)
class Given:
    """One of the arrays that `Steps.run` gets: of values, or of truths in bytes."""

    number: int
    is_truths: bool


@dataclass(frozen=True, slots=True)
class Made:
    """The truths that a step gives."""

    step: int


Side = Given | Made | float  # a number is that of all bars


class Steps:
    """Steps in the order in which they are made; the last gives the result. `with_floats`: as float64, too."""

    def __init__(self) -> None:
        self._rows: list[list[int]] = []
        self._given: list[tuple[int, int, Given]] = []  # step, column of its address, and what lies there
        self._made: list[tuple[int, int, Made]] = []
        self._numbers: list[tuple[int, int, Floats]] = []
        self._table: NDArray[np.int64] | None = None
        self._room = np.empty((0, BLOCK), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self._rows)

    def compare(self, cases: Sequence[float], left: Side, right: Side) -> Made:
        """What the cases (below, equal, above) of left against right give, unknown where a side is."""
        return self._add(COMPARES, [int(case) for case in cases], left, right)

    def join(self, deciding: int, left: Side, right: Side) -> Made:
        """`and` where FALSE decides, `or` where TRUE does."""
        return self._add(JOINS, [deciding], left, right)

    def turn(self, side: Side) -> Made:
        """`not`."""
        return self._add(TURNS, [TRUE, FALSE, UNKNOWN], side)

    def related(self, cases: Sequence[float], side: Side) -> Made:
        """What the cases give for a relation in bytes (`tb.vocabulary.run.relation`)."""
        return self._add(TURNS, [int(case) for case in cases], side)

    def read(self, side: Side) -> Made:
        """Truths from values: 1.0 is true, NaN unknown, all else false."""
        return self._add(READS, [], side)

    def _add(self, what: int, cases: list[int], *sides: Side) -> Made:
        step = len(self._rows)
        self._rows.append([what, *cases, *[0] * (WIDTH - 1 - len(cases))])
        for column, side in zip((LEFT, RIGHT), sides, strict=False):
            match side:
                case Given():
                    self._given.append((step, column, side))
                case Made():
                    self._made.append((step, column, side))
                case _:
                    self._numbers.append((step, column, np.full(BLOCK, side)))
        return Made(step)

    def _prepared(self) -> NDArray[np.int64]:
        """The table as far as it is the same for all arrays; what each step but the last makes has a room of its own."""
        count = len(self._rows)
        table = np.array([*self._rows, [WRITES, *[0] * (WIDTH - 1)]], dtype=np.int64)
        self._room = np.empty((count, BLOCK), dtype=np.uint8)
        for step in range(count - 1):
            table[step, OUTPUT] = _address(self._room[step])
        for step, column, made in self._made:
            table[step, column] = table[made.step, OUTPUT]
        for step, column, number in self._numbers:
            table[step, column] = _address(number)
        for step, column, given in self._given:
            table[step, column + 1] = 1 if given.is_truths else 8
        table[count - 1, OUTPUT + 1], table[count, LEFT + 1], table[count, OUTPUT + 1] = 1, 1, 8
        return table

    def run(self, values: Sequence[Floats], truths: Sequence[Bytes], output: Bytes, floats: Floats | None = None) -> None:
        """Writes the result in bytes into `output`, and as 1.0, 0.0 and NaN into `floats` if that is given. All have the shape
        of `output` and lie in C order."""
        if self._table is None:
            self._table = self._prepared()
        table, count = self._table, len(self._rows)
        for one in (*values, *truths, *(() if floats is None else (floats,))):
            assert one.shape == output.shape, "an array that is not as long as the others"
        assert all(one.dtype == np.float64 for one in values), "values that are not float64"
        addresses = {True: [_address(one) for one in truths], False: [_address(one) for one in values]}
        for step, column, given in self._given:
            table[step, column] = addresses[given.is_truths][given.number]
        table[count - 1, OUTPUT] = table[count, LEFT] = _address(output)
        if floats is not None:
            table[count, OUTPUT] = _address(floats)
        load_truth("judged")(table if floats is not None else table[:count], output.size)


def _address(array: NDArray[np.generic]) -> int:
    assert array.flags.c_contiguous, "an array that does not lie in C order"
    found: int = array.__array_interface__["data"][0]
    return found
