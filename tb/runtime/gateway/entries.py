"""What the journal holds: an order before it goes on the wire, what the venue says of it, and what was settled because of it.

Read from the first to the last they give every order on its way, and, told to an empty `Settling`, every position.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from tb.core.records import Fill, Order
from tb.runtime.ports.exchange import Form, OrderState, Request, Side, Status

# what an order is for: `closing` ends a position that cannot be protected, or whose keeper lets it go
Purpose = Literal["entry", "exit", "protection", "closing"]
REDUCING: frozenset[Purpose] = frozenset({"exit", "protection", "closing"})


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A request as it goes to the venue (`tb.runtime.ports.exchange.Request`)."""

    client_id: str
    instrument: str
    side: Side
    quantity: Decimal
    form: Form
    price: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    expires: int | None = None
    post_only: bool = False
    reducing: bool = False

    @classmethod
    def of(cls, request: Request) -> Wanted:
        names = cls.__struct_fields__
        return cls(**{name: getattr(request, name) for name in names})

    def request(self) -> Request:
        return Request(**{name: getattr(self, name) for name in self.__struct_fields__})


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What settling needs to know of an order of the session: its place in its strategy, its price and rate at the decision,
    the legs that it goes with, and what its levels are computed from."""

    which: int
    price: Decimal | None
    rate: Decimal | None
    tier: str = ""
    values: dict[int, float | None] = {}
    group: str = ""
    symbols: tuple[str, ...] = ()
    number: int = 0
    counts: bool = True
    policy: str = ""


class Intent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """An order is about to be sent. `waits` says that it is not: something has to be taken back first, and `Go` says when.

    `order` is that of the session, of an entry or an exit; `parent` the entry that a protection or closing belongs to. `take`
    is the number of the take that a protection is the target of, 0 for the rest. `held` binds an amount of an asset.
    """

    at: int
    purpose: Purpose
    wanted: Wanted
    strategy: str
    order: Order | None = None
    decided: Decided | None = None
    parent: str = ""
    take: int = 0
    asset: str = ""
    held: Decimal = Decimal(0)
    waits: bool = False
    cause: str = ""


class Go(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """What was waiting is about to be sent, for this much."""

    client: str
    at: int
    quantity: Decimal


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """What is known of an order now: the venue's word (`how`: reply, event, lookup), or what follows from its silence."""

    client: str
    at: int
    status: Status
    how: str
    filled: Decimal = Decimal(0)
    average: Decimal | None = None
    fees: Decimal = Decimal(0)
    venue_id: str = ""
    reason: str = ""

    @classmethod
    def of(cls, state: OrderState, how: str, at: int) -> Said:
        return cls(
            client=state.client_id,
            at=at,
            status=state.status,
            how=how,
            filled=state.filled,
            average=state.average,
            fees=state.fees,
            venue_id=state.venue_id,
            reason=state.reason,
        )


class Booked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """Settling is told of a fill: sums of the order with it, and what of the order is still to come. `stray` where nothing
    that is held explains it."""

    client: str
    fill: Fill
    filled: Decimal
    value: Decimal
    fees: Decimal
    rest: Decimal
    stray: bool = False


class Ended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """Settling is told that an order of the session, or what was left of it, is over."""

    client: str
    at: int
    cause: str


class TakenBack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """The venue is about to be asked to cancel an order."""

    client: str
    at: int
    cause: str


class Amending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """The venue is about to be asked to change an order; `done` once it has, or `done` False and it has not."""

    client: str
    at: int
    quantity: Decimal
    price: Decimal
    done: bool | None = None


class Moved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """The stop of a position was moved."""

    strategy: str
    instrument: str
    stop: Decimal | None
    by: str
    trails: bool


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """What settling made of all entries up to a number has been recorded in the ledger."""

    until: int


class Outside(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """What the account has of an asset besides what tb bought and sold, as it was adopted."""

    asset: str
    amount: Decimal
    at: int
    why: str


class Gone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """What was held is not at the venue any more, and a person knows why: settling is told of it as of a fill."""

    strategy: str
    fill: Fill


Entry = Intent | Go | Said | Booked | Ended | TakenBack | Amending | Moved | Told | Outside | Gone

decode = msgspec.json.Decoder(Entry).decode
