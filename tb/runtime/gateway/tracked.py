"""The orders of one account as the gateway knows them: what the entries of the journal add up to.

INVARIANT: live and after a restart the same entries, in the same order, give the same state (`Orders.apply`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from tb.core.records import Order
from tb.engine.instant import EXACT
from tb.runtime.drafts import Key
from tb.runtime.gateway.entries import Amending, Booked, Ended, Entry, Go, Intent, Purpose, Said, TakenBack
from tb.runtime.ports.exchange import OVER, OrderState, Request, Status

ZERO = Decimal(0)
NEVER_ARRIVED = "never arrived"


@dataclass(slots=True)
class Tracked:
    """One order. `status`, `filled`, `average` and `fees` are the venue's last word; `booked`, `value` and `paid` what settling
    was told of that. `asked` is why it was taken back, `ended` that settling knows that it is over."""

    intent: Intent
    is_sent: bool
    at: int
    quantity: Decimal
    price: Decimal | None
    status: Status = "pending"
    filled: Decimal = ZERO
    average: Decimal | None = None
    fees: Decimal = ZERO
    venue_id: str = ""
    reason: str = ""
    booked: Decimal = ZERO
    value: Decimal = ZERO
    paid: Decimal = ZERO
    asked: str = ""
    ended: bool = False
    answered: bool = False  # the venue has said something about it
    amending: tuple[Decimal, Decimal] | None = None
    look_at: int = 0  # when its state is asked for next
    misses: int = 0  # answers in a row that the venue has no such order
    missing_since: int = 0  # when the first of them came
    unpriced_since: int = 0  # since when something has filled at a price that is not told

    @property
    def client(self) -> str:
        return self.intent.wanted.client_id

    @property
    def purpose(self) -> Purpose:
        return self.intent.purpose

    @property
    def instrument(self) -> str:
        return self.intent.wanted.instrument

    @property
    def order(self) -> Order | None:
        return self.intent.order

    @property
    def about(self) -> str:
        """The id of the session's order that it is, or belongs to."""
        return self.intent.order.id if self.intent.order is not None else self.intent.parent

    @property
    def key(self) -> Key:
        return self.intent.strategy, self.intent.wanted.instrument

    @property
    def sign(self) -> int:
        return 1 if self.intent.wanted.side == "buy" else -1

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def is_unknown(self) -> bool:
        """Nobody knows whether the venue has it, or what became of it."""
        return self.is_sent and (self.status == "unknown" or (self.status == "pending" and not self.answered))

    @property
    def rest(self) -> Decimal:
        """What may still fill."""
        return EXACT.subtract(self.quantity, self.filled)

    @property
    def is_settled(self) -> bool:
        """Nothing is to be done about it any more."""
        return self.is_over and self.ended and self.booked == self.filled

    @property
    def request(self) -> Request:
        return replace(self.intent.wanted.request(), quantity=self.quantity, price=self.price)

    @property
    def state(self) -> OrderState:
        """As a venue's method takes it."""
        wanted = self.intent.wanted
        return OrderState(
            client_id=wanted.client_id,
            venue_id=self.venue_id,
            instrument=wanted.instrument,
            side=wanted.side,
            quantity=self.quantity,
            filled=self.filled,
            average=self.average,
            fees=self.fees,
            status=self.status,
            at=self.at,
            form=wanted.form,
            price=self.price,
            stop=wanted.stop,
            target=wanted.target,
        )


