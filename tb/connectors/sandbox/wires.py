"""The connections of the server by the address of their other end, so that one can be cut in the middle of an exchange."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(slots=True)
class Wires:
    """INVARIANT: a connection that is over is not kept."""

    _open: weakref.WeakValueDictionary[Any, asyncio.Transport] = field(default_factory=weakref.WeakValueDictionary)

    def cut(self, client: Any) -> None:
        """Ends the connection at once, without another byte."""
        transport = self._open.get(tuple(client))
        if transport is not None:
            transport.abort()

    def write(self, client: Any, data: bytes) -> None:
        """Puts bytes on the connection as they are."""
        transport = self._open.get(tuple(client))
        if transport is not None:
            transport.write(data)

    def protocol(self) -> type[H11Protocol]:
        """The server's protocol, which notes its connections here."""
        from uvicorn.protocols.http.h11_impl import H11Protocol

        wires = self._open

        class Noted(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    wires[tuple(self.client)] = transport

        return Noted
