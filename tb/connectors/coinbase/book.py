"""What is remembered of orders between requests and messages, so that each can be told whole.

Executions do not say our id of their order, and messages neither what kind of order it is nor, once it is over, how much was
ordered. Nothing is decided by what stands here; what is not here is asked for. Bounded: the oldest are forgotten.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from tb.runtime.ports.exchange import OrderState

MOST = 20_000


class Book:
    """Orders by the venue's id, as they were last told. Used by several threads."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, OrderState] = OrderedDict()
        self._ours: dict[str, str] = {}  # our id -> the venue's
        self._lock = threading.Lock()

    def keep(self, orders: Iterable[OrderState]) -> None:
        with self._lock:
            for order in orders:
                known = self._orders.get(order.venue_id)
                if known is not None and not order.client_id:  # what leaves our id out does not make it another's
                    order = replace(order, client_id=known.client_id)
                self._orders[order.venue_id] = order
                self._orders.move_to_end(order.venue_id)
                if order.client_id:
                    self._ours[order.client_id] = order.venue_id
            while len(self._orders) > MOST:
                _, oldest = self._orders.popitem(last=False)
                self._ours.pop(oldest.client_id, None)

    def of(self, venue_id: str) -> OrderState | None:
        with self._lock:
            return self._orders.get(venue_id)

    def venue_id(self, client_id: str) -> str | None:
        """The venue's id of the order of ours, None where it is not remembered."""
        with self._lock:
            return self._ours.get(client_id)
