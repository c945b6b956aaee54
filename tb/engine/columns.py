"""evaluate: market nodes in columns over recorded bars, chunk by chunk.

1. Time is cut into chunks of instants; every series gives the bars that closed inside a chunk (`_chunks`).
2. In each chunk the evaluator takes its next step (`tb.engine.evaluator`): the same that a live session takes with each new
   bar.
3. The columns of the wanted nodes are kept, everything else is forgotten with its chunk. Fields of bars are the bars' own
   arrays.

INVARIANT: the result does not depend on the size of the chunks, bit for bit, and a value at an instant depends on bars closed
at or before that instant alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars, instants_of
from tb.engine.blocks import NEVER, Table
from tb.engine.evaluator import Evaluator
from tb.engine.graph import Node, RuleGraph
from tb.engine.history import History
from tb.engine.layout import Group, Layout, Pair, lay_out
from tb.engine.markets import Markets
from tb.engine.reading import RECORDED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 32_768
CELLS = 2 * CHUNK  # values of one node at once, over all instruments
FEWEST = 64


@dataclass(frozen=True, slots=True)
class Columns:
    """Values of the wanted (node, instrument) pairs, one for each bar of the instrument in the node's period."""

    graph: RuleGraph
    values: Mapping[Pair, Floats]

    def __getitem__(self, pair: Pair) -> Floats:
        return self.values[pair]

    def at(self, node: int, symbol: str, row: int) -> float | None:
        """One value, a constant's included; None for unknown."""
        if self.graph[node].op == "const":
            constant = self.graph[node].consts[0]
            return float(constant) if isinstance(constant, Decimal) else None
        value = float(self.values[node, symbol][row])
        return None if isnan(value) else value


def evaluate(graph: RuleGraph, wanted: Mapping[str, Iterable[int]], markets: Markets, *, chunk: int = CHUNK) -> Columns:
    """The columns of the wanted market nodes of each instrument.

    `chunk` counts instants, of which fewer are taken at once where there are many instruments; it changes memory, not results.
    """
    found: dict[Pair, Floats] = {}
    computed: dict[str, dict[int, None]] = {symbol: {} for symbol in wanted}
    deepest: dict[int, int] = {}  # how far back the values of a node are looked at in columns of their own
    for symbol, nodes in wanted.items():
        for node in (graph[id_] for id_ in nodes):
            if symbol not in markets.base:
                found[node.id, symbol] = np.empty(0)  # an instrument without data: whoever asks for it finds nothing
            elif node.op == "field" and node.consts[0] in RECORDED:
                found[node.id, symbol] = markets.read(markets.bars(symbol, node.period), str(node.consts[0]))
            elif node.op != "const":
                id_, back = _source(graph, node)
                computed[symbol][id_] = None
                deepest[id_] = max(back, deepest.get(id_, 0))
    layout = lay_out(graph, computed, markets.base)
    chunk = min(chunk, max(FEWEST, CELLS // max(len(layout.places), 1)))

    def keep(group: Group, node: Node, lead: int) -> History:
        """Room for whole columns; what is not reached is not touched."""
        longest = max(len(markets.bars(symbol, node.period)) for symbol in group.symbols)
        return History(len(group.symbols), max(lead, deepest.get(node.id, 0)), longest, is_whole=True)

    evaluator = Evaluator(graph, layout, markets, room=chunk, keep=keep)
    for tables in _chunks(layout, markets, chunk):
        evaluator.step(tables)
    for symbol, nodes in wanted.items():
        for node in (graph[id_] for id_ in nodes):
            if node.op != "const" and (node.id, symbol) not in found:
                found[node.id, symbol] = _column_of(evaluator, node, symbol, len(markets.bars(symbol, node.period)))
    return Columns(graph, found)


def _source(graph: RuleGraph, node: Node) -> tuple[int, int]:
    """The node whose values a column has, and how many bars before: `x[n]` is the column of x, begun earlier."""
    if node.op == "shift" and graph[node.args[0]].op != "const":
        return node.args[0], int(node.consts[0] or 0)
    return node.id, 0


def _column_of(evaluator: Evaluator, node: Node, symbol: str, size: int) -> Floats:
    id_, back = _source(evaluator.graph, node)
    group, row = evaluator.layout.places[symbol]
    kept = evaluator.kept[group, id_]
    return kept.values[row, kept.lead - back : kept.lead - back + size]


def _chunks(layout: Layout, markets: Markets, chunk: int) -> Iterator[dict[int, Table]]:
    """The bars of every period that closed in each of the chunks of instants."""
    periods = {period: None for group in layout.groups for period in group.periods}
    series: dict[int, list[Bars | None]] = {
        period: [
            markets.bars(symbol, period) if period in group.periods else None
            for group in layout.groups
            for symbol in group.symbols
        ]
        for period in periods
    }
    closes = {
        period: [
            None if bars is None else markets.closes(symbol, period) for symbol, bars in zip(layout.symbols, some, strict=True)
        ]
        for period, some in series.items()
    }
    every = [each for some in closes.values() for each in some if each is not None]
    if not every:
        return
    instants = instants_of(every)
    begins = {period: np.zeros(len(some), dtype=np.int64) for period, some in series.items()}
    for at in range(0, len(instants), chunk):
        last = instants[min(at + chunk, len(instants)) - 1]
        tables = {}
        for period, some in series.items():
            ends = np.array([0 if each is None else each.searchsorted(last, side="right") for each in closes[period]])
            tables[period] = _table(period, some, begins[period], ends)
            begins[period] = ends
        yield tables


def _table(period: int, series: Sequence[Bars | None], begins: Ints, ends: Ints) -> Table:
    """The bars of each instrument from one place to another."""
    parts = [
        (bars, begin, end) for bars, begin, end in zip(series, begins.tolist(), ends.tolist(), strict=True) if bars is not None
    ]

    def read(name: str) -> NDArray[np.generic]:
        if len(parts) == 1:
            bars, begin, end = parts[0]
            found = getattr(bars, name)[begin:end]
            assert isinstance(found, np.ndarray)
            return found
        return np.concatenate([_read(bars, name)[begin:end] for bars, begin, end in parts])

    quoted = np.array([bars is not None and bars.bid is not None and bars.ask is not None for bars in series])
    newest = np.full(len(series), NEVER)
    for place, bars in enumerate(series):
        if bars is not None and (begins[place] or bars.before is not None):
            newest[place] = bars.time[begins[place] - 1] if begins[place] else bars.before
    return Table(period, ends - begins, read, quoted, newest)


def _read(bars: Bars, name: str) -> NDArray[np.generic]:
    found = getattr(bars, name)
    return np.full(len(bars), np.nan) if found is None else np.asarray(found)
