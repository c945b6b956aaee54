"""Columns that grow with every bar: the market stage of a session whose bars come one after the other.

The evaluator is that of a replay (`tb.engine.evaluator`), so a value is the one that `tb.engine.columns.evaluate` would give
over all bars so far, bit for bit. Of wanted nodes and of bars the newest are kept, everything else is forgotten.

INVARIANT: nothing is computed twice, and nothing given is ever corrected: a bar that closed by an instant already passed is
refused. Whoever has late bars begins anew with the whole history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.blocks import NEVER, Block, Table
from tb.engine.coarsening import NUMBERS, Coarsening
from tb.engine.evaluator import Evaluator
from tb.engine.graph import Node, RuleGraph
from tb.engine.history import History
from tb.engine.layout import Group, lay_out
from tb.engine.markets import Markets

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flat = dict[str, NDArray[np.generic]]  # columns of bars, by name
ROOM = 64  # instants that are computed at once


@dataclass(frozen=True, slots=True, eq=False)
class NewBars:
    """Bars that have closed, of one period: [m], one of each of some instruments, or several in order of time.

    `symbols` says whose each is. `time` is the start of each in ms UTC, `bid` and `ask` the quote as of its close. NaN is a
    value that is not known; without any quotes `bid` and `ask` are None, and the stated spread stands in, as it does for the
    instruments that are not among the `quoted`, None: all are.
    """

    symbols: Sequence[str]
    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    bid: Floats | None = None
    ask: Floats | None = None
    quoted: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class KeptBar:
    """One bar; times in ms UTC, NaN for what is not known. `row` counts the fine bars of the instrument: of a coarse bar it
    is that of its last fine one."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    bid: float
    ask: float
    row: int


