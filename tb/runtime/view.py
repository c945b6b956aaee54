"""Recorded bars as a session sees them: closed bars only, by the instant of their close."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars
from tb.engine.columns import Columns, evaluate
from tb.engine.evaluator import Beside
from tb.engine.feeds import FEED_OPS, FeedRows, is_feed, rows_of
from tb.engine.funding import Payment, payments
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, exact
from tb.engine.management import UNMANAGED
from tb.engine.markets import Markets
from tb.engine.picking import Few
from tb.engine.plan import Plan
from tb.runtime.rates import Rates


def columns_of(plan: Plan, markets: Markets, *, chunk: int, beside: Beside | None = None) -> Columns:
    """Every column a session reads, for each instrument that a strategy covers and the data has: of a plan that decides nothing
    but entries, values where their conditions hold."""
    few = {symbol: _few(plan, symbol) for symbol in markets.base} if _acts_at_entries_alone(plan) else None
    return evaluate(plan.graph, wanted_of(plan, markets.base), markets, chunk=chunk, few=few, beside=beside)


def _acts_at_entries_alone(plan: Plan) -> bool:
    """Whether nothing of the market is read, as far as can be seen here, but where a condition to enter or leave holds; where
    it is read elsewhere nevertheless, it is evaluated anew."""
    for strategy in plan.strategies:
        if strategy.baskets or strategy.quotes or any(strategy.holds.values()) or any(strategy.tier_holds.values()):
            return False
        if any(enter.manage != UNMANAGED for enter in strategy.enters):
            return False
    return True


def _few(plan: Plan, symbol: str) -> Few:
    """What is kept of an instrument: the conditions, and the values where one of them holds."""
    truths, where = dict[int, None](), dict[int, None]()
    for strategy in plan.strategies:
        if symbol in strategy.members:
            where.update(dict.fromkeys(enter.when for enter in strategy.entries_of(symbol)))
            where.update(dict.fromkeys(leave.when for leave in strategy.exits))
            truths.update(where)
            membership = strategy.membership_of(symbol)
            truths.update({} if membership is None else {membership: None})
    return Few(tuple(truths), tuple(where))


def wanted_of(plan: Plan, instruments: Container[str]) -> Mapping[str, Iterable[int]]:
    """The nodes that a session reads of each of these instruments that a strategy covers."""
    wanted: dict[str, dict[int, None]] = {}
    for strategy in plan.strategies:
        for symbol in strategy.members:
            if symbol in instruments:
                wanted.setdefault(symbol, {}).update(dict.fromkeys(strategy.reads(symbol)))
    return {symbol: tuple(nodes) for symbol, nodes in wanted.items()}


class Values(Protocol):
    """Columns as a view reads them: `Columns`, or those that grow."""

    def at(self, node: int, symbol: str, row: int) -> float | None: ...


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a node's value comes from: `back` bars of its own period, nothing recorded, or to be looked for at each bar."""

    when: memoryview | None = None
    rows: memoryview | None = None
    back: int = 0
    is_walked: bool = False
    is_fed: bool = False  # of one that is walked: whether it is a feed's


