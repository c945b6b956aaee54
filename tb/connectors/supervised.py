"""Tells the service manager that a session is ready, alive and stopping: systemd's protocol, a datagram to a socket.

Without `NOTIFY_SOCKET` in the environment nothing is sent. A manager that does not listen is no reason to stop trading: what
cannot be sent is left out, and its watchdog finds out by itself.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tb.core.records import Record
from tb.runtime.ports.measures import Measures, Readings


class Supervised:
    """Measures that go on to another, while the manager hears of each cycle.

    INVARIANT: the manager is told that the session lives by cycles that end, by nothing else: a loop that hangs is restarted.
    """

    def __init__(self, measures: Measures, environment: Mapping[str, str] | None = None) -> None:
        self._measures = measures
        self._address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
        self._ready = False

    def cycled(self, seconds: float) -> None:
        self._measures.cycled(seconds)
        self._tell("WATCHDOG=1" if self._ready else "READY=1\nWATCHDOG=1")
        self._ready = True

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
