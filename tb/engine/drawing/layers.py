"""Where the boxes of a picture go: columns from what is read to what is decided, few crossings, no overlap.

1. A box stands one column to the right of the rightmost box it reads.
2. Within a column boxes are put in the order of the middle of their neighbours, a few sweeps to and fro.
3. Each is moved as near to the middle of its neighbours as its column allows.

Deterministic: ties are settled by the order in which boxes were given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SWEEPS = 6
Box = str


def columns_of(boxes: Sequence[Box], reads: Mapping[Box, Sequence[Box]]) -> dict[Box, int]:
    """The column of each box, from 0. `boxes` stand in an order in which a box follows what it reads."""
    column: dict[Box, int] = {}
    for box in boxes:
        column[box] = max((column[read] + 1 for read in reads[box]), default=0)
    return column


def places(boxes: Sequence[Box], reads: Mapping[Box, Sequence[Box]], height: float) -> dict[Box, tuple[int, float]]:
    """Column and top of each box; boxes of one column are at least `height` apart."""
    column = columns_of(boxes, reads)
    readers: dict[Box, list[Box]] = {box: [] for box in boxes}
    for box in boxes:
        for read in reads[box]:
            readers[read].append(box)
    columns: list[list[Box]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for box in boxes:
        columns[column[box]].append(box)
    top = {box: place * height for stack in columns for place, box in enumerate(stack)}
    for sweep in range(SWEEPS):
        towards, order = (reads, columns) if sweep % 2 == 0 else (readers, columns[::-1])
        for stack in order:
            _settle(stack, towards, top, height)
    lowest = min(top.values(), default=0.0)
    return {box: (column[box], top[box] - lowest) for box in boxes}


def _settle(stack: list[Box], towards: Mapping[Box, Sequence[Box]], top: dict[Box, float], height: float) -> None:
    """Puts the boxes of a column next to their neighbours, in the order of where they want to be."""
    wanted = {box: _middle([top[near] for near in towards[box]], top[box]) for box in stack}
    stack.sort(key=lambda box: wanted[box])
    previous = None
    for box in stack:
        top[box] = wanted[box] if previous is None else max(wanted[box], previous + height)
        previous = top[box]
    # pushing down moved the column as a whole: bring it back to the middle of where it wanted to be
    shift = sum(wanted[box] - top[box] for box in stack) / len(stack) if stack else 0.0
    for box in stack:
        top[box] += shift


def _middle(tops: Sequence[float], own: float) -> float:
    return sum(tops) / len(tops) if tops else own
