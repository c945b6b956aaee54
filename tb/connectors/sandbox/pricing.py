"""Bid, ask and a book of a few levels around the recorded price.

The half spread is the recorded quote's as of the close before, else the given one. Bid and ask are the price less and plus it,
rounded away from each other to the tick. A book has ten levels a side; each holds a tenth of the depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tb.connectors.sandbox.product import Product
from tb.connectors.sandbox.recording import Series

LEVELS = 10
_STEP = Decimal("0.0001")  # levels lie a basis point apart, or a tick


@dataclass(frozen=True, slots=True)
class Quote:
    """`at` is the newest instant at which the recording has a price: it stands still where bars are missing."""

    product: Product
    bid: Decimal
    ask: Decimal
    last: Decimal
    at: int


@dataclass(frozen=True, slots=True)
class Prices:
    """The market as recorded. `spread` is the whole distance of bid and ask as a part of the price, `depth` the value of one
    side of the book in the product's currency."""

    products: Mapping[str, Product]
    series: Mapping[str, Series]
    spread: Decimal
    depth: Decimal

    def half_spread(self, product: str, place: int) -> Decimal:
        recorded = self.series[product].spread(place)
        return self.spread / 2 if recorded is None else recorded

    def quote(self, product: str, now: int) -> Quote | None:
        """The best bid and ask at an instant; None before the first bar."""
        series, rules = self.series[product], self.products[product]
        place = series.at(now)
        price = series.price(now)
        if place is None or price is None:
            return None
        half = self.half_spread(product, place)
        bid, ask = rules.tick_below(price * (1 - half)), rules.tick_above(price * (1 + half))
        bid = max(bid, rules.tick)
        last = max(rules.tick_below(price), rules.tick)
        return Quote(rules, bid, max(ask, bid + rules.tick), last, min(now, series.starts[place] + series.period))

    def levels(self, quote: Quote, *, asks: bool) -> list[tuple[Decimal, Decimal]]:
        """Price and size of one side of the book, the best first."""
        rules = quote.product
        step = max(rules.tick_above(quote.last * _STEP), rules.tick)
        best = quote.ask if asks else quote.bid
        prices = [best + step * number if asks else best - step * number for number in range(LEVELS)]
        return [(price, max(rules.lots_below(self.depth / LEVELS / price), rules.lot)) for price in prices if price > 0]
