"""What is kept of nodes that matter at few bars: the truth of some at each bar in a byte, the values of others where one holds.

A replay reads most columns only where the condition of an entry holds; whole columns would be memory that nobody looks at.

INVARIANT: what is kept is what a whole column has at these bars, bit for bit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tb.engine.blocks import Block
from tb.engine.graph import Node, RuleGraph
from tb.engine.layout import Group
from tb.vocabulary.run import in_bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
FALSE, TRUE, UNKNOWN = range(3)  # a truth in a byte


@dataclass(frozen=True, slots=True)
class Few:
    """Of one instrument: `truths` are conditions, which are kept in bytes. Of other nodes values are kept where one of `where`,
    which are among them, is true in their own period; those of other periods are not meant."""

    truths: tuple[int, ...]
    where: tuple[int, ...]

    def has(self, graph: RuleGraph, node: Node) -> bool:
        return node.op != "const" and any(graph[id_].period == node.period for id_ in self.where)


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Values at some bars of an instrument, ascending."""

    rows: Ints
    values: Floats

    def at(self, rows: Ints) -> Floats | None:
        """The values at those rows, None where one of them was not kept."""
        places = self.rows.searchsorted(rows)
        if len(rows) and (not len(self.rows) or (self.rows[np.minimum(places, len(self.rows) - 1)] != rows).any()):
            return None
        return self.values[places]

    def one(self, row: int) -> float | None:
        place = int(self.rows.searchsorted(row))
        return float(self.values[place]) if place < len(self.rows) and self.rows[place] == row else None


class Picking:
    """For a group of instruments and one period: takes what a step has computed, before it is forgotten."""

    def __init__(
        self, group: Group, period: int, truths: Collection[int], where: Collection[int], nodes: Collection[int], longest: int
    ) -> None:
        self.group, self.period = group, period
        self.nodes = tuple(nodes)
        self._where = tuple(where)
        size = len(group.symbols)
        self._truths = {id_: np.empty((size, longest), dtype=np.uint8) for id_ in truths}
        self._begins = np.zeros(size, dtype=np.int64)
        self._places: list[Ints] = []
        self._rows: list[Ints] = []
        self._values: dict[int, list[Floats]] = {id_: [] for id_ in self.nodes}

    def take(self, block: Block) -> None:
        shape = block.shape(self.period)
        if not shape[1]:
            return
        begins = self._begins[block.places]
        truths = {id_: block.truths[id_] if id_ in block.truths else in_bytes(block.values[id_]) for id_ in self._truths}
        for id_, kept in self._truths.items():
            _write(kept, block, begins, truths[id_])
        found = np.flatnonzero(reduce(np.logical_or, [truths[id_] == TRUE for id_ in self._where]))
        if len(found):
            places, bars = np.divmod(found, shape[1]) if shape[0] > 1 else (np.zeros(len(found), dtype=np.int64), found)
            self._places.append(block.places[places])
            self._rows.append(begins[places] + bars)
            for id_, values in self._values.items():
                is_there = id_ in block.values
                values.append(
                    block.values[id_].reshape(-1)[found] if is_there else decoded(block.truths[id_].reshape(-1)[found])
                )
        self._begins[block.places] = begins + shape[1]

    def truths(self, symbol: int, size: int) -> Mapping[int, Bytes]:
        """The conditions of the instrument in that row at each of its bars."""
        return {id_: kept[symbol, :size] for id_, kept in self._truths.items()}

    def picked(self) -> Mapping[tuple[int, int], Picked]:
        """By node and row in the group, of every instrument."""
        places, rows = (np.concatenate([np.empty(0, dtype=np.int64), *parts]) for parts in (self._places, self._rows))
        order = np.argsort(places, kind="stable") if len(self.group.symbols) > 1 else slice(None)
        ends = np.searchsorted(places[order], np.arange(len(self.group.symbols) + 1)).tolist()
        ordered: Ints = rows[order]
        found: dict[tuple[int, int], Picked] = {}
        for id_, parts in self._values.items():
            values: Floats = np.concatenate([np.empty(0), *parts])[order]
            for row, (begin, end) in enumerate(pairwise(ends)):
                found[id_, row] = Picked(ordered[begin:end], values[begin:end])
        return found


def decoded(truths: Bytes) -> Floats:
    """The column that they were."""
    return np.array([0.0, 1.0, np.nan])[truths]


def _write(kept: Bytes, block: Block, begins: Ints, new: Bytes) -> None:
    """Writes the next bytes of each instrument of the block."""
    if block.rows is None and (begins == begins[0]).all():
        kept[:, begins[0] : begins[0] + new.shape[1]] = new
    else:
        kept[block.places[:, None], begins[:, None] + np.arange(new.shape[1])] = new
