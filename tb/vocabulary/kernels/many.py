"""One kernel over many instruments: the loop that calls it for each.

A kernel comes as the address of its machine code, so that this loop is compiled once and serves all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled


@compiled
def for_each(
    kernel: Any,
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
            kernel(state, constants, first[row][end - length : end].reshape(1, length), outputs[s])
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
            gathered[i] = source[end - length : end]
        kernel(state, constants, gathered, outputs[s])
