"""A venue that cannot be asked: an `Exchange` that answers nothing, and says why.

INVARIANT: nothing is sent, and no question has an answer that could be taken for "nothing there".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tb.runtime.ports.exchange import (
    Balance,
    Candle,
    Event,
    NoAnswer,
    OrderState,
    Quoted,
    Refusal,
    Request,
    Rules,
    VenueFill,
)


class Unreached:
    """Where no venue is named there is none to ask."""

    name = "the venue"

    def __init__(self, why: str) -> None:
        self._none = NoAnswer(why, undone=True)

    def rules(self, instruments: Sequence[str]) -> Mapping[str, Rules] | NoAnswer:
        return self._none

    def place(self, request: Request) -> OrderState | Refusal | NoAnswer:
        return self._none

    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> OrderState | Refusal | NoAnswer:
        return self._none

    def cancel(self, order: OrderState) -> Refusal | NoAnswer | None:
        return self._none

    def find(self, client_id: str, instrument: str, since: int) -> OrderState | NoAnswer | None:
        return self._none

    def open_orders(self) -> tuple[OrderState, ...] | NoAnswer:
        return self._none

    def fills(self, since: int) -> tuple[VenueFill, ...] | NoAnswer:
        return self._none

    def balances(self) -> tuple[Balance, ...] | NoAnswer:
        return self._none

    def clock(self) -> int | NoAnswer:
        return self._none

    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[Candle, ...] | NoAnswer:
        return self._none

    def quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...] | NoAnswer:
        return self._none

    def events(self) -> tuple[Event, ...]:
        return ()

    def close(self) -> None: ...
