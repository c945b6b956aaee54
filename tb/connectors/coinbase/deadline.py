"""Ends a connection whose answer is not there in time, however long it keeps talking.

A read that gets a byte now and then never runs out of its own time limit.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Self

_CONNECTED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class Deadline:
    """For one request that has a connection of its own; called with what httpcore traces. Ends with the `with`."""

    def __init__(self, seconds: float) -> None:
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def __call__(self, name: str, info: dict[str, Any]) -> None:
        if name in _CONNECTED:
            self._socket = info["return_value"].get_extra_info("socket")

    def _end(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it has ended by itself
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not that of TLS, which another thread is reading from
