"""evaluate: market nodes in columns over recorded bars, chunk by chunk.

1. Time is cut into chunks of instants; every series gives the bars that closed inside a chunk (`_chunks`).
2. In each chunk the evaluator takes its next step (`tb.engine.evaluator`): the same that a live session takes with each new
   bar. The step after it is begun before it is finished, so that two processors have work.
3. The columns of the wanted nodes are kept, or the part of them that matters (`tb.engine.picking`); everything else is
   forgotten with its chunk. Fields of bars are the bars' own arrays.

INVARIANT: the result does not depend on the size of the chunks, bit for bit, and a value at an instant depends on bars closed
at or before that instant alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isnan
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tb.engine.averages import Average, average_of
from tb.engine.bars import RECORDED, Bars, instants_of
from tb.engine.blocks import NEVER, Table
from tb.engine.evaluator import Beside, Evaluator
from tb.engine.graph import Node, RuleGraph
from tb.engine.history import History
from tb.engine.layout import Group, Layout, Pair, lay_out
from tb.engine.markets import Markets
from tb.engine.picking import Bytes, Few, Picked, Picking, decoded
from tb.vocabulary.run import in_bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
T = TypeVar("T")
CHUNK = 131_072
CELLS = CHUNK  # values of one node at once, over all instruments
FEWEST = 64


@dataclass(frozen=True, slots=True)
class Columns:
    """Values of the wanted (node, instrument) pairs, one for each bar of the instrument in the node's period.

    Where few are kept (`tb.engine.picking`), the rest is evaluated once more when somebody asks for it.
    """

    graph: RuleGraph
    markets: Markets
    values: Mapping[Pair, Floats]
    truths: Mapping[Pair, Bytes] = field(default_factory=dict)
    picked: Mapping[Pair, Picked] = field(default_factory=dict)
    later: Mapping[Pair, Average] = field(default_factory=dict)  # made where somebody asks
    _whole: dict[Pair, Floats] = field(default_factory=dict)

    def __getitem__(self, pair: Pair) -> Floats:
        """A whole column."""
        found = self.values.get(pair)
        if found is not None:
            return found
        if pair not in self._whole:
            if pair in self.truths:
                self._whole[pair] = decoded(self.truths[pair])
            else:
                wanted = {pair[1]: [id_ for id_, symbol in (*self.picked, *self.later) if symbol == pair[1]]}
                self._whole.update(evaluate(self.graph, wanted, self.markets).values)
        return self._whole[pair]

    def truth(self, pair: Pair) -> Bytes:
        """A condition at each bar (`tb.engine.picking`)."""
        found = self.truths.get(pair)
        return in_bytes(self[pair]) if found is None else found

    def some(self, pair: Pair, rows: Ints) -> Floats:
        """The values at some bars."""
        if pair in self.later and pair not in self._whole:
            return self._made(pair, rows)
        picked = self.picked.get(pair)
        found = None if picked is None else picked.at(rows)
        return self[pair][rows] if found is None else found

    def at(self, node: int, symbol: str, row: int) -> float | None:
        """One value, a constant's included; None for unknown."""
        if self.graph[node].op == "const":
            constant = self.graph[node].consts[0]
            return float(constant) if isinstance(constant, Decimal) else None
        if (node, symbol) in self.later and (node, symbol) not in self._whole:
            value = float(self._made((node, symbol), np.array([row]))[0])
            return None if isnan(value) else value
        picked = self.picked.get((node, symbol))
        found = None if picked is None else picked.one(row)
        value = float(self[node, symbol][row]) if found is None else found
        return None if isnan(value) else value

    def _made(self, pair: Pair, rows: Ints) -> Floats:
        average, field_ = self.later[pair], self.graph[self.later[pair].of]
        return average.at(self.markets.read(self.markets.bars(pair[1], field_.period), str(field_.consts[0])), rows)


