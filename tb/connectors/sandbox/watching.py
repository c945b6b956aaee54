"""What tests of a client ask afterwards: how often each order arrived, how much was at risk at worst, and what had no stop.

Looked at whenever an order or a balance changed. A position is what the account has of a currency beyond what it began with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tb.connectors.sandbox.account import Account
from tb.connectors.sandbox.order import WORKING, Order
from tb.connectors.sandbox.pricing import Prices

ZERO = Decimal(0)


@dataclass(slots=True)
class Bare:
    """A time in which a part of a position had no stop: `size` is the most that had none. `until` is None while it lasts."""

    product: str
    since: int
    size: Decimal
    until: int | None = None


@dataclass(slots=True)
class Watch:
    """`arrivals` counts requests by client order id, `created` the orders that came of them. `worst` is, by currency, the
    largest value of positions, and of positions with all that working orders could still buy."""

    prices: Prices
    account: Account
    arrivals: dict[str, int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    worst: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    bare: list[Bare] = field(default_factory=list)
    _open: dict[str, Bare] = field(default_factory=dict)

    def arrived(self, client_id: str) -> None:
        self.arrivals[client_id] = self.arrivals.get(client_id, 0) + 1

    def made(self, client_id: str) -> None:
        self.created[client_id] = self.created.get(client_id, 0) + 1

    def look(self, orders: Iterable[Order], now: int) -> None:
        """Notes exposure and protection as they are at an instant."""
        working = [order for order in orders if order.status in WORKING]
        self._exposure(working, now)
        self._protection(working, now)

    def positions(self) -> dict[str, Decimal]:
        """What is held of each product's base beyond the beginning; a base of several products counts at the first of them."""
        first: dict[str, str] = {}
        for product in self.prices.products.values():
            first.setdefault(product.base, product.id)
        sizes = {name: self.account.gained(base) for base, name in first.items()}
        return {name: size for name, size in sizes.items() if size}

    def _exposure(self, working: list[Order], now: int) -> None:
        held: dict[str, Decimal] = {}
        for name, size in self.positions().items():
            quote = self.prices.quote(name, now)
            currency = self.prices.products[name].quote
            held[currency] = held.get(currency, ZERO) + (abs(size) * quote.last if quote is not None else ZERO)
        most = dict(held)
        for order in working:
            if order.is_buy:
                price = order.bound or order.terms.stop or ZERO
                most[order.product.quote] = most.get(order.product.quote, ZERO) + order.remaining * price
        for currency, value in most.items():
            worst = self.worst.setdefault(currency, {"held": ZERO, "with_orders": ZERO})
            worst["held"] = max(worst["held"], held.get(currency, ZERO))
            worst["with_orders"] = max(worst["with_orders"], value)

    def _protection(self, working: list[Order], now: int) -> None:
        guarded: dict[str, Decimal] = {}
        for order in working:
            # a stop that was reached and is still working has not closed anything yet, and is on its way to
            if not order.is_buy and order.terms.stop is not None:
                guarded[order.product.base] = guarded.get(order.product.base, ZERO) + order.remaining
        sizes = self.positions()
        for name in sorted({*sizes, *self._open}):
            size = sizes.get(name, ZERO) - guarded.get(self.prices.products[name].base, ZERO)
            open_ = self._open.get(name)
            if size > 0 and open_ is None:
                open_ = self._open[name] = Bare(name, now, size)
                self.bare.append(open_)
            elif size > 0 and open_ is not None:
                open_.size = max(open_.size, size)
            elif open_ is not None:
                open_.until = now
                del self._open[name]

    def told(self) -> Mapping[str, Any]:
        """All of it, for programs."""
        bare = [{"product": one.product, "from": one.since, "to": one.until, "size": str(one.size)} for one in self.bare]
        worst = {name: {key: str(value) for key, value in kinds.items()} for name, kinds in self.worst.items()}
        return {
            "arrivals": self.arrivals,
            "created": self.created,
            "worst_exposure": worst,
            "unprotected": bare,
            "positions": {name: str(size) for name, size in self.positions().items()},
        }
