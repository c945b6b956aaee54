"""A venue that answers as it is told, for tests of what asks venues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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

SILENT = NoAnswer("the connection timed out")


def rules_of(symbol: str, *, status: str = "open", tick: str = "0.01", lot: str = "0.00000001", least: str = "1") -> Rules:
    asset, currency = symbol.split("-")
    return Rules(symbol, asset, currency, Decimal(tick), Decimal(lot), None, None, Decimal(least), None, status)


@dataclass
class Answers:
    """An `Exchange` whose every answer is a field. It takes no orders."""

    now: int
    name: str = "venue"
    known: dict[str, Rules] | NoAnswer = field(default_factory=dict)
    has: tuple[Balance, ...] | NoAnswer = ()
    open: tuple[OrderState, ...] | NoAnswer = ()
    bars: tuple[Candle, ...] | NoAnswer = ()
    time: int | NoAnswer | None = None

    def rules(self, instruments: Sequence[str]) -> dict[str, Rules] | NoAnswer:
        if isinstance(self.known, NoAnswer):
            return self.known
        return {symbol: self.known[symbol] for symbol in instruments if symbol in self.known}

    def place(self, request: Request) -> OrderState | Refusal | NoAnswer:
        raise AssertionError("nothing is placed here")

    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> OrderState | Refusal | NoAnswer:
        raise AssertionError("nothing is amended here")

    def cancel(self, order: OrderState) -> Refusal | NoAnswer | None:
        raise AssertionError("nothing is cancelled here")

    def find(self, client_id: str, instrument: str, since: int) -> OrderState | NoAnswer | None:
        return None

    def open_orders(self) -> tuple[OrderState, ...] | NoAnswer:
        return self.open

    def fills(self, since: int) -> tuple[VenueFill, ...] | NoAnswer:
        return ()

    def balances(self) -> tuple[Balance, ...] | NoAnswer:
        return self.has

    def clock(self) -> int | NoAnswer:
        return self.now if self.time is None else self.time

    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[Candle, ...] | NoAnswer:
        return self.bars if isinstance(self.bars, NoAnswer) else tuple(bar for bar in self.bars if first <= bar.start < last)

    def quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...] | NoAnswer:
        return ()

    def events(self) -> tuple[Event, ...]:
        return ()

    def close(self) -> None: ...
