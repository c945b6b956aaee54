"""The WebSocket half of the protocol: subscriptions, numbered messages, heartbeats, and what faults make of them.

    1. `serve`    a connection: it has five seconds for its first subscription, one channel in each message
    2. `changed`  is told of each change of an order, and tells the user channel
    3. `publish`  is called when the clock has moved, and tells market channels what is new
    4. `beat`     a heartbeat to each connection that asked for them

INVARIANT: the numbers of a connection's messages grow by one, but for a fault that loses or repeats one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tb.connectors.sandbox.answers import shown_time, user_json
from tb.connectors.sandbox.channels import NAMES, OPEN, PUBLIC, Channels, Level, Told
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.order import Order
from tb.connectors.sandbox.pricing import Quote
from tb.connectors.sandbox.tokens import token_fault, told_token
from tb.connectors.sandbox.wires import Wires

FIRST = 5.0  # seconds for the first subscription
BATCH = 5.0  # seconds between two batches of tickers
MARKET = frozenset(PUBLIC) - {"heartbeats", "status"}


@dataclass(eq=False, slots=True)
class Connection:
    """One client. `channels` are its subscriptions: products by channel, in the order in which they came."""

    socket: WebSocket
    queue: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    channels: dict[str, list[str]] = field(default_factory=dict)
    sequence: int = 0
    beats: int = 0
    batched: float = 0.0
    quotes: dict[tuple[str, str], Quote] = field(default_factory=dict)
    books: dict[str, dict[Level, str]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """For faults: whose connection it is."""
        return "user-stream" if "user" in self.channels else "market-stream"


@dataclass(slots=True)
class Streams:
    """All connections. Everything here runs in the server's thread."""

    desk: Desk
    wires: Wires
    first: float = FIRST
    connections: list[Connection] = field(default_factory=list)
    channels: Channels = field(init=False)

    def __post_init__(self) -> None:
        self.channels = Channels(self.desk)
        self.desk.matching.changed.append(self.changed)

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute(path, self.serve) for path in ("/", "/user")]

    async def serve(self, socket: WebSocket) -> None:
        """A connection from its beginning to its end."""
        if self.desk.faults.take("refuse-stream", at=self.desk.matching.now):
            await socket.close()
            return
        await socket.accept()
        connection = Connection(socket)
        self.connections.append(connection)
        sending = asyncio.create_task(self._send(connection))
        try:
            await asyncio.wait_for(self._listen(connection, once=True), self.first)
            await self._listen(connection, once=False)
        except TimeoutError:
            with suppress(RuntimeError):
                await socket.close(1008, "no subscription")
        except WebSocketDisconnect:
            pass
        finally:
            self.connections.remove(connection)
            sending.cancel()

    async def _listen(self, connection: Connection, *, once: bool) -> None:
        """Reads messages, or the first alone."""
        while True:
            text = await connection.socket.receive_text()
            self.desk.keep_time()
            self._heard(connection, text)
            if once:
                return

    async def _send(self, connection: Connection) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # the other side has gone
            while (text := await connection.queue.get()) is not None:
                await connection.socket.send_text(text)
        self.wires.cut(connection.socket.scope["client"])

    # subscriptions

    def _heard(self, connection: Connection, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self._error(connection, "failed to parse message")
            return
        channel, products, problem = self._read(message)
        self._note(connection, message, problem)
        if problem:
            self._error(connection, problem)
        elif message["type"] == "subscribe":
            new = [name for name in products if name not in connection.channels.get(channel, [])]
            connection.channels.setdefault(channel, []).extend(new)
            self._begin(connection, channel, new)
            self._subscriptions(connection)
        else:
            kept = [name for name in connection.channels.pop(channel, []) if products and name not in products]
            if kept:
                connection.channels[channel] = kept
            self._subscriptions(connection)

    def _read(self, message: Mapping[str, Any]) -> tuple[str, list[str], str]:
        """Channel, products, and what is wrong with a message."""
        channel, products = message.get("channel"), message.get("product_ids", [])
        if message.get("type") not in {"subscribe", "unsubscribe"}:
            return "", [], "unknown message type"
        if not isinstance(channel, str) or not isinstance(products, list) or not all(isinstance(one, str) for one in products):
            return "", [], "failed to parse message"
        problem = self.channels.problem(channel, products)
        if problem:
            return channel, products, problem
        if self.desk.faults.take("unauthorized", channel, at=self.desk.matching.now) or self._unproven(
            message, channel, products
        ):
            return channel, products, "authentication failure"
        needs = channel not in {"user", "heartbeats", "status"}
        return channel, products or (list(self.desk.matching.prices.products) if needs or channel == "status" else []), ""

    def _unproven(self, message: Mapping[str, Any], channel: str, products: Sequence[str]) -> bool:
        if "jwt" in message:
            return bool(token_fault(str(message["jwt"]), self.desk.keys, self.desk.wall(), None))
        if "api_key" in message:
            return not self._signed(message, channel, products)
        return channel in OPEN

    def _signed(self, message: Mapping[str, Any], channel: str, products: Sequence[str]) -> bool:
        """The old scheme: a signature over time, channel and products."""
        key = next((key for key in self.desk.keys if key.kind == "HMAC" and key.name == message["api_key"]), None)
        stamp = str(message.get("timestamp", ""))
        if key is None or not (stamp.isascii() and stamp.isdigit()) or abs(int(stamp) - self.desk.wall()) > 30:
            return False
        right = hmac.new(key.secret.encode(), f"{stamp}{channel}{','.join(products)}".encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(right, str(message.get("signature", "")))

    def _note(self, connection: Connection, message: Mapping[str, Any], problem: str) -> None:
        shown = {name: value for name, value in message.items() if name not in {"jwt", "signature"}}
        self.desk.requests.append(
            {
                "number": self.desk.asked,
                "kind": "stream",
                "method": "WS",
                "path": connection.socket.url.path,
                "query": [],
                "headers": {name: value for name, value in connection.socket.headers.items() if name != "sec-websocket-key"},
                "token": told_token(str(message.get("jwt", ""))),
                "body": json.dumps(shown),
                "at": self.desk.matching.now,
                "status": problem or "ok",
            }
        )

    def _begin(self, connection: Connection, channel: str, products: Sequence[str]) -> None:
        """The first message of a channel."""
        match channel:
            case "user":
                self._emit(connection, channel, self.channels.user(products))
            case "status":
                self._emit(connection, channel, self.channels.status(products))
            case "candles":
                self._emit(connection, channel, self.channels.candles(products, whole=True))
            case "ticker" | "ticker_batch" | "level2" | "market_trades":
                self._market(connection, channel, products, "snapshot")

    def _subscriptions(self, connection: Connection) -> None:
        self._emit(connection, "subscriptions", Told([{"subscriptions": dict(connection.channels)}], self.desk.now))

    # what is new

    def changed(self, order: Order) -> None:
        for connection in list(self.connections):
            products = connection.channels.get("user")
            if products is not None and (not products or order.product.id in products):
                told = Told([{"type": "update", "orders": [user_json(order)]}], self.desk.now)
                twice = self.desk.faults.take("answer-twice", "user", at=self.desk.matching.now)
                for _ in range(2 if twice else 1):
                    self._emit(connection, "user", told)

    def publish(self) -> None:
        """Tells market channels of prices that are not those told last."""
        for connection in list(self.connections):
            for channel, products in list(connection.channels.items()):
                if channel == "candles":
                    self._emit(connection, channel, self.channels.candles(products, whole=False))
                elif channel in MARKET and (channel != "ticker_batch" or self._is_due(connection)):
                    self._market(connection, channel, products, "update")

    def _is_due(self, connection: Connection) -> bool:
        now = self.desk.steady()
        if now - connection.batched < BATCH:
            return False
        connection.batched = now
        return True

    def _market(self, connection: Connection, channel: str, products: Sequence[str], kind: str) -> None:
        quotes = []
        for name in products:
            quote = self.desk.quote(name)
            if quote is not None and (kind == "snapshot" or quote != connection.quotes.get((channel, name))):
                connection.quotes[channel, name] = quote
                quotes.append(quote)
        if not quotes:
            return
        if channel == "level2":
            for quote in quotes:
                before, now = connection.books.get(quote.product.id), self.channels.book(quote)
                connection.books[quote.product.id] = now
                self._emit(connection, channel, self.channels.book_told(quote, None if kind == "snapshot" else before, now))
        elif channel == "market_trades":
            self._emit(connection, channel, self.channels.trades(quotes, kind))
        else:
            for told in self.channels.tickers(quotes, kind):
                self._emit(connection, channel, told)

    def beat(self) -> None:
        """A heartbeat to each connection that asked for them."""
        for connection in list(self.connections):
            if "heartbeats" in connection.channels:
                connection.beats += 1
                now = shown_time(self.desk.now)
                event = {
                    "current_time": f"{now[:10]} {now[11:26]} +0000 UTC m=+{connection.beats}.0",
                    "heartbeat_counter": str(connection.beats),
                }
                self._emit(connection, "heartbeats", Told([event], self.desk.now))

    # sending

    def _emit(self, connection: Connection, channel: str, told: Told) -> None:
        """Numbers a message and puts it on its way, or does what a fault says."""
        names, at = (channel, connection.kind), self.desk.matching.now
        if self.desk.faults.take("disconnect", *names, at=at):
            connection.channels.clear()
            connection.queue.put_nowait(None)
            return
        if self.desk.faults.take("silent", *names, at=at):
            return
        text = json.dumps(
            {
                "channel": NAMES.get(channel, channel),
                "client_id": "",
                "timestamp": shown_time(told.at),
                "sequence_num": connection.sequence,
                "events": told.events,
            }
        )
        connection.sequence += 1
        if self.desk.faults.take("gap", *names, at=at):
            return
        connection.queue.put_nowait(text)
        if self.desk.faults.take("repeat", *names, at=at):
            connection.queue.put_nowait(text)

    def _error(self, connection: Connection, message: str) -> None:
        connection.queue.put_nowait(json.dumps({"type": "error", "message": message}))