def evaluate(
    graph: RuleGraph,
    wanted: Mapping[str, Iterable[int]],
    markets: Markets,
    *,
    chunk: int = CHUNK,
    few: Mapping[str, Few] | None = None,
    beside: Beside | None = None,
) -> Columns:
    """The columns of the wanted market nodes of each instrument; of those in `few` no more than it says. `beside` makes
    independent calls of functions (`tb.engine.evaluator`).

    `chunk` counts instants, of which fewer are taken at once where there are many instruments; it changes memory, not results.
    """
    asked = _Asked(graph, wanted, markets, few or {})
    layout = lay_out(graph, asked.computed, markets.base)
    chunk = min(chunk, max(FEWEST, CELLS // max(len(layout.places), 1)))
    pickings = [one for group in layout.groups for one in _pickings(graph, layout, group, asked, markets)]

    def keep(group: Group, node: Node, lead: int) -> History | None:
        """Room for whole columns; what is not reached is not touched."""
        if not any((node.id, symbol) in asked.whole for symbol in group.symbols):
            return None
        longest = max(len(markets.bars(symbol, node.period)) for symbol in group.symbols)
        return History(len(group.symbols), max(lead, asked.deepest[node.id]), longest, is_whole=True)

    evaluator = Evaluator(graph, layout, markets, room=chunk, keep=keep, beside=beside)
    steps = (evaluator.begin(tables) for tables in _chunks(layout, markets, chunk))
    for step in _one_ahead(steps):
        for block in evaluator.finish(step):
            for one in pickings:
                if one.group.index == block.group.index:
                    one.take(block)
    return _columns(graph, markets, evaluator, asked, pickings)


def _one_ahead(things: Iterable[T]) -> Iterator[T]:
    """Each, when the next one has been made."""
    waiting: list[T] = []
    for thing in things:
        waiting.append(thing)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting


class _Asked:
    """What is wanted of each instrument, and how much of it is kept."""

    def __init__(self, graph: RuleGraph, wanted: Mapping[str, Iterable[int]], markets: Markets, few: Mapping[str, Few]) -> None:
        self.there: dict[Pair, Floats] = {}  # what need not be computed
        self.whole: dict[Pair, None] = {}  # what is kept at every bar
        self.wanted: list[tuple[Pair, int, int]] = []  # of those: the node whose column has it, and how many bars before
        self.rare: dict[str, dict[int, None]] = {}  # by instrument, what is kept as `few` says
        self.deepest: dict[int, int] = {}  # how far back the values of a node are looked at in columns of their own
        self.few = few
        self.later: dict[Pair, Average] = {}
        self.computed: dict[str, dict[int, None]] = {symbol: {} for symbol in wanted}
        for symbol, nodes in wanted.items():
            for node in (graph[id_] for id_ in nodes):
                self._add(graph, markets, node, symbol)

    def _add(self, graph: RuleGraph, markets: Markets, node: Node, symbol: str) -> None:
        if symbol not in markets.base:
            self.there[node.id, symbol] = np.empty(0)  # an instrument without data: whoever asks for it finds nothing
        elif node.op == "field" and node.consts[0] in RECORDED:
            self.there[node.id, symbol] = markets.read(markets.bars(symbol, node.period), str(node.consts[0]))
        elif symbol in self.few and self.few[symbol].has(graph, node) and (average := average_of(graph, node)) is not None:
            self.later[node.id, symbol] = average
        elif symbol in self.few and self.few[symbol].has(graph, node):
            self.rare.setdefault(symbol, {})[node.id] = None
            self.computed[symbol][node.id] = None
        elif node.op != "const":
            id_, back = _source(graph, node)
            self.wanted.append(((node.id, symbol), id_, back))
            self.whole[id_, symbol] = self.computed[symbol][id_] = None
            self.deepest[id_] = max(back, self.deepest.get(id_, 0))


def _pickings(graph: RuleGraph, layout: Layout, group: Group, asked: _Asked, markets: Markets) -> Iterator[Picking]:
    """One for each period in which something of a group is kept in bytes or at some bars alone."""
    rare = dict.fromkeys(id_ for symbol in group.symbols for id_ in asked.rare.get(symbol, ()))
    some = [asked.few[symbol] for symbol in group.symbols if symbol in asked.rare]
    for period in dict.fromkeys(graph[id_].period for id_ in rare):
        own = [id_ for id_ in rare if graph[id_].period == period]
        truths = [id_ for id_ in own if any(id_ in one.truths for one in some)]
        where = [id_ for id_ in own if any(id_ in one.where for one in some)]
        longest = max(len(markets.bars(symbol, period)) for symbol in group.symbols)
        yield Picking(group, period, truths, where, [id_ for id_ in own if id_ not in truths], longest)


def _columns(graph: RuleGraph, markets: Markets, evaluator: Evaluator, asked: _Asked, pickings: Sequence[Picking]) -> Columns:
    found, truths, picked = dict(asked.there), dict[Pair, Bytes](), dict[Pair, Picked]()
    for (node, symbol), id_, back in asked.wanted:
        group, row = evaluator.layout.places[symbol]
        kept, size = evaluator.kept[group, id_], len(markets.bars(symbol, graph[node].period))
        found[node, symbol] = kept.values[row, kept.lead - back : kept.lead - back + size]
    for one in pickings:
        for row, symbol in enumerate(one.group.symbols):
            size = len(markets.bars(symbol, one.period))
            truths.update(((id_, symbol), kept) for id_, kept in one.truths(row, size).items())
        picked.update(((id_, one.group.symbols[row]), values) for (id_, row), values in one.picked().items())
    return Columns(graph, markets, found, truths, picked, asked.later)


def _source(graph: RuleGraph, node: Node) -> tuple[int, int]:
    """The node whose values a column has, and how many bars before: `x[n]` is the column of x, begun earlier."""
    if node.op == "shift" and graph[node.args[0]].op != "const":
        return node.args[0], int(node.consts[0] or 0)
    return node.id, 0


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

    def whole(name: str) -> NDArray[np.generic]:
        found = getattr(parts[0][0], name)
        assert isinstance(found, np.ndarray)
        return found

    def read(name: str) -> NDArray[np.generic]:
        if len(parts) == 1:
            _, begin, end = parts[0]
            return whole(name)[begin:end]
        return np.concatenate([_read(bars, name)[begin:end] for bars, begin, end in parts])

    quoted = np.array([bars is not None and bars.bid is not None and bars.ask is not None for bars in series])
    newest = np.full(len(series), NEVER)
    for place, bars in enumerate(series):
        if bars is not None and (begins[place] or bars.before is not None):
            newest[place] = bars.time[begins[place] - 1] if begins[place] else bars.before
    is_alone = len(series) == len(parts) == 1
    return Table(
        period, ends - begins, read, quoted, newest, whole=whole if is_alone else None, end=parts[0][2] if is_alone else 0
    )


def _read(bars: Bars, name: str) -> NDArray[np.generic]:
    found = getattr(bars, name)
    return np.full(len(bars), np.nan) if found is None else np.asarray(found)
