"""What an account has done lately: orders sent, proposed and taken back, and what became of them, counted at once.

Everything is counted when it happens and before an answer is known, so that nothing can be sent twice while it waits. Windows
leave out their far end, as those of `Account` do; times are the instants of events, in ms.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from tb.engine.instant import EXACT
from tb.gate.conversion import ONE, at_rate

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SentOrder:
    """An approved order as it went out; `price` is what it is expected to pay, None for an exit at market, `rate` its money."""

    at: int
    strategy: str
    instrument: str
    sign: int
    quantity: Decimal
    price: Decimal | None
    is_entry: bool
    rate: Decimal | None = ONE

    def is_another(self, order: SentOrder) -> bool:
        """Whether it is surely not that order: a strategy sends one at an instant in an instrument on a side."""
        whose = self.at, self.strategy, self.instrument, self.sign
        return whose != (order.at, order.strategy, order.instrument, order.sign) or self.is_entry != order.is_entry

    @property
    def value(self) -> Decimal:
        return ZERO if self.price is None else at_rate(EXACT.multiply(self.quantity, self.price), self.rate)


@dataclass(slots=True)
class Activity:
    """`unattended` counts entries filled for each strategy since a person last looked after it; `parents` what was sent for
    each parent order."""

    proposed: list[int] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)
    sent: list[SentOrder] = field(default_factory=list)
    unattended: dict[str, int] = field(default_factory=dict)
    parents: dict[str, Decimal] = field(default_factory=dict)
    stops_in_a_row: int = 0
    last_stop: int | None = None
    rejects_in_a_row: int = 0
    last_reject: int | None = None

    # --- events ----------------------------------------------------------------------------------------------------

    def propose(self, at: int) -> None:
        """An order is put before the gate, whatever comes of it."""
        self.proposed.append(at)

    def send(self, order: SentOrder, parent: str | None = None) -> None:
        """An approved order goes out."""
        insort(self.messages, order.at)
        self.sent.append(order)
        if parent is not None:
            self.parents[parent] = EXACT.add(self.parents.get(parent, ZERO), order.quantity)

    @contextmanager
    def without(self, order: SentOrder) -> Iterator[None]:
        """For a while an order counts as not sent: one that rests is asked about again and is no duplicate of itself. It is
        known by all but its quantity and price: of what rests a part may have filled, or been changed at the venue."""
        found = bisect_left(self.sent, order.at, key=lambda sent: sent.at)
        while self.sent[found].is_another(order):
            found += 1
        sent = self.sent.pop(found)
        try:
            yield
        finally:
            self.sent.insert(found, sent)

    def cancel(self, at: int) -> None:
        """An order is taken back: a message like another. A venue may tell of it late, after orders of a later instant."""
        insort(self.messages, at)

    def reject(self, at: int) -> None:
        """The venue refused an order."""
        self.rejects_in_a_row += 1
        self.last_reject = at

    def enter(self, strategy: str) -> None:
        """An entry filled."""
        self.rejects_in_a_row = 0
        self.unattended[strategy] = self.unattended.get(strategy, 0) + 1

    def close(self, at: int, *, by_stop: bool) -> None:
        """A position was closed."""
        self.stops_in_a_row = self.stops_in_a_row + 1 if by_stop else 0
        self.last_stop = at if by_stop else self.last_stop

    def attend(self, strategies: Iterable[str]) -> None:
        """A person lifted a halt of these strategies, or of all where none is named: their entries are counted anew."""
        for strategy in list(strategies) or list(self.unattended):
            self.unattended.pop(strategy, None)

    # --- questions -------------------------------------------------------------------------------------------------

    def within(self, first: int) -> list[SentOrder]:
        """The orders sent at or after an instant."""
        return self.sent[bisect_left(self.sent, first, key=lambda order: order.at) :]

    def committed(self, first: int, strategy: str | None = None) -> Decimal:
        """Value of the entries sent since, of one strategy or of all."""
        total = ZERO
        for order in self.within(first):
            if order.is_entry and strategy in {None, order.strategy}:
                total = EXACT.add(total, order.value)
        return total