class Orders:
    """All orders by the id that the venue knows; `unsettled` are those about which something is still to be done."""

    def __init__(self) -> None:
        self.all: dict[str, Tracked] = {}
        self.unsettled: dict[str, Tracked] = {}
        self.of_session: dict[str, Tracked] = {}
        self.sent_for: dict[str, Decimal] = {}  # by parent: the sum of what was sent for it
        self.circumstances: dict[tuple[object, ...], str] = {}
        self.legs: dict[str, int] = {}  # by parent: requests besides the order itself

    def apply(self, entry: Entry) -> Tracked | None:
        """Takes an entry; returns the order that it is about, None for entries about something else."""
        match entry:
            case Intent():
                return self._begin(entry)
            case Go():
                tracked = self.all[entry.client]
                tracked.is_sent, tracked.at, tracked.quantity = True, entry.at, entry.quantity
                self._count(tracked)
            case Said():
                tracked = self.all[entry.client]
                _hear(tracked, entry)
            case Booked():
                tracked = self.all[entry.client]
                tracked.booked, tracked.value, tracked.paid = entry.filled, entry.value, entry.fees
                tracked.ended = tracked.ended or not entry.rest
            case Ended():
                tracked = self.all[entry.client]
                tracked.ended = True
                if not tracked.is_sent:
                    tracked.status = "cancelled"
            case TakenBack():
                tracked = self.all[entry.client]
                tracked.asked = entry.cause
            case Amending():
                tracked = self.all[entry.client]
                tracked.amending = (entry.quantity, entry.price) if entry.done is None else None
                if entry.done:
                    tracked.quantity, tracked.price = entry.quantity, entry.price
            case _:
                return None
        self.refresh(tracked)
        return tracked

    def _begin(self, intent: Intent) -> Tracked:
        wanted = intent.wanted
        tracked = Tracked(intent, not intent.waits, intent.at, wanted.quantity, wanted.price)
        self.all[wanted.client_id] = self.unsettled[wanted.client_id] = tracked
        if intent.order is not None:
            self.of_session[intent.order.id] = tracked
            self.circumstances[circumstances(intent.order)] = wanted.client_id
        else:
            self.legs[intent.parent] = self.legs.get(intent.parent, 0) + 1
        if tracked.is_sent:
            self._count(tracked)
        return tracked

    def _count(self, tracked: Tracked) -> None:
        self.sent_for[tracked.about] = EXACT.add(self.sent_for.get(tracked.about, ZERO), tracked.quantity)

    def refresh(self, tracked: Tracked) -> None:
        """Keeps it among the unsettled as long as there is something to do."""
        if tracked.is_settled:
            self.unsettled.pop(tracked.client, None)
        else:
            self.unsettled[tracked.client] = tracked

    # --- questions -------------------------------------------------------------------------------------------------

    def working(self, instrument: str | None = None) -> Iterator[Tracked]:
        """Orders that the venue has, or may have, and that may still fill."""
        for tracked in self.unsettled.values():
            if tracked.is_sent and not tracked.is_over and instrument in (None, tracked.instrument):
                yield tracked

    def guards(self, key: Key) -> list[Tracked]:
        """The protection of a position that may still fill."""
        return [one for one in self.working(key[1]) if one.purpose == "protection" and one.key == key]

    def leaving(self, key: Key) -> list[Tracked]:
        """Orders that close a position: sent, or waiting for its protection to be taken back."""
        found = self.unsettled.values()
        return [one for one in found if one.purpose in ("exit", "closing") and one.key == key and not one.is_over]

    def unbooked(self, key: Key) -> bool:
        """Whether more of what reduces a position has filled than settling was told: the price of it is not known yet."""
        found = self.unsettled.values()
        return any(one.key == key and one.purpose != "entry" and one.filled > one.booked for one in found)

    def unknown(self) -> list[Tracked]:
        """Orders whose fate nobody knows."""
        return [one for one in self.working() if one.is_unknown]


def circumstances(order: Order) -> tuple[object, ...]:
    """What two different orders cannot share, whatever run or policy they come from."""
    return order.strategy, order.instrument, order.at, order.kind, order.side


def _hear(tracked: Tracked, said: Said) -> None:
    tracked.status = said.status
    tracked.reason = said.reason or tracked.reason
    tracked.venue_id = said.venue_id or tracked.venue_id
    if said.filled >= tracked.filled:
        tracked.filled, tracked.average, tracked.fees = said.filled, said.average or tracked.average, said.fees
    if said.how in ("reply", "event", "lookup"):
        tracked.answered, tracked.misses = True, 0
    if tracked.purpose in ("protection", "closing") and tracked.is_over:
        tracked.ended = True  # nothing waits for it
