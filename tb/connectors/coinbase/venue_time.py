"""The venue's clock, never ahead of it: a bar counts as closed by the venue's time alone.

What it said last, and what has passed since, is an instant that has passed there too. Only where that is not enough is it asked
again, and not more often than some times a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tb.connectors.coinbase.transport import Transport
from tb.connectors.coinbase.wire import whole

FRESH, JUST_NOW = 60_000_000_000, 200_000_000  # ns


class VenueTime:
    """What the venue's clock says. Used by several threads."""

    def __init__(self, transport: Transport, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._transport, self._monotonic = transport, monotonic
        self._known: tuple[int, int] | None = None  # the venue's time in ms, and when that came
        self._lock = threading.Lock()

    def ask(self) -> int:
        """Its time as it answers; raises Unanswered, Declined or Unreadable."""
        at = whole(self._transport.get("/time", public=True), "epochMillis")
        with self._lock:
            self._known = at, self._monotonic()
        return at

    def passed(self, wanted: int) -> int:
        """The earlier of an instant and one that has passed at the venue, hardly behind its time."""
        with self._lock:
            known = self._known
        if known is not None:
            elapsed = self._monotonic() - known[1]
            at = known[0] + elapsed // 1_000_000
            if elapsed < JUST_NOW or (elapsed < FRESH and at >= wanted):
                return min(at, wanted)
        return min(self.ask(), wanted)