@dataclass(slots=True)
class RecordedView:
    """A `MarketView` over columns and bars. Memory views stand beside arrays: single values are read from them faster."""

    graph: RuleGraph
    markets: Markets
    columns: Values
    rates: Rates
    _closes: dict[str, memoryview] = field(default_factory=dict)
    _instants: dict[tuple[str, int], tuple[NDArray[np.int64], memoryview]] = field(default_factory=dict)
    _ways: dict[tuple[int, str], _Way] = field(default_factory=dict)
    _whole: dict[tuple[int, str], memoryview] = field(default_factory=dict)  # of columns that are there, and do not grow
    _constants: dict[int, float | None] = field(default_factory=dict)

    def _bars(self, symbol: str, period: int) -> Bars:
        return self.markets.bars(symbol, period)

    def _when(self, symbol: str, period: int) -> NDArray[np.int64]:
        """The instants at which an instrument's bars of a period close."""
        return self._instants_of(symbol, period)[0]

    def _instants_of(self, symbol: str, period: int) -> tuple[NDArray[np.int64], memoryview]:
        found = self._instants.get((symbol, period))
        if found is None:
            closes = self.markets.closes(symbol, period)
            found = self._instants[symbol, period] = (closes, closes.data)
        return found

    def row(self, symbol: str, period: int, at: int) -> int | None:
        if symbol not in self.markets.base:
            return None
        closes, values = self._instants_of(symbol, period)
        if not len(values):
            return None
        guess: int = (at - values[0]) // period  # right where no bar is missing
        if 0 <= guess < len(values) and values[guess] == at:
            return guess
        found = int(closes.searchsorted(at))
        return found if found < len(values) and values[found] == at else None

    def column(self, node: int, symbol: str) -> NDArray[np.float64]:
        """A node's value at every bar, NaN for unknown; columns that grow do not have them all."""
        assert isinstance(self.columns, Columns)
        return self.columns[node, symbol]

    def truth(self, node: int, symbol: str) -> NDArray[np.uint8]:
        """A condition at every bar, in the bytes of `tb.engine.picking`."""
        assert isinstance(self.columns, Columns)
        return self.columns.truth((node, symbol))

    def values(self, node: int, symbol: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """A node's values at some bars."""
        assert isinstance(self.columns, Columns)
        return self.columns.some((node, symbol), rows)

    def value(self, node: int, symbol: str, row: int) -> float | None:
        found = self._whole.get((node, symbol))
        if found is not None:
            value: float = found[row]
            return value if value == value else None  # noqa: PLR0124 (NaN is not known)
        if node in self._constants:
            return self._constants[node]
        return self._first_value(node, symbol, row)

    def _first_value(self, node: int, symbol: str, row: int) -> float | None:
        """The same, and remembers how to find the next."""
        whole = self.columns.values.get((node, symbol)) if isinstance(self.columns, Columns) else None
        if self.graph[node].op == "const":
            self._constants[node] = self.columns.at(node, symbol, row)
        elif whole is not None:
            self._whole[node, symbol] = whole.data
        return self.columns.at(node, symbol, row)

    def quote(self, symbol: str, period: int, row: int) -> tuple[Decimal, Decimal] | None:
        bars = self._bars(symbol, period)
        if bars.bid is None or bars.ask is None:
            return self._around_last_price(symbol, exact(float(bars.close[row])))
        bid, ask = exact(float(bars.bid[row])), exact(float(bars.ask[row]))
        return None if bid is None or ask is None else (bid, ask)

    def _around_last_price(self, symbol: str, close: Decimal | None) -> tuple[Decimal, Decimal] | None:
        """The stated spread around the last price, exactly; without one the last price stands for both sides, and limits on
        the spread still deny."""
        if close is None:
            return None
        half = EXACT.divide(exact(self.markets.assumptions.spread_of(symbol)) or Decimal(0), Decimal(2))
        return EXACT.multiply(close, 1 - half), EXACT.multiply(close, 1 + half)

    def close(self, symbol: str, at: int) -> Decimal | None:
        found = self.newest(symbol, at)
        if found is None:
            return None
        return exact(self._closes_of(symbol)[found])

    def _closes_of(self, symbol: str) -> memoryview:
        closes = self._closes.get(symbol)
        if closes is None:
            closes = self._closes[symbol] = self.markets.base[symbol].close.data
        return closes

    def rate(self, symbol: str, at: int) -> Decimal | None:
        return self.rates.now(symbol, at)

    def marking_rate(self, symbol: str, at: int) -> Decimal | None:
        return self.rates.newest(symbol, at)

    def payments(self, symbol: str, after: int, until: int) -> tuple[Payment, ...]:
        funding = self.markets.funding.get(symbol)
        return () if funding is None else payments(funding, after, until)

    def newest(self, symbol: str, at: int) -> int | None:
        """Row of the newest bar of the data's own period that closed by then."""
        if symbol not in self.markets.base:
            return None
        row = self.row(symbol, self.markets.base[symbol].period, at)
        if row is not None:
            return row
        found = int(self._when(symbol, self.markets.base[symbol].period).searchsorted(at, side="right")) - 1
        return found if found >= 0 else None

    def age(self, symbol: str, at: int) -> int | None:
        row = self.newest(symbol, at)
        if row is None:
            return None
        closes, when = self._closes_of(symbol), self._instants_of(symbol, self.markets.base[symbol].period)[1]
        while row >= 0:
            if closes[row] == closes[row]:
                rate = self.rates.age(symbol, at)
                return None if rate is None else max(rate, at - when[row])
            row -= 1
        return None

    def _source(self, node: int, symbol: str, row: int) -> tuple[str, int, int] | None:
        """The instrument, the period and the row that a node's newest input came from."""
        found = self.graph[node]
        period, place = found.period, row
        match found.op:
            case "pips" | "depth" | "tier_is" | "during" | "since_open" | "to_close" | "feed" | "feed_age":
                return None
            case "shift":
                place = row - int(found.consts[0] or 0)
            case "at":
                period = self.graph[found.args[0]].period
                place = int(self._when(symbol, period).searchsorted(self._when(symbol, found.period)[row], side="right")) - 1
            case "of":
                at, symbol = int(self._when(symbol, period)[row]), str(found.consts[0])
                there = self.row(symbol, period, at)
                if there is None:
                    return None
                place = there
        return (symbol, period, place) if place >= 0 else None

    def _feed(self, node: int, symbol: str, row: int) -> tuple[FeedRows, int] | None:
        """The newest row that a feed had then, looked for through `x[n]`, `of` and `@period`; None for anything else."""
        found = self.graph[node]
        while found.op in {"shift", "of", "at"}:
            source = self._source(found.id, symbol, row)
            if source is None:
                return None
            symbol, row = source[0], source[2]
            found = self.graph[found.args[0]]
        if not is_feed(found):
            return None
        if found.op in FEED_OPS:
            rows = rows_of(found, self.markets.feeds, symbol)
        else:
            funding = self.markets.funding.get(symbol)
            rows = None if funding is None else funding.rows
        place = None if rows is None else rows.newest(int(self._when(symbol, found.period)[row]))
        return None if rows is None or place is None else (rows, place)

    def origin(self, node: int, symbol: str, row: int) -> tuple[int, int | None]:
        way = self._ways.get((node, symbol))
        if way is None:
            way = self._ways[node, symbol] = self._way(node, symbol)
        if way.is_walked:
            return self._walked(node, symbol, row, is_fed=way.is_fed)
        if way.when is None or way.rows is None or row < way.back:
            return 0, None
        if not way.back:
            return 0, way.rows[row]
        place = row - way.back
        return way.when[row] - way.when[place], way.rows[place]

    def origins(self, node: int, symbol: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """`origin` at many rows at once: ages and rows; None where it has to be asked at each."""
        self.origin(node, symbol, 0)
        way = self._ways[node, symbol]
        if way.is_walked or way.when is None or way.rows is None or (len(rows) and int(rows.min()) < way.back):
            return None
        when, places = np.asarray(way.when), rows - way.back
        return when[rows] - when[places], np.asarray(way.rows)[places]

    def way_of(self, node: int, symbol: str) -> object:
        """What two nodes of an instrument have in common whose values come from the same rows; None where that is not known."""
        self.origin(node, symbol, 0)
        way = self._ways[node, symbol]
        return None if way.is_walked else (self.graph[node].period, way.when is None, way.rows is None, way.back)

    def _way(self, node: int, symbol: str) -> _Way:
        """How to find where a node's value comes from, which is the same at every bar; feeds and what reads other bars are
        looked for at each."""
        found = self.graph[node]
        if found.op in {"pips", "depth", "tier_is", "during"}:
            return _Way()
        under = found
        while under.op in {"shift", "of", "at"}:
            under = self.graph[under.args[0]]
        if found.op in {"of", "at"} or is_feed(under) or under.op in FEED_OPS:
            return _Way(is_walked=True, is_fed=is_feed(under) or under.op in FEED_OPS)
        back = int(found.consts[0] or 0) if found.op == "shift" else 0
        return _Way(self._instants_of(symbol, found.period)[1], self._bars(symbol, found.period).rows.data, back)

    def _walked(self, node: int, symbol: str, row: int, *, is_fed: bool) -> tuple[int, int | None]:
        here = self._when(symbol, self.graph[node].period)
        feed = self._feed(node, symbol, row) if is_fed else None
        if feed is not None:
            return int(here[row] - feed[0].known[feed[1]]), int(feed[0].rows[feed[1]])
        source = self._source(node, symbol, row)
        if source is None:
            return 0, None
        from_, period, place = source
        return int(here[row] - self._when(from_, period)[place]), int(self._bars(from_, period).rows[place])

    def source_row(self, symbol: str, period: int, row: int) -> int:
        return int(self._bars(symbol, period).rows[row])
