"""The market of a running session: bars and feeds that grow, seen like recorded ones (`tb.runtime.view`).

Bars are taken closed, each instrument's in order of time. What came too late is not put in afterwards: what was decided without
it stays decided, and the gap stays a gap. A bar with an impossible price keeps its place, and its prices are not known.

INVARIANT: after the same inputs the view gives, bit for bit, what it gives over the same bars recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import numpy as np

from tb.core.settings import Settings
from tb.engine.bars import Bars
from tb.engine.feeds import FeedRows
from tb.engine.funding import Payment
from tb.engine.growing import GrowingColumns, NewBars
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan
from tb.runtime.ports.feed import Bar, FeedRow
from tb.runtime.rates import Rates
from tb.runtime.running.series import BarSeries, Growing
from tb.runtime.view import RecordedView, wanted_of

_PRICES = ("open", "high", "low", "close")
_KEPT = 64


class LiveMarket:
    """A `MarketView` over what came so far. `bars` is one mapping for as long as it lives, with the newest arrays in it."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        assumptions: Assumptions,
        instruments: Sequence[str],
        period: int,
        *,
        quoted: Collection[str],
    ) -> None:
        self.plan = plan
        self.period = period
        self._assumptions = assumptions
        self._quoted = frozenset(quoted)
        self.series = {symbol: BarSeries(symbol, period, symbol in self._quoted) for symbol in sorted(instruments)}
        self.bars: dict[str, Bars] = {symbol: series.bars() for symbol, series in self.series.items()}
        self.rates = Rates(settings, self.bars)
        self._feeds: dict[tuple[str, str], _FeedSeries] = {}
        self._rows: dict[tuple[str, str], FeedRows] = {}
        told = Markets({}, assumptions, plan.tiers, self._rows)
        self._growing = GrowingColumns(plan.graph, wanted_of(plan, self.bars), tuple(self.bars), period, told, keep=_kept(plan))
        self._until: int | None = None
        self.now = self._seen()

    def _seen(self) -> RecordedView:
        markets = Markets(self.bars, self._assumptions, self.plan.tiers, self._rows, until=self._until)
        return RecordedView(self.plan.graph, markets, self._growing, self.rates)

    # --- what comes --------------------------------------------------------------------------------------------------

    def sift(self, symbol: str, bars: Sequence[Bar]) -> tuple[list[Bar], list[Bar]]:
        """The bars that can be taken, their impossible prices unknown, and those that come too late or out of order: one that
        was not there when its close was decided is a gap for good."""
        series, kept, late = self.series[symbol], [], []
        last, until = series.last, self._until or 0
        for bar in bars:
            if series.fits(bar) and (last is None or bar.start > last) and bar.start + self.period > until:
                kept.append(possible(bar))
                last = bar.start
            else:
                late.append(bar)
        return kept, late

    def take(self, bars: Mapping[str, Sequence[Bar]], rows: Sequence[FeedRow] = (), *, until: int | None = None) -> None:
        """Takes bars that `sift` let through, and rows of feeds in the order in which they became known; it is `until` now."""
        for symbol, found in bars.items():
            if found:
                self.series[symbol].extend(found)
                self.bars[symbol] = self.series[symbol].bars()
        for row in rows:
            key = (row.feed, row.instrument)
            if key not in self._feeds:
                feed = self.plan.program.feeds.get(row.feed)
                self._feeds[key] = _FeedSeries(row.feed, *((None, None) if feed is None else (feed.low, feed.high)))
            self._feeds[key].extend(row)
            self._rows[key] = self._feeds[key].rows()
        self._until = until or self.last
        if self._until is not None and (until is not None or any(bars.values())):
            self._growing.advance(self._new(bars), self._until)
        self.now = self._seen()

    def _new(self, bars: Mapping[str, Sequence[Bar]]) -> NewBars:
        flat = [(symbol, bar) for symbol, some in bars.items() for bar in some]
        columns = {
            name: np.array([np.nan if (value := getattr(bar, name)) is None else value for _, bar in flat])
            for name in (*_PRICES, "volume", *(("bid", "ask") if self._quoted else ()))
        }
        starts = np.array([bar.start for _, bar in flat], dtype=np.int64)
        return NewBars(
            [symbol for symbol, _ in flat],
            starts,
            **columns,
            quoted=None if len(self._quoted) == len(self.series) else self._quoted,
        )

    @property
    def first(self) -> int | None:
        """The close of the oldest bar of all."""
        starts = [int(bars.time[0]) for bars in self.bars.values() if len(bars)]
        return min(starts) + self.period if starts else None

    @property
    def last(self) -> int | None:
        """The close of the newest bar of all."""
        starts = [series.last for series in self.series.values() if series.last is not None]
        return max(starts) + self.period if starts else None

    # --- what a session asks ------------------------------------------------------------------------------------------

    def row(self, symbol: str, period: int, at: int) -> int | None:
        if period != self.period and symbol in self.bars:
            return self._growing.row(symbol, period, at)
        return self.now.row(symbol, period, at)

    def value(self, node: int, symbol: str, row: int) -> float | None:
        return self.now.value(node, symbol, row)

    def quote(self, symbol: str, period: int, row: int) -> tuple[Decimal, Decimal] | None:
        return self.now.quote(symbol, period, row)

    def close(self, symbol: str, at: int) -> Decimal | None:
        return self.now.close(symbol, at)

    def rate(self, symbol: str, at: int) -> Decimal | None:
        return self.now.rate(symbol, at)

    def marking_rate(self, symbol: str, at: int) -> Decimal | None:
        return self.now.marking_rate(symbol, at)

    def payments(self, symbol: str, after: int, until: int) -> Sequence[Payment]:
        return self.now.payments(symbol, after, until)

    def age(self, symbol: str, at: int) -> int | None:
        return self.now.age(symbol, at)

    def origin(self, node: int, symbol: str, row: int) -> tuple[int, int | None]:
        return self.now.origin(node, symbol, row)

    def source_row(self, symbol: str, period: int, row: int) -> int:
        return self.now.source_row(symbol, period, row)


