"""What a session needs from the outside, as protocols: market data in, records and approved orders out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from tb.core.records import Order, Record
from tb.engine.funding import Payment
from tb.gate.gate import Approved
from tb.gate.standing import Standing


class MarketView(Protocol):
    """Closed bars only. A row counts bars of an instrument in a period."""

    def row(self, symbol: str, period: int, at: int) -> int | None:
        """The bar that closed exactly at the instant, None where there is none."""
        ...

    def value(self, node: int, symbol: str, row: int) -> float | None:
        """A market node's value at a bar, None for unknown."""
        ...

    def quote(self, symbol: str, period: int, row: int) -> tuple[Decimal, Decimal] | None:
        """Bid and ask as of the bar's close, None where unknown."""
        ...

    def close(self, symbol: str, at: int) -> Decimal | None:
        """The last price of the newest bar of the data's own period that closed by then; None where it is not known."""
        ...

    def rate(self, symbol: str, at: int) -> Decimal | None:
        """What one unit of the currency that an instrument is priced in is worth in the account's; 1 for the account's own,
        None where that is not known, or too old to order by."""
        ...

    def marking_rate(self, symbol: str, at: int) -> Decimal | None:
        """The same for what is held: the newest, however old."""
        ...

    def payments(self, symbol: str, after: int, until: int) -> Sequence[Payment]:
        """Its funding instants later than `after` and not later than `until`; none where it pays no funding."""
        ...

    def age(self, symbol: str, at: int) -> int | None:
        """Time in ms since the newest bar with a known price closed, or that of what converts it where that is older; None
        where there is none."""
        ...

    def origin(self, node: int, symbol: str, row: int) -> tuple[int, int | None]:
        """Where a node's value comes from: the time in ms from the close of its bar to the close of the row, and the row of the
        data file that its newest input came from, counted from 0; None where it reads no data."""
        ...

    def source_row(self, symbol: str, period: int, row: int) -> int:
        """Row of the data file that a bar came from (its last one), counted from 0."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What an advisor is asked about one proposal. Confidence and conviction are as advisors before it left them."""

    at: int
    advisor: str
    strategy: str
    instrument: str
    side: str
    confidence: float | None
    conviction: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an advisor says. `adjust` is a part of the scale of conviction; `latency` is in ms, None where it is not known.

    `problem` says what of it could not be read: it is no answer then.
    """

    adjust: Decimal | None
    veto: bool
    note: str
    latency: int | None
    problem: str = ""


class Adviser(Protocol):
    """Who answers for advisors: recorded answers in a replay, models and people live."""

    def cost(self, question: Question) -> Decimal | None:
        """The most that asking may cost, in the account's currency; None where it is not known."""
        ...

    def ask(self, question: Question, within: int) -> Answer | None:
        """The answer, None where there is none in that many ms. Whatever goes wrong is no answer: it does not raise."""
        ...


class Venue(Protocol):
    """Where approved orders go. Takes nothing without the gate's approval."""

    def submit(self, approved: Approved, order: Order) -> None: ...

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        """Orders that fill at one instant, or none of them does."""
        ...

    def standing(self, instrument: str, at: int) -> Standing:
        """How things stand with the instrument and the connection; what it cannot say it leaves out, and limits on it deny."""
        ...

    def cancel(self, order: str) -> bool:
        """Takes back the order of that id, a leg with all others; one that is not there any more is none.

        False where the venue has not confirmed it: the order counts until `Settling` is told what became of it.
        """
        ...


class Recorder(Protocol):
    """Where everything that happened goes."""

    def record(self, records: Sequence[Record]) -> None: ...
