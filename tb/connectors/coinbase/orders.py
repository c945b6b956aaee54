"""Orders in the words of Coinbase: requests out, order states in.

    market        market_market_ioc      limit      limit_limit_gtc, or gtd where it expires
    stop          stop_limit_stop_limit  bracket    trigger_bracket

Coinbase knows no stop at market. The limit of a stop that enters is its trigger, so that it costs no more than was judged; the
limit of one that closes lies `CLOSING_SLACK` beyond its trigger, as with the stop of the venue's own bracket, because it has to
fill. An entry with both stop and target takes a bracket along.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from tb.connectors.coinbase.wire import (
    Fields,
    Unreadable,
    instant,
    not_negative,
    number,
    optional_instant,
    optional_number,
    optional_text,
    part,
    positive,
    quantity_for,
    show_number,
    show_time,
    text,
)
from tb.runtime.ports.exchange import OVER, Form, OrderState, Request, Side, Status

CLOSING_SLACK = Decimal("0.05")

STATUSES: Mapping[str, Status] = {
    "PENDING": "pending",
    "QUEUED": "pending",
    "OPEN": "open",
    "CANCEL_QUEUED": "open",
    "EDIT_QUEUED": "open",
    "FILLED": "filled",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
    "FAILED": "rejected",
}
SIDES: Mapping[str, Side] = {"BUY": "buy", "SELL": "sell"}
# how a configuration's name begins -> what kind of order it is
_FORMS: tuple[tuple[str, Form], ...] = (
    ("market_market", "market"),
    ("stop_limit", "stop"),
    ("trigger_bracket", "bracket"),
    ("limit_limit", "limit"),
    ("sor_limit", "limit"),
    ("twap_limit", "limit"),
)


class Unsendable(Exception):
    """A request that the venue has no words for. Nothing is sent."""


def order_body(request: Request, tick: Decimal | None) -> dict[str, Any]:
    """The body of a new order; `tick` rounds the limit of a stop that closes. Raises Unsendable."""
    _check(request)
    body: dict[str, Any] = {
        "client_order_id": request.client_id,
        "product_id": request.instrument,
        "side": request.side.upper(),
        "order_configuration": _configuration(request, tick),
    }
    if request.form != "bracket" and request.stop is not None and request.target is not None:
        attached = {"limit_price": show_number(request.target), "stop_trigger_price": show_number(request.stop)}
        body["attached_order_configuration"] = {"trigger_bracket_gtc": attached}
    return body


def _check(request: Request) -> None:
    for name in ("quantity", "price", "stop", "target"):
        value: Decimal | None = getattr(request, name)
        if value is not None and not (value.is_finite() and value > 0):
            raise Unsendable(f"the {name} of the order is not a number greater than 0")
    if request.form in {"limit", "stop"} and request.price is None:
        raise Unsendable(f"a {request.form} order needs a price")
    if (request.stop is None) != (request.target is None):
        raise Unsendable("the venue takes a stop and a target together, or neither")
    if request.form == "bracket" and request.stop is None:
        raise Unsendable("a bracket needs a stop and a target")
    if request.form == "market" and request.expires is not None:
        raise Unsendable("an order at market does not wait until a time")
    if request.post_only and request.form != "limit":
        raise Unsendable("only a limit order can be post only")
    if not request.client_id:
        raise Unsendable("an order needs an id of ours")


def _configuration(request: Request, tick: Decimal | None) -> dict[str, dict[str, Any]]:
    size = {"base_size": show_number(request.quantity)}
    until = "gtc" if request.expires is None else "gtd"
    end = {} if request.expires is None else {"end_time": show_time(request.expires)}
    match request.form:
        case "market":
            return {"market_market_ioc": size}
        case "limit":
            price = {"limit_price": show_number(_known(request.price))}
            return {f"limit_limit_{until}": {**size, **price, **end, "post_only": request.post_only}}
        case "stop":
            prices = {
                "limit_price": show_number(_stop_limit(request, tick)),
                "stop_price": show_number(_known(request.price)),
                "stop_direction": f"STOP_DIRECTION_STOP_{'UP' if request.side == 'buy' else 'DOWN'}",
            }
            return {f"stop_limit_stop_limit_{until}": {**size, **prices, **end}}
        case "bracket":
            levels = {
                "limit_price": show_number(_known(request.target)),
                "stop_trigger_price": show_number(_known(request.stop)),
            }
            return {f"trigger_bracket_{until}": {**size, **levels, **end}}


def _stop_limit(request: Request, tick: Decimal | None) -> Decimal:
    trigger = _known(request.price)
    if not request.reducing:
        return trigger
    if tick is None:
        raise Unsendable("the tick of the instrument is not known, so the limit of its stop cannot be set")
    up = request.side == "buy"
    limit = trigger * (1 + CLOSING_SLACK if up else 1 - CLOSING_SLACK)
    return max(tick, (limit / tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * tick)


def _known(value: Decimal | None) -> Decimal:
    if value is None:
        raise Unsendable("the order lacks a price")
    return value


# order states


def order_of(order: Fields, parent: OrderState | None = None) -> OrderState:
    """An order as `/orders/historical` tells of it; raises Unreadable. `parent` is the one that it came along with, and has the
    size of where it says none itself."""
    form, shape = _shape(part(order, "order_configuration"))
    status: Status = STATUSES.get(text(order, "status"), "unknown")
    filled = not_negative(order, "filled_size")
    if status == "filled" and not filled:
        raise Unreadable("`filled_size` is 0 of an order that is filled")
    times = (instant(order, "created_time"), optional_instant(order, "last_fill_time"))
    price, stop, target = _levels(form, shape)
    return OrderState(
        client_id=optional_text(order, "client_order_id"),
        venue_id=text(order, "order_id"),
        instrument=text(order, "product_id"),
        side=side_of(order, "side"),
        quantity=_quantity(shape, filled, status, parent),
        filled=filled,
        average=positive(order, "average_filled_price") if filled else None,
        fees=number(order, "total_fees"),
        status=status,
        at=max(at for at in times if at is not None),
        reason=_reason(order),
        form=form,
        price=price,
        stop=stop,
        target=target,
    )


def parent_of(order: Fields) -> str:
    """The venue's id of the order that this one came along with, where it says no size of its own; empty for all others."""
    shape = _shape(part(order, "order_configuration"))[1]
    sized = any(optional_number(shape, name) is not None for name in ("base_size", "quote_size"))
    return "" if sized else optional_text(order, "originating_order_id")


