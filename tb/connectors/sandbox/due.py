"""What happens next to working orders: an end in time, a price that the market reaches, a fill that a cancel came too late for.

Of several at one instant an end comes first, then a stop, then a limit, then a late fill; then the older order. A stop that the
market reaches in the same millisecond as a target is the one that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tb.connectors.sandbox.order import Order
from tb.connectors.sandbox.pricing import Prices

What = Literal["expire", "stop", "limit", "force"]
RANK: dict[What, int] = {"expire": 0, "stop": 1, "limit": 2, "force": 3}


@dataclass(frozen=True, slots=True)
class Due:
    """Something that happens to an order at an instant."""

    at: int
    what: What
    order: Order

    @property
    def key(self) -> tuple[int, int, int]:
        return self.at, RANK[self.what], self.order.sequence


def next_due(orders: Iterable[Order], prices: Prices, now: int, until: int) -> Due | None:
    """The first thing that happens later than `now` (an end in time: at it, too) and not later than `until`."""
    found = (due for order in orders for due in _of(order, prices, now, until))
    return min(found, key=lambda due: due.key, default=None)


def _of(order: Order, prices: Prices, now: int, until: int) -> Iterator[Due]:
    if order.forced is not None:
        if order.forced <= until:
            yield Due(max(order.forced, now + 1), "force", order)
        return
    if not order.is_working:
        return
    expires = order.terms.expires
    if expires is not None and expires <= until:
        yield Due(max(expires, now), "expire", order)
    stop, limit = order.terms.stop, order.bound
    if order.waits and stop is not None:
        yield from _reached(order, stop, "stop", prices, now, until)
    if limit is not None and not (order.waits and order.terms.type == "STOP_LIMIT"):
        yield from _reached(order, limit, "limit", prices, now, until)


def _reached(order: Order, price: Decimal, what: What, prices: Prices, now: int, until: int) -> Iterator[Due]:
    """When the last price reaches a stop, or the other side of the quote a limit."""
    name = order.product.id

    def level(place: int) -> Decimal:
        if what == "stop":
            return price
        half = prices.half_spread(name, place)
        return price / (1 + half) if order.is_buy else price / (1 - half)

    falling = order.falls if what == "stop" else order.is_buy
    at = prices.series[name].first_beyond(level, max(now, order.not_before), until, falling=falling)
    if at is not None:
        yield Due(at, what, order)
