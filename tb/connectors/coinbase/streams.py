"""Both connections of an adapter: the market's, for quotes, and the user's, for orders. They begin when events are asked for.

Quotes are the best bid and ask of the channel `ticker`, which tells them with every trade: in a market without trades they grow
old, and say so by their time. A product that shares the book of another is watched under the other's name, as the venue
demands.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tb.connectors.coinbase.book import Book
from tb.connectors.coinbase.credentials import Credentials
from tb.connectors.coinbase.messages import orders_in, quotes_in
from tb.connectors.coinbase.stream import Stream
from tb.connectors.coinbase.tokens import message_proof
from tb.connectors.coinbase.wire import Fields
from tb.connectors.inbox import Inbox
from tb.runtime.ports.exchange import Event

SILENCE, PAUSE = 5.0, 0.5  # s


class Streams:
    """What comes by WebSocket. Used by several threads."""

    def __init__(
        self,
        credentials: Credentials | None,
        market_url: str,
        user_url: str,
        *,
        book: Book,
        clock: Callable[[], int],
        tls: ssl.SSLContext,
        timeout: float,
        silence: float = SILENCE,
        pause: float = PAUSE,
    ) -> None:
        self._credentials, self._clock, self._book = credentials, clock, book
        self._watched: dict[str, str] = {}  # instrument -> the product to subscribe to
        self._inbox = Inbox()
        self._lock = threading.Lock()
        self._is_running = False
        settings: dict[str, Any] = {
            "inbox": self._inbox,
            "clock": clock,
            "tls": tls,
            "silence": silence,
            "pause": pause,
            "timeout": timeout,
        }
        is_public = credentials is None
        self._market = Stream("market", market_url, "ticker", self._market_messages, self._quotes, beats=is_public, **settings)
        self._user = (
            None if is_public else Stream("orders", user_url, "user", self._user_messages, self._orders, beats=True, **settings)
        )
        self._has_market = False

    def take(self) -> tuple[Event, ...]:
        """What came; the first call begins to listen."""
        with self._lock:
            if not self._is_running:
                self._is_running = True
                if self._user is not None:
                    self._user.start()
                self._begin_market()
        return self._inbox.take()

    def watch(self, instruments: Mapping[str, str]) -> None:
        """Quotes of these from now on too, each under the name of its product."""
        with self._lock:
            new = {product for product in instruments.values() if product not in self._watched.values()}
            self._watched |= instruments
            if self._has_market:
                self._market.say(self._messages("ticker", sorted(new)) if new else ())
            elif self._is_running:
                self._begin_market()

    def stop(self) -> None:
        with self._lock:
            running, self._is_running = self._is_running, True  # what is closed does not begin again
            has_market = self._has_market
        if running:
            if self._user is not None:
                self._user.stop()
            if has_market:
                self._market.stop()

    def _begin_market(self) -> None:
        """There is a market to listen to once something is watched."""
        if self._watched and not self._has_market:
            self._has_market = True
            self._market.start()

    def _market_messages(self) -> list[dict[str, Any]]:
        products = sorted(set(self._watched.values()))
        return [*self._messages("heartbeats", []), *self._messages("ticker", products)]

    def _user_messages(self) -> list[dict[str, Any]]:
        return [*self._messages("heartbeats", []), *self._messages("user", [])]

    def _messages(self, channel: str, products: Sequence[str]) -> list[dict[str, Any]]:
        """One subscription, with a token of its own."""
        message: dict[str, Any] = {"type": "subscribe", "product_ids": list(products), "channel": channel}
        if self._credentials is not None:
            message |= message_proof(self._credentials, self._clock() // 1000, channel, list(products))
        return [message]

    def _orders(self, message: Fields) -> Iterator[Event]:
        return orders_in(message, self._book)

    def _quotes(self, message: Fields) -> Iterator[Event]:
        return quotes_in(message, self._clock(), self._named)

    def _named(self, product: str) -> Iterable[str]:
        return [name for name, watched in list(self._watched.items()) if watched == product]
