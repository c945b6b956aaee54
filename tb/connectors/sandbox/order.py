"""An order of the sandbox and its executions: records that the matching alone changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from tb.connectors.sandbox.product import Product
from tb.connectors.sandbox.shapes import Terms

Status = Literal["PENDING", "OPEN", "FILLED", "CANCELLED", "EXPIRED", "FAILED", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"]
WORKING = frozenset({"OPEN", "CANCEL_QUEUED"})
ZERO = Decimal(0)
SLIDE = Decimal("0.05")  # the stop of a bracket becomes a limit order this far beyond its trigger


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of an order. `sequence` counts all of the venue."""

    entry_id: str
    trade_id: str
    sequence: int
    price: Decimal
    size: Decimal
    fee: Decimal
    is_taker: bool
    at: int


@dataclass(frozen=True, slots=True)
class Edited:
    """A change that was accepted."""

    price: Decimal
    size: Decimal
    at: int


@dataclass(slots=True)
class Order:
    """`size` is in base; of a market order by funds it is known once it is filled. `sequence` counts all of the venue."""

    id: str
    client_id: str
    sequence: int
    product: Product
    side: Literal["BUY", "SELL"]
    terms: Terms
    configuration: Mapping[str, Any]
    created: int
    size: Decimal
    status: Status = "PENDING"
    is_triggered: bool = False
    fills: list[Execution] = field(default_factory=list)
    edits: list[Edited] = field(default_factory=list)
    hold: tuple[str, Decimal] = ("", ZERO)
    reason: str = ""
    parent: str | None = None
    child: str | None = None
    attached: Terms | None = None
    attached_configuration: Mapping[str, Any] | None = None
    portfolio: str = ""
    not_before: int = 0  # nothing fills earlier
    forced: int | None = None  # fills then, whatever was asked: a cancel that came too late

    @property
    def is_buy(self) -> bool:
        return self.side == "BUY"

    @property
    def is_working(self) -> bool:
        return self.status in WORKING

    @property
    def is_over(self) -> bool:
        return self.status in {"FILLED", "CANCELLED", "EXPIRED", "FAILED"} and self.forced is None

    @property
    def filled(self) -> Decimal:
        return sum((fill.size for fill in self.fills), ZERO)

    @property
    def value(self) -> Decimal:
        return sum((fill.size * fill.price for fill in self.fills), ZERO)

    @property
    def fees(self) -> Decimal:
        return sum((fill.fee for fill in self.fills), ZERO)

    @property
    def average(self) -> Decimal:
        return self.value / self.filled if self.fills else ZERO

    @property
    def remaining(self) -> Decimal:
        return max(self.size - self.filled, ZERO)

    @property
    def falls(self) -> bool:
        """Whether its stop is reached from above."""
        return not self.terms.stops_up if self.terms.type == "STOP_LIMIT" else not self.is_buy

    @property
    def bound(self) -> Decimal | None:
        """The worst price it may fill at once it is triggered, or at all; None for a market order."""
        terms = self.terms
        if terms.type == "BRACKET" and self.is_triggered and terms.stop is not None:
            return (
                self.product.tick_above(terms.stop * (1 + SLIDE))
                if self.is_buy
                else self.product.tick_below(terms.stop * (1 - SLIDE))
            )
        return terms.limit

    @property
    def waits(self) -> bool:
        """Whether it has a stop that was not reached yet."""
        return self.terms.stop is not None and not self.is_triggered
