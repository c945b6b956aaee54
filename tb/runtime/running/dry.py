"""Dry run: everything is decided and recorded, and nothing is sent. An order counts until the next close, and is over then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tb.core.records import Order
from tb.gate.gate import Approved
from tb.gate.standing import Standing
from tb.runtime.ports.measures import AtVenue

if TYPE_CHECKING:
    from tb.runtime.running.market import LiveMarket
    from tb.runtime.session import Session

CAUSE = "dry run"
_ALL_WELL = Standing("open", "active", heartbeat_age=0, reconciled_age=0, unknown_orders=0, clock_skew=0)


class DryVenue:
    """Takes approved orders, and lets none of them out."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def submit(self, approved: Approved, order: Order) -> None:
        if order.quantity != approved.quantity:
            raise ValueError(f"order {order.id} is for {order.quantity}, approved were {approved.quantity}")
        self._orders[order.id] = order

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        for approved, order in legs:
            self.submit(approved, order)

    def cancel(self, order: str) -> bool:
        self._orders.pop(order, None)
        return True

    def standing(self, instrument: str, at: int) -> Standing:
        """As a replay says it: nothing is sent, so nothing can be wrong with it."""
        return _ALL_WELL

    speaks = False
    knows = True
    is_flattening = False

    def attend(self) -> None: ...

    def flatten(self, by: str, reason: str) -> bool:
        return False

    def reconcile(self, by: str) -> str:
        return "agrees"  # there is nobody to differ from

    def unfinished(self) -> str:
        return ""

    def counted(self, session: Session) -> AtVenue:
        return AtVenue(working=len(session.waiting))

    def close(self) -> None: ...

    def trouble(self) -> str:
        return ""

    def resumed(self, at: int, by: str, reason: str) -> None: ...

    def said(self, instruments: Sequence[str], at: int) -> Mapping[str, Standing] | None:
        return None

    def advance(self, session: Session, market: LiveMarket, at: int) -> None:
        orders, self._orders = list(self._orders.values()), {}
        for order in orders:
            session.settling.cancelled(order, at, CAUSE)
