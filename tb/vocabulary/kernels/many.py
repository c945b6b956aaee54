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

from tb.vocabulary.kernels.compiled import compiled

_ONE, _TWO = (types.Array(types.float64, dimensions, "C") for dimensions in (1, 2))
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


_call: Any = intrinsic(_calling)


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
        row = rows[s]
        state = states[state_rows[s]]
        if count == 1:
            end = ends[0, s]
            _call(kernel, state, constants, first[row][end - length : end].reshape(1, length), outputs[s])
            continue
        for i in range(count):
            end = ends[i, s]
            if i == 0:
                source = first[row]
            elif i == 1:
                source = second[row]
            elif i == 2:
                source = third[row]
            elif i == 3:
                source = fourth[row]
            else:
                source = fifth[row]
            for k in range(length):  # a slice assigned at once compiles two seconds longer, for the words of its error
                gathered[i, k] = source[end - length + k]
        _call(kernel, state, constants, gathered, outputs[s])
