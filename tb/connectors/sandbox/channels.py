"""What each channel of the stream tells: its first message, and what is new since the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tb.connectors.sandbox.answers import Json, shown_time, user_json
from tb.connectors.sandbox.candles import candles_json
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.pricing import Quote
from tb.core.encode import plain
from tb.core.time import DAY, MINUTE

YEAR = 364 * DAY
WIDE = 5 * MINUTE  # of candles on the stream
OPEN = frozenset({"user", "futures_balance_summary"})  # these ask for proof
PUBLIC = ("heartbeats", "candles", "status", "ticker", "ticker_batch", "level2", "market_trades")
NAMES = {"level2": "l2_data"}  # a channel that arrives under another name
Level = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """The events of one message and the instant it speaks of."""

    events: list[Json]
    at: int


@dataclass(slots=True)
class Channels:
    """Makes messages from the market as it is shown. One for all connections."""

    desk: Desk
    _ranges: dict[tuple[str, int], tuple[int, tuple[Decimal, Decimal] | None]] = field(default_factory=dict)

    def problem(self, channel: str, products: Sequence[str]) -> str:
        """Why a channel cannot be had; empty where it can."""
        known = self.desk.matching.prices.products
        if channel not in (*PUBLIC, *OPEN):
            return f"unknown channel {channel}"
        if unknown := [name for name in products if name not in known]:
            return f"unknown product {unknown[0]}"
        if channel == "futures_balance_summary":
            return "there are no futures"
        if channel == "candles" and any(WIDE % series.period for series in self.desk.matching.prices.series.values()):
            return "the recording has no bars of 5 minutes or less"
        return ""

    def user(self, products: Sequence[str]) -> Told:
        """The orders that work, the newest first."""
        working = [order for order in self.desk.matching.active.values() if not order.is_over]
        shown = [user_json(order) for order in reversed(working) if not products or order.product.id in products]
        nothing: Json = {"perpetual_futures_positions": [], "expiring_futures_positions": []}
        return Told([{"type": "snapshot", "orders": shown, "positions": nothing}], self.desk.now)

    def status(self, products: Sequence[str]) -> Told:
        rules = [self.desk.matching.prices.products[name] for name in products]
        shown = [
            {
                "product_type": "SPOT",
                "id": one.id,
                "base_currency": one.base,
                "quote_currency": one.quote,
                "base_increment": plain(one.lot),
                "quote_increment": plain(one.tick),
                "display_name": f"{one.base}/{one.quote}",
                "status": "online",
                "status_message": "",
                "min_market_funds": plain(one.quote_min),
            }
            for one in rules
        ]
        return Told([{"type": "snapshot", "products": shown}], self.desk.now)

    def tickers(self, quotes: Sequence[Quote], kind: str) -> list[Told]:
        """A message for each instant that the quotes are of."""
        by_time: dict[int, list[Json]] = {}
        for quote in quotes:
            by_time.setdefault(quote.at, []).append(self._ticker(quote))
        return [Told([{"type": kind, "tickers": shown}], at) for at, shown in by_time.items()]

    def _ticker(self, quote: Quote) -> Json:
        name, now = quote.product.id, self.desk.matching.now
        series = self.desk.matching.prices.series[name]
        earlier = series.price(now - DAY)
        day, year = self._range(name, DAY, now), self._range(name, YEAR, now)
        sizes = [self.desk.matching.prices.levels(quote, asks=asks)[:1] for asks in (False, True)]
        return {
            "type": "ticker",
            "product_id": name,
            "price": plain(quote.last),
            "volume_24_h": plain(series.volume(now - DAY, now)),
            "low_24_h": _at(day, 0),
            "high_24_h": _at(day, 1),
            "low_52_w": _at(year, 0),
            "high_52_w": _at(year, 1),
            "price_percent_chg_24_h": plain(round((quote.last / earlier - 1) * 100, 8)) if earlier else "0",
            "best_bid": plain(quote.bid),
            "best_ask": plain(quote.ask),
            "best_bid_quantity": plain(sizes[0][0][1]) if sizes[0] else "0",
            "best_ask_quantity": plain(sizes[1][0][1]) if sizes[1] else "0",
        }

    def _range(self, name: str, length: int, now: int) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price over a length of time, looked up once for each bar, over a year once a day."""
        series = self.desk.matching.prices.series[name]
        place = now // DAY if length == YEAR else series.at(now) or 0
        known = self._ranges.get((name, length))
        if known is None or known[0] != place:
            known = self._ranges[name, length] = (place, series.extremes(now - length, now))
        return known[1]

    def trades(self, quotes: Sequence[Quote], kind: str) -> Told:
        """A trade of the smallest size at each price."""
        shown = [
            {
                "product_id": quote.product.id,
                "trade_id": str(quote.at),
                "price": plain(quote.last),
                "size": plain(quote.product.base_min),
                "time": shown_time(quote.at),
                "side": "BUY",
            }
            for quote in quotes
        ]
        return Told([{"type": kind, "trades": shown}], self.desk.now)

    def candles(self, products: Sequence[str], *, whole: bool) -> Told:
        """The last hour's candles at first, then the one that grows."""
        now = self.desk.matching.now
        shown = [
            {**candle, "product_id": name}
            for name in products
            for candle in candles_json(
                self.desk.matching.prices.series[name], WIDE, now - (12 * WIDE if whole else WIDE), now, now
            )[: None if whole else 1]
        ]
        return Told([{"type": "snapshot" if whole else "update", "candles": shown}], self.desk.now)

    def book(self, quote: Quote) -> dict[Level, str]:
        """Sizes by side and price."""
        levels = self.desk.matching.prices.levels
        return {
            (side, plain(price)): plain(size)
            for side, asks in (("bid", False), ("offer", True))
            for price, size in levels(quote, asks=asks)
        }

    def book_told(self, quote: Quote, before: dict[Level, str] | None, now: dict[Level, str]) -> Told:
        """The whole book at first, then the levels that changed; one that is gone has size 0."""
        changed = now if before is None else {**{key: "0" for key in before if key not in now}, **_changes(before, now)}
        updates = [
            {"side": side, "event_time": shown_time(quote.at), "price_level": price, "new_quantity": size}
            for (side, price), size in changed.items()
        ]
        kind = "snapshot" if before is None else "update"
        return Told([{"type": kind, "product_id": quote.product.id, "updates": updates}], self.desk.now)


def _changes(before: dict[Level, str], now: dict[Level, str]) -> dict[Level, str]:
    return {key: size for key, size in now.items() if before.get(key) != size}


def _at(range_: tuple[Decimal, Decimal] | None, place: int) -> str:
    return "0" if range_ is None else plain(range_[place])
