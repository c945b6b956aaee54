"""One kernel over many instruments: the loop that calls it for each.

A kernel comes as the address of its machine code, so that this loop is compiled once and serves all of them. What a kernel
raises (it runs out of memory) ends the loop and reaches the caller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

from tb.vocabulary.kernels.compiled import compiled

_ONE, _TWO = (types.Array(types.float64, dimensions, "C") for dimensions in (1, 2))
_of: Any = arrayobj.make_array
_populate: Any = arrayobj.populate_array
ARGUMENTS = (_ONE, _ONE, _TWO, _TWO)  # state, constants, inputs, outputs: the one layout that kernels are compiled for


def address_of(kernel: Any) -> int:
    """Where the machine code of a kernel lies, compiled or fetched from disk; for as long as the kernel is there."""
    kernel.compile(ARGUMENTS)
    made = kernel.overloads[ARGUMENTS]
    found: int = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    return found


def _calling(_typing: Any, _address: Any, state: Any, constants: Any, inputs: Any, outputs: Any) -> Any:
    """Calls what lies at an address as numba calls its own functions."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kernel = context.call_conv.get_function_type(types.none, ARGUMENTS)
        at = builder.inttoptr(given[0], ir.PointerType(kernel))
        status, _ = context.call_conv.call_function(builder, at, types.none, ARGUMENTS, given[1:])
        with builder.if_then(status.is_error, likely=False):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    if (state, constants, inputs, outputs) != ARGUMENTS:
        raise TypeError(f"a kernel takes {ARGUMENTS}, not {(state, constants, inputs, outputs)}")
    return types.none(types.int64, *ARGUMENTS), generate


def _lying(_typing: Any, array: Any, row: Any, start: Any, length: Any) -> Any:
    """So many values of a row as inputs [1, length], where they lie: a slice in a new shape takes long to compile."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        whole = _of(array)(context, builder, given[0])
        step, width = (builder.extract_value(each, 1) for each in (whole.strides, whole.shape))
        place = builder.add(builder.mul(given[1], width), given[2])
        made = _of(_TWO)(context, builder)
        shape, strides = (context.get_constant(types.intp, 1), given[3]), (builder.mul(given[3], step), step)
        _populate(made, builder.gep(whole.data, [place]), shape, strides, whole.itemsize, None)
        return made._getvalue()

    if array != _TWO:
        raise TypeError(f"values lie in {_TWO}, not in {array}")
    return _TWO(array, types.int64, types.int64, types.int64), generate


_call: Any = intrinsic(_calling)
_at: Any = intrinsic(_lying)


@compiled
def for_each(
    kernel: int,
    states: Any,
    state_rows: Any,
    constants: Any,
    first: Any,
    second: Any,
    third: Any,
    fourth: Any,
    fifth: Any,
    count: int,
    rows: Any,
    ends: Any,
    length: int,
    outputs: Any,
) -> None:
    """Calls the kernel for each instrument s, with the state in row state_rows[s] and `count` inputs of `length` values.

    Input i is what ends at ends[i, s] in row rows[s] of the i-th of the five arrays; those beyond `count` are not read. What it
    writes goes to outputs[s].
    """
    gathered = np.empty((count, length))
    for s in range(rows.shape[0]):
        row, state = rows[s], states[state_rows[s]]
        if count == 1:
            _call(kernel, state, constants, _at(first, row, ends[0, s] - length, length), outputs[s])
            continue
        for i in range(count):
            start = ends[i, s] - length
            if i == 0:
                source = _at(first, row, start, length)
            elif i == 1:
                source = _at(second, row, start, length)
            elif i == 2:
                source = _at(third, row, start, length)
            elif i == 3:
                source = _at(fourth, row, start, length)
            else:
                source = _at(fifth, row, start, length)
            for k in range(length):
                gathered[i, k] = source[0, k]
        _call(kernel, state, constants, gathered, outputs[s])
