"""Tells the service manager that a session is ready, alive and stopping: systemd's protocol, a datagram to a socket.

Without `NOTIFY_SOCKET` in the environment nothing is sent. A manager that does not listen is no reason to stop trading: what
cannot be sent is left out, and its watchdog finds out by itself.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tb.core.records import Record
from tb.runtime.ports.measures import Measures, Readings

OFTEN = 1.0  # seconds between two words to the manager, at least


class Supervised:
    """Measures that go on to another, while the manager hears that the loop goes round.

    INVARIANT: the manager is told that the session lives by the loop itself, by nothing else: one that hangs is restarted.
    """

    def __init__(self, measures: Measures, environment: Mapping[str, str] | None = None) -> None:
        self._measures = measures
        self._address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
        self._told: float | None = None

    def turned(self) -> None:
        self._measures.turned()
        now = time.monotonic()
        if self._told is None or now - self._told >= OFTEN:
            self._tell("READY=1\nWATCHDOG=1" if self._told is None else "WATCHDOG=1")
            self._told = now

    def cycled(self, seconds: float) -> None:
        self._measures.cycled(seconds)

    def recorded(self, records: Sequence[Record]) -> None:
        self._measures.recorded(records)

    def timed(self, step: str, seconds: float) -> None:
        self._measures.timed(step, seconds)

    def read(self, readings: Readings) -> None:
        self._measures.read(readings)

    def stopping(self, words: str = "") -> None:
        """A graceful stop began; it may take longer than a cycle."""
        self._tell(f"STOPPING=1\nSTATUS={' '.join(words.split())}" if words else "STOPPING=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        name = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)
            out.sendto(text.encode(), name)
