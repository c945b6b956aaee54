"""Legs at the simulated venue: orders that fill at one instant, or none of them does.

They fill at the open of the first bars that begin together and whose opens are all known. An entry that has not filled within
one period of its strategy is cancelled: the strategy looks again then, and prices have moved. An exit waits for as long as it
takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tb.core.records import Order
from tb.engine.bars import Bars

if TYPE_CHECKING:
    from tb.runtime.settling import Settling

Fill = Callable[[Order, int], None]


@dataclass(slots=True)
class LegOrders:
    """Orders of legs that wait, each group with the others of its entry or exit."""

    bars: Mapping[str, Bars]
    waiting: list[tuple[Order, ...]] = field(default_factory=list)

    def advance(self, settling: Settling, rows: Mapping[str, int], at: int, fill: Fill) -> None:
        """One instant passes: `rows` are the bars that closed at it, by instrument."""
        for orders in list(self.waiting):
            found = [self._open_row(order, rows) for order in orders]
            opened = at - next(iter(self.bars.values())).period
            late = orders[0].kind == "entry" and opened >= orders[0].at + settling.plan.strategy(orders[0].strategy).period
            if late:
                self.waiting.remove(orders)
                for order in orders:
                    settling.cancelled(order, at, "a leg could not fill")
            elif all(row is not None for row in found):
                self.waiting.remove(orders)
                for order, row in zip(orders, found, strict=True):
                    assert row is not None
                    fill(order, row)

    def cancel(self, order: str) -> None:
        """Takes back the group that an order is in."""
        self.waiting = [orders for orders in self.waiting if all(one.id != order for one in orders)]

    def _open_row(self, order: Order, rows: Mapping[str, int]) -> int | None:
        """The bar at whose open a leg can fill; None where there is none, or its open is not known."""
        row = rows.get(order.instrument)
        if row is None:
            return None
        price = float(self.bars[order.instrument].open[row])
        return row if price == price else None  # noqa: PLR0124 - NaN differs from itself