def side_of(order: Fields, name: str) -> Side:
    said = text(order, name)
    if said not in SIDES:
        raise Unreadable(f"`{name}` is neither BUY nor SELL")
    return SIDES[said]


def _shape(configuration: Fields) -> tuple[Form, Fields]:
    for name, form in _FORMS:
        for key in configuration:
            if key.startswith(name):
                return form, part(configuration, key)
    raise Unreadable("`order_configuration` is of no kind that is known")


def _levels(form: Form, shape: Fields) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Price, stop and target, as in a `Request`."""
    match form:
        case "market":
            return None, None, None
        case "limit":
            return positive(shape, "limit_price"), None, None
        case "stop":
            return positive(shape, "stop_price"), None, None
        case "bracket":
            return None, positive(shape, "stop_trigger_price"), positive(shape, "limit_price")


def _quantity(shape: Fields, filled: Decimal, status: Status, parent: OrderState | None) -> Decimal:
    """What was ordered. An order for an amount of money, which tb does not send, says it by its limit, or when it is over."""
    ordered = optional_number(shape, "base_size")
    if ordered is not None:
        return ordered
    money, limit = optional_number(shape, "quote_size"), optional_number(shape, "limit_price")
    if money and limit:
        return quantity_for(money, limit)
    if parent is not None:
        return parent.quantity
    if status in OVER:
        return filled
    raise Unreadable("`base_size` is missing")


def _reason(order: Fields) -> str:
    reject = optional_text(order, "reject_reason")
    if reject in {"REJECT_REASON_UNSPECIFIED", "REJECT_REASON_UNKNOWN"}:
        reject = ""
    parts = (reject, optional_text(order, "reject_message"), optional_text(order, "cancel_message"))
    return ": ".join(dict.fromkeys(word for word in parts if word))


def refusal_of(failure: Fields) -> tuple[str, str]:
    """Code and words of an `error_response`: the most exact of its reasons, and what it says."""
    names = ("new_order_failure_reason", "preview_failure_reason", "edit_failure_reason", "error")
    found = [word for name in names if (word := optional_text(failure, name))]
    exact = [word for word in found if not word.startswith("UNKNOWN")]
    words = dict.fromkeys(word for name in ("message", "error_details") if (word := optional_text(failure, name)))
    return (exact or found or ["UNKNOWN_FAILURE_REASON"])[0], "; ".join(words)
