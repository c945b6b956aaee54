"""What came from a venue's connections and was not fetched yet, in order. Filled by threads, emptied by one.

INVARIANT: bounded. Where nobody fetches, what is old goes, and `Lost` takes its place: nothing goes without being told.
"""

from __future__ import annotations

import threading

from tb.runtime.ports.exchange import Event, Lost

MOST = 50_000


class Inbox:
    """A queue of events."""

    def __init__(self, most: int = MOST) -> None:
        self._events: list[Event] = []
        self._most = most
        self._lock = threading.Lock()

    def put(self, event: Event) -> None:
        """Adds an event; a loss that is the last thing told of its channel is not told twice."""
        with self._lock:
            last = self._events[-1] if self._events else None
            if isinstance(event, Lost) and isinstance(last, Lost) and (last.channel, last.why) == (event.channel, event.why):
                return
            if len(self._events) >= self._most:
                at = event.received if hasattr(event, "received") else event.at
                why = f"more than {self._most} events that nobody fetched"
                self._events = [Lost("orders", why, at), Lost("market", why, at)]
            self._events.append(event)

    def take(self) -> tuple[Event, ...]:
        """All of them; the inbox is empty then."""
        with self._lock:
            taken, self._events = self._events, []
        return tuple(taken)