def _kept(plan: Plan) -> int:
    """How many bars back a session may read: an entry that rests is filled by what was known when it was decided."""
    rest = [
        -(-enter.order.valid // strategy.period)
        for strategy in plan.strategies
        for enter in strategy.enters
        if enter.order.valid is not None
    ]
    return max(_KEPT, *(bars + 4 for bars in rest)) if rest else _KEPT


def possible(bar: Bar) -> Bar:
    """The bar, without what cannot be: prices that are not above 0, a high under the low, a bid above the ask."""
    prices = [getattr(bar, name) for name in _PRICES]
    known = [price for price in prices if price is not None]
    high, low, bid, ask = bar.high, bar.low, bar.bid, bar.ask
    is_wrong = not all(0.0 < price < float("inf") for price in known)
    is_wrong |= high is not None and any(price > high for price in known)
    is_wrong |= low is not None and any(price < low for price in known)
    if is_wrong:
        bar = Bar(bar.start, None, None, None, None, None, bid, ask)
    if bar.volume is not None and not 0.0 <= bar.volume < float("inf"):
        bar = Bar(bar.start, bar.open, bar.high, bar.low, bar.close, None, bid, ask)
    if bid is None or ask is None or not 0.0 < bid <= ask < float("inf"):
        bar = Bar(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume)
    return bar


class _FeedSeries:
    """The rows of one feed so far, with what lies outside of its stated range unknown."""

    def __init__(self, name: str, low: Decimal | None, high: Decimal | None) -> None:
        self.name = name
        self.low, self.high = (None if bound is None else float(bound) for bound in (low, high))
        self.known: Growing[np.int64] = Growing(np.int64)
        self.raw: Growing[np.float64] = Growing(np.float64)
        self.values: Growing[np.float64] = Growing(np.float64)

    def extend(self, row: FeedRow) -> None:
        raw = np.nan if row.value is None else row.value
        is_out = (self.low is not None and raw < self.low) or (self.high is not None and raw > self.high)
        self.known.extend([row.known])
        self.raw.extend([raw])
        self.values.extend([np.nan if is_out else raw])

    def rows(self) -> FeedRows:
        known = self.known.view()
        return FeedRows(known, self.values.view(), self.raw.view(), np.arange(len(known), dtype=np.int64), f"{self.name}.csv")
