"""Recorded bars as a session sees them: closed bars only, by the instant of their close."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tb.engine.bars import Bars
from tb.engine.columns import Columns, evaluate
from tb.engine.graph import RuleGraph
from tb.engine.instant import exact
from tb.engine.markets import Markets
from tb.engine.plan import Plan


def columns_of(plan: Plan, markets: Markets, *, chunk: int) -> Columns:
    """Every column a session reads, for each instrument that a strategy covers and the data has."""
    wanted: dict[str, dict[int, None]] = {}
    for strategy in plan.strategies:
        for symbol in strategy.members:
            if symbol in markets.base:
                wanted.setdefault(symbol, {}).update(dict.fromkeys(strategy.roots))
    ordered: Mapping[str, Iterable[int]] = {symbol: tuple(nodes) for symbol, nodes in wanted.items()}
    return evaluate(plan.graph, ordered, markets, chunk=chunk)


@dataclass(slots=True)
class RecordedView:
    """A `MarketView` over columns and bars. Lists stand beside arrays because single values are read from them faster."""

    graph: RuleGraph
    markets: Markets
    columns: Columns
    _rows: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)
    _last: dict[str, tuple[int, int]] = field(default_factory=dict)
    _closes: dict[str, list[float]] = field(default_factory=dict)

    def _bars(self, symbol: str, period: int) -> Bars:
        return self.markets.bars(symbol, period)

    def row(self, symbol: str, period: int, at: int) -> int | None:
        if symbol not in self.markets.base:
            return None
        rows = self._rows.get((symbol, period))
        if rows is None:
            rows = {close: row for row, close in enumerate(self._bars(symbol, period).closes.tolist())}
            self._rows[symbol, period] = rows
        return rows.get(at)

    def value(self, node: int, symbol: str, row: int) -> float | None:
        return self.columns.at(node, symbol, row)

    def quote(self, symbol: str, period: int, row: int) -> tuple[Decimal, Decimal] | None:
        bars = self._bars(symbol, period).part(row, row + 1)
        bid = exact(float(self.markets.read(bars, "bid")[0]))
        ask = exact(float(self.markets.read(bars, "ask")[0]))
        if bid is None or ask is None:
            return self._last_price(bars)
        return bid, ask

    def _last_price(self, bars: Bars) -> tuple[Decimal, Decimal] | None:
        """Without quotes and without a stated spread, the last price stands for both sides; limits on the spread still deny."""
        if bars.bid is not None or self.markets.assumptions.spread is not None:
            return None
        close = exact(float(bars.close[0]))
        return None if close is None else (close, close)

    def close(self, symbol: str, at: int) -> Decimal | None:
        found = self.newest(symbol, at)
        if found is None:
            return None
        closes = self._closes.get(symbol)
        if closes is None:
            closes = self._closes[symbol] = self.markets.base[symbol].close.tolist()
        return exact(closes[found])

    def newest(self, symbol: str, at: int) -> int | None:
        """Row of the newest bar of the data's own period that closed by then."""
        if symbol not in self.markets.base:
            return None
        row = self.row(symbol, self.markets.base[symbol].period, at)
        if row is not None:
            return row
        found = int(self.markets.base[symbol].closes.searchsorted(at, side="right")) - 1
        return found if found >= 0 else None

    def age(self, symbol: str, at: int) -> int | None:
        row = self.newest(symbol, at)
        base = self.markets.base.get(symbol)
        while base is not None and row is not None and row >= 0:
            if base.close[row] == base.close[row]:
                return at - int(base.time[row]) - base.period
            row -= 1
        return None

    def _source(self, node: int, symbol: str, row: int) -> tuple[Bars, int] | None:
        """The bars and the position in them that a node's newest input came from."""
        found = self.graph[node]
        bars = self._bars(symbol, found.period)
        at = int(bars.closes[row])
        match found.op:
            case "pips" | "depth" | "tier_is":
                return None
            case "shift":
                place = row - int(found.consts[0] or 0)
            case "at":
                bars = self._bars(symbol, self.graph[found.args[0]].period)
                place = int(bars.closes.searchsorted(at, side="right")) - 1
            case "of":
                other = str(found.consts[0])
                other_row = self.row(other, found.period, at)
                if other_row is None:
                    return None
                bars, place = self._bars(other, found.period), other_row
            case _:
                place = row
        return (bars, place) if place >= 0 else None

    def node_age(self, node: int, symbol: str, row: int) -> int:
        source = self._source(node, symbol, row)
        if source is None:
            return 0
        return int(self._bars(symbol, self.graph[node].period).closes[row]) - int(source[0].closes[source[1]])

    def node_row(self, node: int, symbol: str, row: int) -> int | None:
        source = self._source(node, symbol, row)
        return None if source is None else int(source[0].rows[source[1]])

    def source_row(self, symbol: str, period: int, row: int) -> int:
        return int(self._bars(symbol, period).rows[row])
