"""One WebSocket of Coinbase, kept alive by a thread: subscribed, numbered, watched, and connected again when it ends.

    1. `_talk`      connects, subscribes to one channel with each message, each with a fresh token, and reads
    2. `_numbered`  the venue numbers its messages: a gap is told as `Lost`, a number that came before is passed over
    3. `_run`       what ends a connection (silence, an error, the other side) is told as `Lost`; then again, later each time

INVARIANT: whatever may have been missed is told. Orders that changed while there was no connection are in no message, so each
time `Lost` is told once more, as soon as the venue tells of orders again: from there on nothing is missing.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tb.connectors.coinbase.wire import Fields, Unreadable, fields, optional_text, read_json, whole
from tb.connectors.inbox import Inbox
from tb.runtime.ports.exchange import Event, Heartbeat, Lost

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LARGEST = 16 * 1024 * 1024  # bytes of a message
LONGEST_PAUSE = 30.0  # s between two attempts
PATIENCE = 3  # numbers that came before, one after another, until the connection is given up

Messages = Sequence[dict[str, Any]]


class Broken(Exception):
    """The connection is of no use any more; the message says why."""


@dataclass(slots=True)
class Stream:
    """`told` is the channel whose messages `read` makes events of; `subscriptions` makes the messages to begin with.

    `silence` is the s without any message after which a connection counts as dead (heartbeats come each second), `pause` the s
    before the second attempt. With `beats`, heartbeats become events.
    """

    channel: Literal["orders", "market"]
    url: str
    told: str
    subscriptions: Callable[[], Messages]
    read: Callable[[Fields], Iterable[Event]]
    inbox: Inbox
    clock: Callable[[], int]
    tls: ssl.SSLContext
    silence: float
    pause: float
    timeout: float
    beats: bool
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _socket: ClientConnection | None = None
    _next: int = 0
    _behind: int = 0
    _is_told: bool = False

    def start(self) -> None:
        """Begins to listen, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=f"coinbase {self.channel}", daemon=True)
        self._thread.start()

    def say(self, messages: Messages) -> None:
        """Sends messages where there is a connection; where there is none, the next one begins with all subscriptions."""
        socket = self._socket
        if socket is not None:
            with suppress(*_failures()):  # the thread that reads sees the end of the connection, and tells it
                for message in messages:
                    socket.send(json.dumps(message))

    def stop(self) -> None:
        """Ends the connection and waits for the thread."""
        self._stop.set()
        socket = self._socket
        if socket is not None:
            with suppress(*_failures()):
                socket.close()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        pause = self.pause
        while not self._stop.is_set():
            self._next, self._behind, self._is_told = 0, 0, False
            try:
                self._talk()
                why = "the connection was closed"
            except Broken as problem:
                why = str(problem)
            except _failures() as problem:
                what = "no connection" if self._socket is None else "the connection ended"
                why = f"{what} ({type(problem).__name__})"
            except Exception as bug:  # a thread that died of it would be silent for ever, and nobody would know
                why = f"a message could not be handled ({type(bug).__name__})"
            finally:
                self._socket = None
            if self._stop.is_set():
                return
            self._lost(why, "away")
            pause = self.pause if self._is_told else pause
            self._stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _talk(self) -> None:
        from websockets.sync.client import connect

        tls = self.tls if self.url.startswith("wss:") else None
        with connect(
            self.url, open_timeout=self.timeout, close_timeout=1, max_size=LARGEST, logger=_silent(), ssl=tls
        ) as socket:
            self._socket = socket
            for message in self.subscriptions():
                socket.send(json.dumps(message))
            due = time.monotonic() + 2 * self.silence
            while not self._stop.is_set():
                try:
                    content = socket.recv(timeout=self.silence)
                except TimeoutError:
                    raise Broken(f"nothing was heard for {self.silence:g} s") from None
                self._heard(content)
                # a snapshot of orders comes at once; that the market tells nothing shows in the age of its quotes
                if not self._is_told and self.channel == "orders" and time.monotonic() > due:
                    raise Broken(f"the channel `{self.told}` does not tell anything")

    def _heard(self, content: str | bytes) -> None:
        try:
            message = fields(read_json(content), "the message")
            if message.get("type") == "error":
                raise Broken(f"the venue refuses: {optional_text(message, 'message')[:200] or 'no reason given'}")
            if self._numbered(message):
                self._handle(message)
        except Unreadable as problem:
            self._lost(f"a message cannot be read: {problem}")

    def _numbered(self, message: Fields) -> bool:
        """Whether the message is a new one."""
        number = whole(message, "sequence_num")
        if number < self._next:
            self._behind += 1
            if self._behind >= PATIENCE:
                raise Broken("the numbers of messages go back")
            return False
        self._behind = 0
        missing, self._next = number - self._next, number + 1
        if missing:
            self._lost(f"{missing} {'message is' if missing == 1 else 'messages are'} missing")
        return True

    def _handle(self, message: Fields) -> None:
        channel = message.get("channel")
        if channel == "heartbeats":
            if self.beats:
                self.inbox.put(Heartbeat(self.clock()))
        elif channel == self.told:
            for event in self.read(message):
                self.inbox.put(event)
            if not self._is_told and self.channel == "orders":
                # after the snapshot, so that what is asked for now is newer than all that was told
                self._lost("told from here on; what happened before has to be asked for", "back")
            self._is_told = True

    def _lost(self, why: str, state: Literal["gap", "away", "back"] = "gap") -> None:
        self.inbox.put(Lost(self.channel, why, self.clock(), state))


def _failures() -> tuple[type[Exception], ...]:
    """What a network, a handshake or the other side can do."""
    from websockets.exceptions import WebSocketException

    return OSError, TimeoutError, WebSocketException


def _silent() -> logging.Logger:
    """The library logs what it sends when it is asked for everything; subscriptions hold tokens."""
    logger = logging.getLogger("tb.connectors.coinbase.stream")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    return logger
