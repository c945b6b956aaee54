"""Messages of Coinbase's WebSockets as events. Raises Unreadable, with what is missing.

An order is told in sums: filled so far, left, average, fees. While it works, filled and left are what was ordered; once it is
over the venue may say that nothing is left, so the quantity that was told before stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from tb.connectors.coinbase.book import Book
from tb.connectors.coinbase.orders import STATUSES, side_of
from tb.connectors.coinbase.wire import (
    Fields,
    Unreadable,
    instant,
    not_negative,
    number,
    optional_number,
    optional_text,
    positive,
    rows,
    text,
    total,
)
from tb.runtime.ports.exchange import OVER, Form, OrderState, Quoted, Status

_FORMS: Mapping[str, Form] = {
    "MARKET": "market",
    "LIMIT": "limit",
    "STOP_LIMIT": "stop",
    "BRACKET": "bracket",
    "TRIGGER_BRACKET": "bracket",
}


def orders_in(message: Fields, book: Book) -> Iterator[OrderState]:
    """The order states of a message of the channel `user`; each is kept in the book."""
    at = instant(message, "timestamp")
    for event in rows(message, "events"):
        for order in rows(event, "orders") if "orders" in event else ():
            state = _order(order, at, book)
            book.keep([state])
            yield state


def _order(order: Fields, at: int, book: Book) -> OrderState:
    venue_id = text(order, "order_id")
    before = book.of(venue_id)
    status: Status = STATUSES.get(text(order, "status"), "unknown")
    filled, left = not_negative(order, "cumulative_quantity"), not_negative(order, "leaves_quantity")
    if status == "filled" and not filled:
        raise Unreadable("`cumulative_quantity` is 0 of an order that is filled")
    form = _FORMS.get(text(order, "order_type").upper().replace(" ", "_"), before.form if before else "limit")
    price, stop, target = _levels(form, order, before)
    return OrderState(
        client_id=optional_text(order, "client_order_id") or (before.client_id if before is not None else ""),
        venue_id=venue_id,
        instrument=text(order, "product_id"),
        side=side_of(order, "order_side"),
        quantity=before.quantity if before is not None and status in OVER else total(filled, left),
        filled=filled,
        average=positive(order, "avg_price") if filled else None,
        fees=number(order, "total_fees"),
        status=status,
        at=at,
        reason=_reason(order),
        form=form,
        price=price,
        stop=stop,
        target=target,
    )


def _levels(form: Form, order: Fields, before: OrderState | None) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Price, stop and target as in a `Request`; what a message leaves out is as it was told before."""
    limit, trigger = optional_number(order, "limit_price") or None, optional_number(order, "stop_price") or None
    known = (before.price, before.stop, before.target) if before is not None and before.form == form else (None, None, None)
    match form:
        case "market":
            return None, None, None
        case "limit":
            return limit or known[0], None, None
        case "stop":
            return trigger or known[0], None, None
        case "bracket":
            return None, trigger or known[1], limit or known[2]


def _reason(order: Fields) -> str:
    words = (optional_text(order, name) for name in ("reject_reason", "reject_Reason", "cancel_reason"))
    return ": ".join(dict.fromkeys(word for word in words if word and word != "REJECT_REASON_UNSPECIFIED"))


def quotes_in(message: Fields, received: int, named: Callable[[str], Iterable[str]]) -> Iterator[Quoted]:
    """The best bids and asks of a message of the channel `ticker`, as they are; `named` gives the instruments that are watched
    under a product's name. A side that is empty makes no quote."""
    at = instant(message, "timestamp")
    for event in rows(message, "events"):
        for tick in rows(event, "tickers"):
            bid, ask = optional_number(tick, "best_bid"), optional_number(tick, "best_ask")
            if bid and ask:
                for instrument in named(text(tick, "product_id")):
                    yield Quoted(instrument, bid, ask, at, received)
