"""What the sandbox demands of orders in a product, and what one looks like on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


@dataclass(frozen=True, slots=True)
class Product:
    """`tick` is the step of its price, `lot` that of its size; sizes in `base`, values in `quote`.

    `state` is `online`, or what is not possible now: `cancel_only`, `limit_only`, `post_only`, `trading_disabled`, `view_only`.
    """

    id: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    base_min: Decimal
    base_max: Decimal
    quote_min: Decimal = Decimal(1)
    quote_max: Decimal = Decimal(50_000_000)
    quote_lot: Decimal = Decimal("0.01")
    state: str = "online"

    def on_lots(self, size: Decimal) -> bool:
        return size % self.lot == 0

    def on_ticks(self, price: Decimal) -> bool:
        return price % self.tick == 0

    def lots_below(self, size: Decimal) -> Decimal:
        return (size / self.lot).to_integral_value(ROUND_FLOOR) * self.lot

    def tick_below(self, price: Decimal) -> Decimal:
        return (price / self.tick).to_integral_value(ROUND_FLOOR) * self.tick

    def tick_above(self, price: Decimal) -> Decimal:
        return (price / self.tick).to_integral_value(ROUND_CEILING) * self.tick


def product_named(symbol: str, *, tick: str = "0.01", lot: str = "0.00000001", base_min: str | None = None) -> Product:
    """A product with usual steps: `BTC-USD` buys BTC for USD."""
    base, _, quote = symbol.replace("_", "-").partition("-")
    least = Decimal(base_min or lot)
    return Product(symbol, base, quote, Decimal(tick), Decimal(lot), least, Decimal(1_000_000_000))
