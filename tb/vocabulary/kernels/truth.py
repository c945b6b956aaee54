"""Comparisons and logic over many bars: 1.0 is true, 0.0 false, NaN unknown. Values are [n]. In bytes: 1, 0 and 2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tb.vocabulary.kernels.compiled import compiled

NAN = math.nan
BLOCK = 2048  # bars; what is between two steps of them stays near the processor
# a step: what it does, three truths in bytes, and of left, right and output the address and how far on the next bar lies
READS, COMPARES, JOINS, TURNS, WRITES = range(5)
WHAT, FIRST, SECOND, THIRD, LEFT, LEFT_MOVES, RIGHT, RIGHT_MOVES, OUTPUT, OUTPUT_MOVES = range(10)
WIDTH = 10


@compiled
def compared(below: float, equal: float, above: float, left: Any, right: Any, output: Any) -> None:
    """What each of the three cases of left against right gives; unknown where a side is. Where right is one number, it is that
    of all bars."""
    if right.shape[0] == 1:
        y = right[0]
        for i in range(output.shape[0]):
            x = left[i]
            output[i] = below if x < y else equal if x == y else above if x > y else NAN
        return
    for i in range(output.shape[0]):
        x, y = left[i], right[i]
        output[i] = below if x < y else equal if x == y else above if x > y else NAN


@compiled
def joined(deciding: float, left: Any, right: Any, output: Any) -> None:
    """`and` where false (0.0) decides, `or` where true (1.0) does; otherwise unknown where a side is."""
    for i in range(output.shape[0]):
        x, y = left[i], right[i]
        is_decided = (x == deciding) | (y == deciding)
        output[i] = deciding if is_decided else NAN if math.isnan(x) or math.isnan(y) else 1.0 - deciding


@compiled
def in_bytes(values: Any, output: Any) -> None:
    """1 for true, 2 for unknown, 0 for all else."""
    for i in range(output.shape[0]):
        x = values[i]
        output[i] = np.uint8(x == 1.0) | (np.uint8(math.isnan(x)) << np.uint8(1))


def _reading(kind: Any) -> Any:
    """An intrinsic that gives the number of a kind at a place of what lies at an address."""

    def of(_typing: Any, _address: Any, _place: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            data = builder.inttoptr(given[0], ir.PointerType(context.get_data_type(kind)))
            return builder.load(builder.gep(data, [given[1]]))

        return kind(types.int64, types.int64), generate

    return intrinsic(of)


def _writing(kind: Any) -> Any:
    """An intrinsic that writes a number of a kind to a place of what lies at an address."""

    def of(_typing: Any, _address: Any, _place: Any, _number: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            data = builder.inttoptr(given[0], ir.PointerType(context.get_data_type(kind)))
            builder.store(given[2], builder.gep(data, [given[1]]))
            return context.get_dummy_value()

        return types.none(types.int64, types.int64, kind), generate

    return intrinsic(of)


_float, _byte = _reading(types.float64), _reading(types.uint8)
_put_float, _put_byte = _writing(types.float64), _writing(types.uint8)


@compiled
def judged(steps: Any, count: int) -> None:
    """Makes some steps (see above) of `count` bars, block by block. Addresses are those of float64 and bytes, or of what lies
    between steps; nothing that a step reads may be written by one after it."""
    for begin in range(0, count, BLOCK):
        length = min(BLOCK, count - begin)
        for s in range(steps.shape[0]):
            what = steps[s, WHAT]
            first, second, third = np.uint8(steps[s, FIRST]), np.uint8(steps[s, SECOND]), np.uint8(steps[s, THIRD])
            left = steps[s, LEFT] + begin * steps[s, LEFT_MOVES]
            right = steps[s, RIGHT] + begin * steps[s, RIGHT_MOVES]
            output = steps[s, OUTPUT] + begin * steps[s, OUTPUT_MOVES]
            if what == COMPARES:
                for i in range(length):
                    x, y = _float(left, i), _float(right, i)
                    found = third if x > y else np.uint8(2)
                    found = second if x == y else found
                    _put_byte(output, i, first if x < y else found)
            elif what == JOINS:
                for i in range(length):  # of two that do not decide, what is unknown in bytes is the greater
                    a, b = _byte(left, i), _byte(right, i)
                    both = b if a < b else a
                    both = first if b == first else both
                    _put_byte(output, i, first if a == first else both)
            elif what == TURNS:
                for i in range(length):
                    a = _byte(left, i)
                    turned = second if a == 1 else third
                    turned = a if a == 2 else turned
                    _put_byte(output, i, first if a == 0 else turned)
            elif what == READS:
                for i in range(length):
                    x = _float(left, i)
                    found = np.uint8(1) if x == 1.0 else np.uint8(0)
                    _put_byte(output, i, found if x == x else np.uint8(2))  # noqa: PLR0124
            else:
                for i in range(length):
                    a = _byte(left, i)
                    truth = 1.0 if a == 1 else NAN
                    _put_float(output, i, 0.0 if a == 0 else truth)
