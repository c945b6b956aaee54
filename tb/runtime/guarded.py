"""A venue's adapter that cannot bring the session down: whatever it raises is no answer.

An adapter promises not to raise. Where it does all the same, what it was asked to do may have happened or not, so the outcome
is unknown, exactly as after a lost reply: an order is looked up, a balance is not known, nothing is taken to be well. Each kind
of failure is told once to `told`, with the name of the method and the kind of the exception; its text is not passed on: it
may hold what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from tb.runtime.ports.exchange import (
    Balance,
    Candle,
    Event,
    Exchange,
    Lost,
    NoAnswer,
    OrderState,
    Quoted,
    Refusal,
    Request,
    Rules,
    VenueFill,
)

T = TypeVar("T")


class Guarded:
    """An `Exchange` around another."""

    def __init__(self, inner: Exchange, *, now: Callable[[], int], told: Callable[[str], None]) -> None:
        self.name = inner.name
        self._inner, self._now, self._told = inner, now, told
        self._known: set[str] = set()
        self._is_away = False  # whether `events` fails

    def _ask(self, what: str, question: Callable[[], T]) -> T | NoAnswer:
        try:
            return question()
        except Exception as raised:
            return NoAnswer(self._fault(what, raised))

    def _fault(self, what: str, raised: Exception) -> str:
        words = f"the adapter of {self.name} failed in `{what}`: {type(raised).__name__}"
        if words not in self._known:
            self._known.add(words)
            self._told(words)
        return words

    def rules(self, instruments: Sequence[str]) -> Mapping[str, Rules] | NoAnswer:
        return self._ask("rules", lambda: self._inner.rules(instruments))

    def place(self, request: Request) -> OrderState | Refusal | NoAnswer:
        return self._ask("place", lambda: self._inner.place(request))

    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> OrderState | Refusal | NoAnswer:
        return self._ask("amend", lambda: self._inner.amend(order, quantity, price))

    def cancel(self, order: OrderState) -> Refusal | NoAnswer | None:
        return self._ask("cancel", lambda: self._inner.cancel(order))

    def find(self, client_id: str, instrument: str, since: int) -> OrderState | NoAnswer | None:
        return self._ask("find", lambda: self._inner.find(client_id, instrument, since))

    def open_orders(self) -> tuple[OrderState, ...] | NoAnswer:
        return self._ask("open_orders", self._inner.open_orders)

    def fills(self, since: int) -> tuple[VenueFill, ...] | NoAnswer:
        return self._ask("fills", lambda: self._inner.fills(since))

    def balances(self) -> tuple[Balance, ...] | NoAnswer:
        return self._ask("balances", self._inner.balances)

    def clock(self) -> int | NoAnswer:
        return self._ask("clock", self._inner.clock)

    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[Candle, ...] | NoAnswer:
        return self._ask("candles", lambda: self._inner.candles(instrument, period, first, last))

    def quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...] | NoAnswer:
        return self._ask("quotes", lambda: self._inner.quotes(instruments))

    def events(self) -> tuple[Event, ...]:
        """What came; where the adapter fails, both channels are lost until it does not any more."""
        found = self._ask("events", self._inner.events)
        if isinstance(found, NoAnswer):
            self._is_away, at = True, self._now()
            return Lost("orders", found.why, at, "away"), Lost("market", found.why, at, "away")
        if self._is_away:
            self._is_away, at, why = False, self._now(), f"the adapter of {self.name} answers again"
            return Lost("orders", why, at, "back"), Lost("market", why, at, "back"), *found
        return found

    def close(self) -> None:
        self._ask("close", self._inner.close)
