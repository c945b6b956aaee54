"""What a session counts and times for those who watch it, as a protocol: numbers out, nothing back.

INVARIANT: no method blocks or raises, and nothing a session decides depends on one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from tb.core.records import Record

BreakerState = Literal["closed", "draining", "open", "half open"]


@dataclass(frozen=True, slots=True)
class AtVenue:
    """How it stands with a venue: `unknown` orders are those whose outcome nobody knows, `working` entries and exits that are
    on their way or rest there, `protective` stops and targets (a bracket is one order)."""

    breaker: BreakerState = "closed"
    unknown: int = 0
    working: int = 0
    protective: int = 0


@dataclass(frozen=True, slots=True)
class Readings:
    """How things stand; None where it is not known, which is not nought.

    `equity` and `exposure` are in the account's currency, `data_age` in ms by instrument, `headroom` the share of each limit
    that is left (1: unused, 0: at the limit, below 0: beyond it), by its name.
    """

    equity: Decimal | None = None
    exposure: Decimal | None = None
    data_age: Mapping[str, int | None] = field(default_factory=dict)
    headroom: Mapping[str, float | None] = field(default_factory=dict)
    breaker: BreakerState = "closed"
    halted: bool = False
    unknown_orders: int = 0
    open_orders: int = 0  # entries and exits
    protective_orders: int = 0  # stops and targets
    positions: int = 0


class Measures(Protocol):
    """Who counts."""

    def turned(self) -> None:
        """The loop went round: it looked at what people say and at what is due. Without this in time the session counts as not
        healthy."""
        ...

    def cycled(self, seconds: float) -> None:
        """A close was decided on, and that took this long."""
        ...

    def recorded(self, records: Sequence[Record]) -> None:
        """These were recorded: decisions by verdict, refusals by rule, orders and fills are counted."""
        ...

    def timed(self, step: str, seconds: float) -> None:
        """A step of the loop (`decide`, `record`, `reconcile`, ...) or of the gateway (`gateway venue rules`, ...) took this
        long."""
        ...

    def read(self, readings: Readings) -> None:
        """How things stand now."""
        ...


class Uncounted:
    """Nobody counts."""

    def turned(self) -> None: ...

    def cycled(self, seconds: float) -> None: ...

    def recorded(self, records: Sequence[Record]) -> None: ...

    def timed(self, step: str, seconds: float) -> None: ...

    def read(self, readings: Readings) -> None: ...
