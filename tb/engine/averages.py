"""Averages that are only compared with each other: no column of them is made.

How two `sma` of one field are to each other is told without them at nearly all bars (`tb.vocabulary.run.relation`); where one
is read as well, at a few bars, it is made there (`Average.at`).

INVARIANT: what is made is what a column would have, bit for bit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import RECORDED
from tb.engine.graph import Node, RuleGraph
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.run import average_at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Average:
    """An `sma` of a recorded field, and how many bars ago it is looked at."""

    of: int  # the node of the field
    window: int
    back: int

    def at(self, values: Floats, rows: Ints) -> Floats:
        """Its values at some rows of the field's column."""
        return average_at(values, rows + 1 - self.back, self.window)


@dataclass(frozen=True, slots=True)
class Relation:
    """Two averages of one field, beside each other."""

    of: int
    windows: tuple[int, int]


def average_of(graph: RuleGraph, node: Node) -> Average | None:
    """What a node is, if it is such an average, or one of some bars ago."""
    back, period = 0, node.period
    if node.op == "shift":
        back, node = int(node.consts[0] or 0), graph[node.args[0]]
    if node.op != "apply" or FUNCTIONS[str(node.consts[0])].kernel != "averages:mean":
        return None
    (of,) = (graph[arg] for arg in node.args)
    if of.op != "field" or of.consts[0] not in RECORDED or not period == node.period == of.period:
        return None
    return Average(of.id, int(node.consts[2] or 0), back)


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """`compared` are comparisons of two averages, with their relation and how many bars ago it is looked at; `spared` the nodes
    that nothing else reads."""

    compared: Mapping[int, tuple[Relation, int]]
    spared: frozenset[int]

    @property
    def deepest(self) -> Mapping[Relation, int]:
        """How far back each relation is looked at."""
        found: dict[Relation, int] = {}
        for relation, back in self.compared.values():
            found[relation] = max(back, found.get(relation, 0))
        return found


def related_of(
    graph: RuleGraph, comparisons: Sequence[Node], readers: Mapping[int, Sequence[Node]], wanted: Collection[int]
) -> Related:
    """Those among comparisons whose averages nothing else reads, and nobody wants."""
    compared = {node.id: found for node in comparisons if (found := _relation(graph, node)) is not None}
    while True:
        sides = _sides(graph, compared)
        own = [*compared, *sides]
        seen = [id_ for id_ in sides if id_ in wanted or any(reader.id not in own for reader in readers[id_])]
        if not seen:
            return Related(compared, frozenset(sides))
        compared = {id_: found for id_, found in compared.items() if not any(side in seen for side in _sides(graph, (id_,)))}


def _relation(graph: RuleGraph, node: Node) -> tuple[Relation, int] | None:
    left, right = (average_of(graph, graph[arg]) for arg in node.args)
    if left is None or right is None or (left.of, left.back) != (right.of, right.back) or graph[left.of].period != node.period:
        return None
    return Relation(left.of, (left.window, right.window)), left.back


def _sides(graph: RuleGraph, compared: Iterable[int]) -> dict[int, None]:
    """The averages that comparisons compare, and those that these are of some bars ago."""
    found: dict[int, None] = {}
    for id_ in compared:
        for side in graph[id_].args:
            found[side] = None
            if graph[side].op == "shift":
                found[graph[side].args[0]] = None
    return found
