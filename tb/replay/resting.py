"""When a resting order fills inside recorded bars, and at which price before slippage. Pure: an order and four prices.

Conventions, the same as for stops and targets:
- An order arrives at the first open that is known after its decision.
- A limit fills at the open where that is at its price or better, else at its price where the bar touches it; touching it
  exactly is enough, as for a target.
- A stop entry starts at the open where that is at its trigger or beyond, else at its trigger where the bar touches it.
- A quote fills at its price, and only where the market trades through it: there are others at that price before it.
- `post only`: an open at the limit or better on arrival means that it would have taken liquidity. It is cancelled.
- An open counts while the order's time is not over at that instant, the inside of a bar only where the bar closes by then:
  when a price was touched inside is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Order
from tb.engine.instant import exact


@dataclass(slots=True)
class Resting:
    """An order at the venue; `arrived` says that an open was seen with it."""

    order: Order
    arrived: bool = False

    @property
    def sign(self) -> int:
        return 1 if self.order.side == "buy" else -1

    def is_open_at(self, at: int) -> bool:
        """Whether its time is not over at the start of a bar."""
        return self.order.expires is None or at < self.order.expires

    def lasts_until(self, at: int) -> bool:
        """Whether it still stands at the close of a bar."""
        return self.order.expires is None or at <= self.order.expires

    def would_cross(self, open_: float) -> bool:
        """On arrival: whether it would fill at once though it may only rest."""
        return self.order.post_only and not self.arrived and self.reaches(open_)

    def reaches(self, price: float) -> bool:
        """Whether a price of the market is at the order's, or beyond it to the side on which it fills."""
        if self.order.price is None:
            return True
        level = float(self.order.price)
        if self.order.is_quote and self.arrived:  # a quote is the last in its queue: the market must trade through it
            return price < level if self.sign > 0 else price > level
        falls = (self.sign > 0) == (self.order.style == "limit")  # a buy limit and a sell stop wait for a fall
        return price <= level if falls else price >= level

    def at_open(self, open_: float) -> Decimal | None:
        """The undisturbed price of a fill at an open that is known, None where it does not fill there."""
        if not self.reaches(open_):
            return None
        return self.order.price if self.order.is_quote else exact(open_)

    def inside(self, high: float, low: float) -> Decimal | None:
        """The undisturbed price of a fill inside a bar, None where the bar does not touch it."""
        touched = self.reaches(high) or self.reaches(low)
        return self.order.price if touched else None