class GrowingColumns:
    """The wanted nodes of each instrument, `Columns` in all but that only the newest `keep` rows of each are there.

    `symbols` are all instruments that may get bars, `period` is that of their bars in ms. Of `markets` the assumptions,
    tiers, feeds and funding are read, anew with each step: put what has become known into its mappings before. Rows count the
    bars of an instrument in a period from 0, as in `Columns`, from the first bar ever given.
    """

    def __init__(
        self,
        graph: RuleGraph,
        wanted: Mapping[str, Iterable[int]],
        symbols: Collection[str],
        period: int,
        markets: Markets,
        *,
        keep: int = 64,
    ) -> None:
        self.graph = graph
        self.period = period
        self._keep = keep
        self.now: int | None = None  # the instant up to which bars were taken
        asked = {symbol: tuple(nodes) for symbol, nodes in wanted.items()}
        self._evaluator = Evaluator(graph, lay_out(graph, asked, symbols), markets, room=ROOM, keep=self._kept)
        layout = self._evaluator.layout
        ordered = tuple(dict.fromkeys((*layout.symbols, *symbols)))
        self._places = {symbol: place for place, symbol in enumerate(ordered)}
        used = (id_ for group in layout.groups for id_ in group.nodes)
        wanted_periods = (graph[id_].period for nodes in asked.values() for id_ in nodes if graph[id_].period)
        periods = tuple(dict.fromkeys((period, *sorted(graph[id_].period for id_ in used), *wanted_periods)))
        self._coarse = {other: Coarsening(len(ordered), period, other) for other in periods if other != period}
        self._quoted = np.zeros(len(ordered), dtype=np.bool_)
        self._newest = {period: np.full(len(ordered), NEVER) for period in periods}
        self._counts = {period: np.zeros(len(ordered), dtype=np.int64) for period in periods}
        self._bars = {
            (period, name): History(len(ordered), keep, ROOM) for period in periods for name in ("time", "rows", *NUMBERS)
        }
        self._blocks: tuple[Block, ...] = ()
        self._is_broken = False

    def advance(self, bars: NewBars, until: int) -> None:
        """Takes all bars that closed after the last call's `until` and not later than this one's, in ms UTC.

        Instruments without one have none at these instants, then and for good; coarser bars that end by `until` are made of
        what is there. A ValueError says which bar is not in time, out of order, or of no known instrument; nothing is taken
        then.
        """
        if self._is_broken:
            raise RuntimeError("a step failed half way: begin anew with the whole history")
        places, flat = self._checked(bars, until)
        self._is_broken = True
        blocks: list[Block] = []
        for some, end in _pieces(places, flat, self.period, until):
            blocks = self._step(places[some], {name: column[some] for name, column in flat.items()}, end)
        self._blocks = tuple(blocks)
        self.now = until
        self._is_broken = False

    def rows(self, symbol: str, period: int) -> int:
        """How many bars of that period the instrument has had so far."""
        return int(self._counts[period][self._places[symbol]]) if symbol in self._places else 0

    def row(self, symbol: str, period: int, at: int) -> int | None:
        """The row of the bar that closed exactly at the instant, None where there is none among the rows kept."""
        found = self.newest(symbol, period, at)
        return found if found is not None and self.bar(symbol, period, found).time + period == at else None

    def newest(self, symbol: str, period: int, at: int) -> int | None:
        """The row of the newest bar that closed by the instant, None where there is none among the rows kept."""
        count = self.rows(symbol, period)
        kept = min(count, self._keep)
        if not kept:
            return None
        history, place = self._bars[period, "time"], self._places[symbol]
        times = history.values[place, history.ends[place] - kept : history.ends[place]]
        found = int(np.searchsorted(times, at - period, side="right"))
        return count - kept + found - 1 if found else None

    def bar(self, symbol: str, period: int, row: int) -> KeptBar:
        """One bar among those kept; a LookupError otherwise."""
        place = self._places[symbol]
        back = self._back(symbol, period, row)
        time, last = (int(self._one(self._bars[period, name], place, back)) for name in ("time", "rows"))
        numbers = {name: self._one(self._bars[period, name], place, back) for name in NUMBERS}
        return KeptBar(time, row=last, **numbers)

    def at(self, node: int, symbol: str, row: int) -> float | None:
        """One value of a wanted node, a constant's included; None for unknown. A LookupError where the row is not kept."""
        found = self.graph[node]
        if found.op == "const":
            constant = found.consts[0]
            return float(constant) if isinstance(constant, Decimal) else None
        group, place = self._evaluator.layout.places[symbol]
        value = self._one(self._evaluator.kept[group, node], place, self._back(symbol, found.period, row))
        return None if value != value else value  # noqa: PLR0124

    def true(self, node: int) -> tuple[str, ...]:
        """The instruments for which the condition holds at a bar that the last step brought."""
        found: list[str] = []
        for block in self._blocks:
            values = block.values.get(node)
            if values is not None and values.shape[1]:
                symbols = block.symbols
                found.extend(symbols[place] for place in np.flatnonzero(values[:, -1] == 1.0).tolist())
        return tuple(found)

    def _kept(self, group: Group, node: Node, lead: int) -> History:
        return History(len(group.symbols), max(lead, self._keep), ROOM, offset=node.id)

    def _back(self, symbol: str, period: int, row: int) -> int:
        back = self.rows(symbol, period) - 1 - row
        if row < 0 or not 0 <= back < self._keep:
            raise LookupError(
                f"row {row} of {symbol} is not kept: {self.rows(symbol, period)} bars, the newest {self._keep} are"
            )
        return back

    @staticmethod
    def _one(history: History, place: int, back: int) -> float:
        return float(history.values[place, history.ends[place] - 1 - back])

    def _checked(self, bars: NewBars, until: int) -> tuple[Ints, Flat]:
        """Whose each bar is, and the bars by column, instrument by instrument."""
        unknown = [symbol for symbol in bars.symbols if symbol not in self._places]
        if unknown:
            raise ValueError(f"{unknown[0]}: not among the instruments")
        places = np.array([self._places[symbol] for symbol in bars.symbols], dtype=np.int64)
        flat: Flat = {"time": np.asarray(bars.time, dtype=np.int64)}
        for name in NUMBERS:
            given = getattr(bars, name)
            flat[name] = np.full(len(places), np.nan) if given is None else np.asarray(given, dtype=np.float64)
        if any(column.shape != places.shape for column in flat.values()):
            raise ValueError("columns of different lengths")
        order = np.argsort(places, kind="stable")
        places, flat = places[order], {name: column[order] for name, column in flat.items()}
        time = np.asarray(flat["time"], dtype=np.int64)
        closes = time + self.period
        if self.now is not None and until <= self.now:
            raise ValueError(f"{until} is not later than {self.now}, up to which bars were taken")
        wrong = (closes > until) | (closes <= (NEVER if self.now is None else self.now))
        wrong[1:] |= (places[1:] == places[:-1]) & (time[1:] <= time[:-1])
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            symbol = bars.symbols[int(order[at])]
            raise ValueError(f"{symbol}: the bar that closes at {int(closes[at])} is late, not closed yet, or out of order")
        has_quotes = bars.bid is not None and bars.ask is not None
        if not has_quotes or bars.quoted is None:
            self._quoted[places] = has_quotes
        else:
            self._quoted[places] = [bars.symbols[at] in bars.quoted for at in order.tolist()]
        new = np.arange(len(places)) - np.searchsorted(places, places)
        flat["rows"] = self._counts[self.period][places] + new
        return places, flat

    def _step(self, places: Ints, flat: Flat, until: int) -> list[Block]:
        """One step of the evaluator: the fine bars, and the coarse ones that end by then."""
        tables = {self.period: self._table(self.period, places, flat)}
        for period, coarse in self._coarse.items():
            tables[period] = self._table(period, *coarse.take(places, flat, until))
        return list(self._evaluator.step(tables))

    def _table(self, period: int, places: Ints, flat: Flat) -> Table:
        """The bars as the evaluator takes them; they are kept, too."""
        counts = np.bincount(places, minlength=len(self._places))
        table = Table(period, counts, flat.__getitem__, self._quoted, self._newest[period].copy())
        if len(places):
            most = int(counts.max())
            time = np.asarray(flat["time"], dtype=np.int64)
            self._newest[period][places] = time  # of several the last
            for name, column in flat.items():
                history = self._bars[period, name]
                history.begin(most)
                for size in np.unique(counts[counts > 0]).tolist():
                    rows = np.flatnonzero(counts == size)
                    values = np.asarray(column[table.begins[rows][:, None] + np.arange(size)], dtype=np.float64)
                    history.extend(None if len(rows) == len(counts) else rows, values)
            self._counts[period] += counts
        return table


def _pieces(places: Ints, flat: Flat, period: int, until: int) -> Iterator[tuple[slice | NDArray[np.bool_], int]]:
    """The bars in parts of few instants, with the last instant of each part; mostly one part."""
    closes = np.asarray(flat["time"], dtype=np.int64) + period
    instants = np.unique(closes)
    if len(instants) <= ROOM:
        yield slice(None), until
        return
    begin = NEVER
    for at in range(ROOM, len(instants) + ROOM, ROOM):
        end = until if at >= len(instants) else int(instants[at - 1])
        yield (closes > begin) & (closes <= end), end
        begin = end
