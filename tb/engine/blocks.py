"""New bars, as they are computed: blocks of instruments with equally many of them.

A `Table` has the new bars of one period of all instruments of a layout: those of the first instrument, then those of the
second, each in order of time. A `Block` is a part of a group in which every instrument has the same number of new bars in
each period, so that each node is one array [instruments, bars]. Mostly a group is one block: live one bar of each, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tb.engine.averages import Relation
from tb.engine.history import Reach
from tb.engine.layout import Group, Layout

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).min


class Table:
    """New bars of one period. `counts` says how many each instrument has, `read` gives a column of `Bars` over all of them.

    `quoted` says of each instrument whether its bars have quotes; `bid` and `ask` are read only where one has. `newest` is the
    start of the bar before the first new one of each, NEVER where there is none. `whole`, of a single instrument, gives a
    column of all its bars, of which the first `end` were given by now; None where there are others.
    """

    def __init__(
        self,
        period: int,
        counts: Ints,
        read: Callable[[str], NDArray[np.generic]],
        quoted: NDArray[np.bool_],
        newest: Ints,
        *,
        whole: Callable[[str], NDArray[np.generic]] | None = None,
        end: int = 0,
    ) -> None:
        self.period = period
        self.counts = counts
        self.quoted = quoted
        self.newest = newest
        self.begins = np.concatenate(([0], np.cumsum(counts)))
        self.whole, self.end = whole, end
        self._read = read
        self._columns: dict[str, NDArray[np.generic]] = {}

    def column(self, name: str) -> NDArray[np.generic]:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._read(name)
        return found


@dataclass(slots=True, eq=False)
class Stack:
    """The new bars of one period of the instruments of a block, `places` in the order of the layout: columns are [k, n]."""

    table: Table
    places: Ints
    bars: int
    is_run: bool  # the instruments follow each other in the table, with nothing between
    _closes: Ints | None = None

    def column(self, name: str) -> NDArray[np.generic]:
        flat = self.table.column(name)
        begins = self.table.begins[self.places]
        if self.is_run:
            return flat[begins[0] : begins[0] + len(begins) * self.bars].reshape(len(begins), self.bars)
        return flat[begins[:, None] + np.arange(self.bars)]

    def floats(self, name: str) -> Floats:
        return np.asarray(self.column(name), dtype=np.float64)

    def reach(self, name: str) -> Reach | None:
        """A column with all bars before, where it lies in memory as kernels take it; None where it does not."""
        whole = None if self.table.whole is None else self.table.whole(name)
        if whole is None or whole.dtype != np.float64 or not whole.flags.carray:
            return None
        return Reach(np.asarray(whole, dtype=np.float64).reshape(1, -1), None, self.table.end)

    @property
    def time(self) -> Ints:
        return np.asarray(self.column("time"), dtype=np.int64)

    @property
    def closes(self) -> Ints:
        """The instant at which each bar closes, in ms UTC."""
        if self._closes is None:
            self._closes = self.time + self.table.period
        return self._closes

    @property
    def quoted(self) -> NDArray[np.bool_]:
        return self.table.quoted[self.places]

    @property
    def newest(self) -> Ints:
        return self.table.newest[self.places]


@dataclass(eq=False)
class Block:
    """`rows` are places in the group, None where all of its instruments are there. The rest is what a step has computed."""

    group: Group
    rows: Ints | None
    stacks: Mapping[int, Stack]
    values: dict[int, Floats] = field(default_factory=dict)
    truths: dict[int, NDArray[np.uint8]] = field(default_factory=dict)  # of conditions, in bytes (`tb.engine.conditions`)
    relations: dict[Relation, NDArray[np.uint8]] = field(default_factory=dict)  # those of earlier bars in front
    outputs: dict[int, Floats] = field(default_factory=dict)
    reached: dict[tuple[int, int], Reach] = field(default_factory=dict)  # by node and period it is looked at in

    @cached_property
    def places(self) -> Ints:
        """Places in the group."""
        return np.arange(len(self.group.symbols)) if self.rows is None else self.rows

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.group.symbols if self.rows is None else tuple(self.group.symbols[row] for row in self.rows.tolist())

    def shape(self, period: int) -> tuple[int, int]:
        return len(self.places), self.stacks[period].bars


def blocks(layout: Layout, tables: Mapping[int, Table]) -> Iterator[Block]:
    """The blocks of new bars; an instrument without any is in none."""
    for group in layout.groups:
        some = slice(group.start, group.start + len(group.symbols))
        counts = np.array([tables[period].counts[some] for period in group.periods])
        first = counts[:, :1]
        if (counts == first).all():
            if first.any():
                yield _block(group, None, first[:, 0], tables)
            continue
        kinds, kind = np.unique(counts, axis=1, return_inverse=True)
        for which in range(kinds.shape[1]):
            if kinds[:, which].any():
                yield _block(group, np.flatnonzero(kind.reshape(-1) == which), kinds[:, which], tables)


def _block(group: Group, rows: Ints | None, counts: Ints, tables: Mapping[int, Table]) -> Block:
    places = group.start + (np.arange(len(group.symbols)) if rows is None else rows)
    is_run = rows is None or len(rows) == 1
    stacks = {
        period: Stack(tables[period], places, int(count), is_run) for period, count in zip(group.periods, counts, strict=True)
    }
    return Block(group, rows, stacks)
