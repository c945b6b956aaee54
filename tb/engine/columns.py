"""evaluate: market nodes in columns, chunk by chunk, with carried state.

1. Which (node, instrument) pairs are needed follows from the roots (`_needed`).
2. Time is cut into chunks; every series gives the bars that closed inside a chunk (`_cuts`).
3. In each chunk, nodes are computed in graph order, each for its instruments: fields are read, operations of one instant
   are done by `tb.engine.vector`, functions by their kernels (`tb.vocabulary.run`), `x[n]`, `for` and `within` look into the
   carried tail, `of` and `@period` align by the instant of the close.
4. The columns of the roots are kept, everything else is forgotten with its chunk.

INVARIANT: the result does not depend on the size of the chunks, bit for bit, and a value at an instant depends on bars closed
at or before that instant alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars, instants_of
from tb.engine.calendar import session_column
from tb.engine.feeds import column_of
from tb.engine.graph import Node, RuleGraph
from tb.engine.markets import Markets
from tb.engine.tiers import is_tier, tier_column
from tb.engine.vector import lasting, pointwise
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.run import evaluate as run_function

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pair = tuple[int, str]
CHUNK = 16_384


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
    """The columns of the wanted market nodes of each instrument. `chunk` counts instants; it changes memory, not results."""
    pairs = _needed(graph, wanted)
    kept: dict[Pair, Floats] = {}
    for symbol, nodes in wanted.items():
        for node in nodes:
            if graph[node].op != "const":
                size = len(markets.bars(symbol, graph[node].period)) if symbol in markets.base else 0
                kept[node, symbol] = np.empty(size)
    states: dict[Pair, Any] = {}
    for window in _cuts(graph, pairs, markets, chunk):
        values: dict[Pair, Floats] = {}
        for id_, symbol in pairs:
            here = graph[id_]
            values[id_, symbol] = _compute(graph, here, symbol, window, values, states, markets)
            column = kept.get((id_, symbol))
            if column is not None and symbol in markets.base:
                start, stop = window.spans[symbol, here.period]
                column[start:stop] = values[id_, symbol]
    return Columns(graph, kept)


@dataclass(frozen=True, slots=True)
class _Window:
    """One chunk: for each (instrument, period) the positions of its bars that close inside."""

    spans: Mapping[tuple[str, int], tuple[int, int]]
    bars: Mapping[tuple[str, int], Bars]

    def part(self, symbol: str, period: int) -> Bars:
        return self.bars[symbol, period].part(*self.spans[symbol, period])


def _needed(graph: RuleGraph, wanted: Mapping[str, Iterable[int]]) -> tuple[Pair, ...]:
    """Every pair that the wanted ones depend on, constants aside, in an order in which arguments come first."""
    seen: dict[Pair, None] = {}
    stack: list[Pair] = [(node, symbol) for symbol, nodes in wanted.items() for node in nodes]
    while stack:
        id_, symbol = stack.pop()
        if (id_, symbol) in seen or graph[id_].op == "const":
            continue
        seen[id_, symbol] = None
        node = graph[id_]
        other = str(node.consts[0]) if node.op == "of" else symbol
        stack.extend((arg, other) for arg in node.args)
    return tuple(sorted(seen))


def _cuts(graph: RuleGraph, pairs: Sequence[Pair], markets: Markets, chunk: int) -> Iterator[_Window]:
    series = {}
    for id_, symbol in pairs:
        if symbol in markets.base:
            series[symbol, graph[id_].period] = markets.bars(symbol, graph[id_].period)
    if not series:
        return
    instants = instants_of([bars.closes for bars in series.values()])
    begins = dict.fromkeys(series, 0)
    for at in range(0, len(instants), chunk):
        last = instants[min(at + chunk, len(instants)) - 1]
        ends = {key: int(np.searchsorted(bars.closes, last, side="right")) for key, bars in series.items()}
        yield _Window({key: (begins[key], ends[key]) for key in series}, series)
        begins = ends


def _compute(
    graph: RuleGraph,
    node: Node,
    symbol: str,
    window: _Window,
    values: dict[Pair, Floats],
    states: dict[Pair, Any],
    markets: Markets,
) -> Floats:
    pair = (node.id, symbol)
    if symbol not in markets.base:
        return np.empty(0)  # an instrument without data: whoever asks for it finds nothing
    bars = window.part(symbol, node.period)
    size = len(bars)
    match node.op:
        case "field":
            return markets.read(bars, str(node.consts[0]))
        case "pips":
            pip = markets.assumptions.pips.get(symbol)
            return np.full(size, np.nan if pip is None else float(node.consts[0] or 0) * pip)
        case "depth":
            depth = markets.assumptions.depth_of(symbol)
            return np.full(size, np.nan if depth is None else depth)
        case "tier":
            return tier_column(node, symbol, [_argument(graph, a, symbol, values, size) for a in node.args], size)
        case "tier_is" if node.args:
            return is_tier(node, graph[node.args[0]], values[node.args[0], symbol])
        case "tier_is":
            members = markets.tiers.get((str(node.consts[0]), str(node.consts[1])), ())
            return np.full(size, 1.0 if symbol in members else 0.0)
        case "during" | "since_open" | "to_close":
            return session_column(node.op, node.consts, bars.closes)
        case "feed" | "feed_age":
            return column_of(node, markets.feeds, symbol, bars.closes)
        case "apply":
            function = FUNCTIONS[str(node.consts[0])]
            constants = tuple(float(c) for c in node.consts[2:] if c is not None)
            inputs = np.array([_argument(graph, a, symbol, values, size) for a in node.args]).reshape(len(node.args), size)
            outputs, states[pair] = run_function(function, constants, inputs, states.get(pair))
            return np.asarray(outputs[int(node.consts[1] or 0)])
        case "shift" | "every" | "some":
            length = int(node.consts[0] or 0)
            back = length if node.op == "shift" else length - 1
            tail = states.get(pair, np.full(back, np.nan))
            joined = np.concatenate([tail, _argument(graph, node.args[0], symbol, values, size)])
            states[pair] = joined[len(joined) - back :]
            return joined[:size] if node.op == "shift" else lasting(node.op, joined, length)
        case "of":
            other = str(node.consts[0])
            if other not in markets.base:
                return np.full(size, np.nan)
            source = window.part(other, node.period)
            return _same_instant(bars.closes, source.closes, values[node.args[0], other])
        case "at":
            source = window.part(symbol, graph[node.args[0]].period)
            carried = states.get(pair, float("nan"))
            found, states[pair] = _last_closed(bars.closes, source.closes, values[node.args[0], symbol], carried)
            return found
        case _:
            return pointwise(node.op, node.consts, [_argument(graph, a, symbol, values, size) for a in node.args], size)


def _argument(graph: RuleGraph, id_: int, symbol: str, values: dict[Pair, Floats], size: int) -> Floats:
    if graph[id_].op == "const":
        value = graph[id_].consts[0]
        return np.full(size, float(value) if isinstance(value, Decimal) else np.nan)
    return values[id_, symbol]


def _same_instant(mine: Ints, theirs: Ints, values: Floats) -> Floats:
    """The other's value at its bar that closed at the same instant; unknown where it has none."""
    if not len(theirs):
        return np.full(len(mine), np.nan)
    at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
    return np.where(theirs[at] == mine, values[at], np.nan)


def _last_closed(mine: Ints, theirs: Ints, values: Floats, carried: float) -> tuple[Floats, float]:
    """The value of the last bar of another period that closed by then, and what to carry into the next chunk."""
    joined = np.concatenate([[carried], values])
    return joined[np.searchsorted(theirs, mine, side="right")], float(joined[-1])
