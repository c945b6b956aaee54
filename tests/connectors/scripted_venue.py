"""A venue on this machine that says what a test scripted, and keeps what it was asked. Real HTTP, TLS and WebSocket."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

PREFIX = "/api/v3/brokerage"
Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Venue:
    """Answers by path, the next one for each request, the last one for ever; `said` is what came by WebSocket."""

    port: int = 0
    scheme: str = "http"
    answers: dict[str, list[Reply | Callable[[Asked], Reply]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sockets: list[Callable[[Connection], Any]] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws{'s' if self.scheme == 'https' else ''}://127.0.0.1:{self.port}"

    def on(self, path: str, *replies: Reply | Callable[[Asked], Reply]) -> None:
        self.answers[path] = list(replies)

    def of(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._talk(scope, receive, send)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path = scope["path"].removeprefix(PREFIX)
        asked = Asked(scope["method"], path, parse_qsl(scope["query_string"].decode()), headers, body)
        self.asked.append(asked)
        script = self.answers.get(path, [(404, {"error": "NOT_FOUND", "message": "not scripted"})])
        reply = script.pop(0) if len(script) > 1 else script[0]
        if callable(reply):
            reply = reply(asked)
        status, content, more = (*reply, {})[:3]
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = [(name.encode(), value.encode()) for name, value in more.items()]
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json"), *named]}
        )
        await send({"type": "http.response.body", "body": data})

    async def _talk(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        script = self.sockets[min(self.connections, len(self.sockets) - 1)]
        self.connections += 1
        await script(Connection(self, receive, send))


@dataclass
class Connection:
    """The venue's end of one WebSocket."""

    venue: Venue
    receive: Callable[[], Any]
    send: Callable[[Any], Any]
    number: int = 0

    async def hear(self) -> Any:
        """The next message of the client, None where it has gone."""
        event = await self.receive()
        if event["type"] != "websocket.receive":
            return None
        message = json.loads(event["text"])
        self.venue.said.append(message)
        return message

    async def tell(self, channel: str, *events: Any, skip: int = 0, **more: Any) -> None:
        """A message with the next number, or one further where some are skipped."""
        self.number += skip
        message = {
            "channel": channel,
            "client_id": "",
            "timestamp": "2026-01-02T03:04:05.123456789Z",
            "sequence_num": self.number,
            "events": list(events),
            **more,
        }
        self.number += 1
        await self.send_raw(json.dumps(message))

    async def send_raw(self, text: str) -> None:
        await self.send({"type": "websocket.send", "text": text})

    async def close(self) -> None:
        await self.send({"type": "websocket.close", "code": 1001})

    async def stay(self) -> None:
        """Until the client goes."""
        while await self.hear() is not None:
            pass


@contextmanager
def serving(venue: Venue, certificate: tuple[Path, Path] | None = None) -> Iterator[Venue]:
    """The venue on a free port of the loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    venue.port = listener.getsockname()[1]
    more: dict[str, Any] = {}
    if certificate is not None:
        venue.scheme = "https"
        more = {"ssl_certfile": str(certificate[0]), "ssl_keyfile": str(certificate[1])}
    config = uvicorn.Config(venue, log_level="critical", lifespan="off", ws="websockets-sansio", access_log=False, **more)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        yield venue
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def rude(*manners: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that treats each connection as scripted, and what it was sent. For what no well-behaved server does."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        for number in range(100):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(65536))
                manners[min(number, len(manners) - 1)](connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
