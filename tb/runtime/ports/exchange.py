"""What the gateway needs from a venue: the words in which every adapter answers.

1. `NoAnswer` is neither "no" nor "nothing there": the outcome is unknown, and whoever asked has to find it out another way;
   but where it is `undone` nothing was changed, for sure: it was not sent, or turned away unread.
2. A venue's own "no" is a `Refusal`: nothing was done.
3. An empty tuple is an answer: the venue said that there is nothing.

INVARIANT: no method raises for what a venue or a network does, and none sends a request to change something twice: repeating is
the gateway's decision. Times are milliseconds since 1970 UTC, numbers are Decimal as the venue wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

Side = Literal["buy", "sell"]
# how an order asks to be filled; a bracket closes a position at a stop or at a target, whichever comes first
Form = Literal["market", "limit", "stop", "bracket"]
Status = Literal["pending", "open", "filled", "cancelled", "expired", "rejected", "unknown"]
OVER: frozenset[Status] = frozenset({"filled", "cancelled", "expired", "rejected"})


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The outcome is not known: `why` in words for people, `wait` in ms until asking again makes sense.

    `undone`: it is sure that nothing was changed."""

    why: str
    wait: int | None = None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """The venue said no and did nothing: its own code, and its words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Request:
    """An order for a venue. `price` is the limit, or the trigger of a stop entry; `stop` and `target` those of a bracket.

    `reducing` orders only close what is held. `expires` ends the order, None: until cancelled.
    """

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


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as its venue sees it. `filled` and `fees` are sums so far, `average` the price paid for what is filled."""

    client_id: str
    venue_id: str
    instrument: str
    side: Side
    quantity: Decimal
    filled: Decimal
    average: Decimal | None
    fees: Decimal
    status: Status
    at: int
    reason: str = ""
    form: Form = "market"
    price: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None

    @property
    def is_over(self) -> bool:
        return self.status in OVER


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution; `id` is the venue's, unique for ever. `fee` is in the currency that the price is in."""

    id: str
    client_id: str
    venue_id: str
    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account has of a currency or asset: free, and held by open orders."""

    asset: str
    available: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """What a venue demands of orders in an instrument; None where it demands nothing. `status` is `open`, `cancel only`,
    `limit only`, `post only` or `closed`."""

    instrument: str
    asset: str  # what is bought
    currency: str  # what it is priced in
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal | None
    max_quantity: Decimal | None
    min_notional: Decimal | None
    max_notional: Decimal | None
    status: str


@dataclass(frozen=True, slots=True)
class Candle:
    """A closed bar as its venue reports it; `start` is the instant of its open."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Quoted:
    """The best bid and ask of an instrument at an instant of the venue's clock; `received` is the instant on ours."""

    instrument: str
    bid: Decimal
    ask: Decimal
    at: int
    received: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The connection lives."""

    at: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages of a channel (`orders` or `market`) may have been missed: what it told has to be asked for again.

    `state` says how the channel is now: `gap`, it goes on telling; `away`, it tells nothing until it is `back`; that of the
    market is back with its next quote, too."""

    channel: Literal["orders", "market"]
    why: str
    at: int
    state: Literal["gap", "away", "back"] = "gap"


Event = OrderState | Quoted | Heartbeat | Lost


class Exchange(Protocol):
    """A venue's adapter. Methods block for as long as their time limit allows; `events` never blocks."""

    name: str

    def rules(self, instruments: Sequence[str]) -> Mapping[str, Rules] | NoAnswer:
        """Those of the instruments that the venue knows."""
        ...

    def place(self, request: Request) -> OrderState | Refusal | NoAnswer:
        """Sends the order, once."""
        ...

    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> OrderState | Refusal | NoAnswer:
        """Changes a resting order, once."""
        ...

    def cancel(self, order: OrderState) -> Refusal | NoAnswer | None:
        """Asks to cancel it, once; None: the venue takes it up. Whether it was filled first, `find` tells."""
        ...

    def find(self, client_id: str, instrument: str, since: int) -> OrderState | NoAnswer | None:
        """The order sent under this id at or after an instant; None: the venue has none, read to the end of its list."""
        ...

    def open_orders(self) -> tuple[OrderState, ...] | NoAnswer:
        """All that still work, whoever sent them."""
        ...

    def fills(self, since: int) -> tuple[VenueFill, ...] | NoAnswer:
        """All executions at or after an instant, oldest first."""
        ...

    def balances(self) -> tuple[Balance, ...] | NoAnswer: ...

    def clock(self) -> int | NoAnswer:
        """The venue's time."""
        ...

    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[Candle, ...] | NoAnswer:
        """Closed bars that start in `first <= start < last`, oldest first; a bar without a trade is left out."""
        ...

    def quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...] | NoAnswer:
        """The best bid and ask now."""
        ...

    def events(self) -> tuple[Event, ...]:
        """What came since the last call, in order."""
        ...

    def close(self) -> None: ...
