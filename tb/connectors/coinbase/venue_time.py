"""The venue's clock, asked for once a minute and never ahead of it: a bar counts as closed by the venue's time alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tb.connectors.coinbase.transport import Transport
from tb.connectors.coinbase.wire import whole

FRESH = 60_000_000_000  # ns


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

    def at_least(self) -> int:
        """An instant that has passed at the venue, at most the time of an answer behind it."""
        with self._lock:
            known = self._known
        if known is None or self._monotonic() - known[1] > FRESH:
            return self.ask()
        return known[0] + (self._monotonic() - known[1]) // 1_000_000
