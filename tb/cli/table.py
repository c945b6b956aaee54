"""Tables for a terminal: aligned columns that fit its width.

Where the width is too small, columns go in a stated order, the least telling ones first, and that is said; what is left is
never cut off.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tb.core.render.excerpt import visible
from tb.core.render.excerpt import width as columns_of

GAP = 2
FIRST = 1000  # rows that decide how wide a column is; later ones may stick out


@dataclass(frozen=True, slots=True)
class Column:
    """`drop` says when it goes where space is short: the highest first; 0 stays. Numbers stand to the right."""

    head: str
    right: bool = False
    drop: int = 0


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    width: int,
    paint: Callable[[str, str], str] | None = None,
    left_out: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """Lines of the table, the heads first, as rows come. `paint` colours a padded cell by the head of its column.

    Where columns went and there are rows, `left_out` is told in the end which, and how they are seen.
    """
    source = iter(rows)
    first = [[visible(cell) for cell in row] for row in itertools.islice(source, FIRST)]
    widths = [max([len(column.head), *(columns_of(row[at]) for row in first)]) for at, column in enumerate(columns)]
    kept = _kept(columns, widths, width)
    yield _line(columns, [column.head for column in columns], widths, kept, None)
    for row in itertools.chain(first, ([visible(cell) for cell in row] for row in source)):
        yield _line(columns, row, widths, kept, paint)
    gone = [column.head for at, column in enumerate(columns) if at not in kept]
    if gone and first and left_out is not None:
        wide = sum(widths) + GAP * (len(widths) - 1)
        left_out(
            f"left out, as {width} columns have no room: {', '.join(gone)}; a terminal of {wide} shows them, `--json` has all"
        )


def _kept(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    kept = list(range(len(columns)))
    while sum(widths[at] + GAP for at in kept) - GAP > width:
        loose = [at for at in kept if columns[at].drop]
        if not loose:
            break
        kept.remove(max(loose, key=lambda at: columns[at].drop))
    return kept


def _line(
    columns: Sequence[Column],
    cells: Sequence[str],
    widths: Sequence[int],
    kept: Sequence[int],
    paint: Callable[[str, str], str] | None,
) -> str:
    parts = []
    for at in kept:
        space = " " * (widths[at] - columns_of(cells[at]))
        last = at == kept[-1]
        padded = space + cells[at] if columns[at].right else cells[at] + ("" if last else space)
        parts.append(paint(columns[at].head, padded) if paint else padded)
    return (" " * GAP).join(parts).rstrip()
