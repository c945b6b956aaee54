"""Which instruments are computed together: those for which the same nodes are needed.

1. What is needed follows from what is wanted; `of` needs nodes of another instrument.
2. Instruments with the same needs are a group: every node of the group is one array, with a row for each of them.
3. The order of computation is that of the graph, in which arguments come first; a node's values may be forgotten after the last
   one that reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from tb.engine.graph import Node, RuleGraph

Pair = tuple[int, str]
Call = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Instruments with the same needs. `start` is the place of the first in the order of all instruments of the layout."""

    index: int
    start: int
    symbols: tuple[str, ...]
    nodes: tuple[int, ...]
    periods: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """`order` are the nodes to compute, each with the groups that need it; `places` group and row of each instrument; `wanted`
    the nodes wanted of each group."""

    groups: tuple[Group, ...]
    order: tuple[tuple[Node, tuple[Group, ...]], ...]
    places: Mapping[str, tuple[int, int]]
    wanted: tuple[tuple[int, ...], ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every instrument, group by group."""
        return tuple(symbol for group in self.groups for symbol in group.symbols)


def lay_out(graph: RuleGraph, wanted: Mapping[str, Iterable[int]], symbols: Collection[str]) -> Layout:
    """The layout for the wanted nodes of each instrument, as far as `symbols` (those that have bars) go."""
    asked = {symbol: tuple(nodes) for symbol, nodes in wanted.items()}
    needs = _needs(graph, asked, symbols)
    together: dict[tuple[int, ...], list[str]] = {}
    for symbol, nodes in needs.items():
        together.setdefault(tuple(sorted(nodes)), []).append(symbol)
    groups: list[Group] = []
    for ids, members in together.items():
        start = groups[-1].start + len(groups[-1].symbols) if groups else 0
        periods = tuple(sorted(dict.fromkeys(graph[id_].period for id_ in ids)))
        groups.append(Group(len(groups), start, tuple(members), ids, periods))
    has = {group.index: frozenset(group.nodes) for group in groups}
    order = sorted(dict.fromkeys(id_ for group in groups for id_ in group.nodes))
    wanted_of = (dict.fromkeys(id_ for symbol in group.symbols for id_ in asked.get(symbol, ())) for group in groups)
    places = {symbol: (group.index, row) for group in groups for row, symbol in enumerate(group.symbols)}
    return Layout(
        tuple(groups),
        tuple((graph[id_], tuple(group for group in groups if id_ in has[group.index])) for id_ in order),
        places,
        tuple(tuple(id_ for id_ in ids if graph[id_].op != "const") for ids in wanted_of),
    )


def _needs(graph: RuleGraph, wanted: Mapping[str, tuple[int, ...]], symbols: Collection[str]) -> dict[str, dict[int, None]]:
    """The nodes needed of each instrument, constants aside."""
    found: dict[str, dict[int, None]] = {}
    stack: list[Pair] = [(node, symbol) for symbol, nodes in reversed(list(wanted.items())) for node in reversed(nodes)]
    while stack:
        id_, symbol = stack.pop()
        if symbol not in symbols or graph[id_].op == "const" or id_ in found.get(symbol, ()):
            continue
        found.setdefault(symbol, {})[id_] = None
        node = graph[id_]
        other = str(node.consts[0]) if node.op == "of" else symbol
        stack.extend((arg, other) for arg in node.args)
    return found


def ending(order: Iterable[Node], reads: Callable[[Node], tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """For each node those that are read there for the last time, where nodes read what is said."""
    last = {node.id: node.id for node in order}
    for node in order:
        last.update((arg, node.id) for arg in reads(node) if arg in last)
    found: dict[int, tuple[int, ...]] = {}
    for read, at in last.items():
        found[at] = (*found.get(at, ()), read)
    return found


def call_of(node: Node) -> Call:
    """What the outputs of one function call have in common: its name, its constants and its arguments."""
    return (node.consts[0], *node.consts[2:], node.args)
