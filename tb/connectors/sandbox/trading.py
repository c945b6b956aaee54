"""Endpoints that place, change, cancel and list orders: each from a request to a status and what is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.datastructures import QueryParams

from tb.connectors.sandbox.answers import Json, created_json, fill_json, order_json, refused_json
from tb.connectors.sandbox.checks import Rejection
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.listing import fills_asked, orders_asked, page
from tb.connectors.sandbox.matching import NewOrder
from tb.connectors.sandbox.shapes import Malformed, Terms, read_number, read_terms
from tb.core.encode import plain

ZERO = Decimal(0)

Answer = tuple[int, Json]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as far as endpoints read it. `names` are the parts of the path that stand for something."""

    query: QueryParams
    body: bytes
    names: Mapping[str, str]


Endpoint = Callable[[Desk, Call], Answer]


def fields_of(call: Call) -> Mapping[str, Any]:
    """The JSON object of a body. Raises Malformed."""
    try:
        found = json.loads(call.body)
    except ValueError:
        raise Malformed("the body is no JSON") from None
    if not isinstance(found, dict):
        raise Malformed("the body is no JSON object")
    return found


def not_found(what: str) -> Answer:
    return 404, {"error": "NOT_FOUND", "error_details": what, "message": what}


def create(desk: Desk, call: Call) -> Answer:
    fields = fields_of(call)
    new = _new_order(desk, fields)
    made = desk.matching.place(new)
    if isinstance(made, Rejection):
        return 200, refused_json(made, new.configuration)
    return 200, created_json(made)


_KNOWN = frozenset(
    "client_order_id product_id side order_configuration self_trade_prevention_id leverage margin_type retail_portfolio_id "
    "preview_id attached_order_configuration sor_preference commission_rate is_max trade_protection_config".split()
)


def _new_order(desk: Desk, fields: Mapping[str, Any], *, previewed: bool = False) -> NewOrder:
    if unknown := sorted(set(fields) - _KNOWN):
        raise Malformed(f'unknown field "{unknown[0]}"')
    client_id = "" if previewed else fields.get("client_order_id")
    if not isinstance(client_id, str) or (not client_id and not previewed):
        raise Malformed("client_order_id is required")
    if len(client_id) > 128:
        raise Malformed("client_order_id is too long")
    product = desk.matching.prices.products.get(str(fields.get("product_id")))
    if product is None:
        raise Malformed("valid product_id is required")
    side = fields.get("side")
    if side not in {"BUY", "SELL"}:
        raise Malformed("valid side is required")
    configuration = fields.get("order_configuration")
    terms = read_terms(configuration)
    attached = fields.get("attached_order_configuration")
    return NewOrder(
        client_id=client_id,
        product=product,
        side=side,
        terms=terms,
        configuration=dict(configuration or {}),
        attached=None if attached is None else _attached(attached),
        attached_configuration=attached,
        portfolio=str(fields.get("retail_portfolio_id") or ""),
    )


def _attached(configuration: Any) -> Terms:
    terms = read_terms(configuration, attached=True)
    if terms.type != "BRACKET":
        raise Malformed("attached_order_configuration must be a trigger bracket")
    return terms


def preview(desk: Desk, call: Call) -> Answer:
    order, reason = desk.matching.preview(_new_order(desk, fields_of(call), previewed=True))
    quote = desk.matching.prices.quote(order.product.id, desk.matching.now)
    price = order.bound or (quote.ask if quote is not None and order.is_buy else quote.bid if quote is not None else None)
    total = (order.terms.funds or order.size * price) if price is not None else ZERO
    fee = total * desk.matching.taker
    return 200, {
        "order_total": plain(total + fee if order.is_buy else total - fee) if total else "0",
        "commission_total": plain(fee) if total else "0",
        "errs": [] if reason is None else [reason.preview],
        "warning": [],
        "quote_size": plain(total) if total else "0",
        "base_size": plain(order.size),
        "best_bid": plain(quote.bid) if quote is not None else "",
        "best_ask": plain(quote.ask) if quote is not None else "",
        "is_max": False,
        "slippage": "0",
        "preview_id": desk.matching.new_id(),
    }


def cancel(desk: Desk, call: Call) -> Answer:
    ids = fields_of(call).get("order_ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise Malformed("order_ids is required")
    if len(ids) > 100:
        raise Malformed("too many order_ids: 100 at most")
    results = []
    for one in ids:
        reason = desk.matching.cancel(one)
        results.append({"success": not reason, "failure_reason": reason or "UNKNOWN_CANCEL_FAILURE_REASON", "order_id": one})
    return 200, {"results": results}


def edit(desk: Desk, call: Call) -> Answer:
    order_id, size, price = _change(call)
    reason = desk.matching.edit(order_id, size, price)
    if reason:
        details = {"edit_failure_reason": reason, "preview_failure_reason": "UNKNOWN_PREVIEW_FAILURE_REASON"}
        failed = {"error_details": reason, "edit_order_failure_reason": reason}
        return 200, {"success": False, "error_response": failed, "errors": [details]}
    return 200, {"success": True, "success_response": {"order_id": order_id}, "errors": []}


def edit_preview(desk: Desk, call: Call) -> Answer:
    from tb.connectors.sandbox.editing import not_editable

    order_id, size, price = _change(call)
    order = desk.matching.orders.get(order_id)
    reason = "ORDER_NOT_FOUND" if order is None else not_editable(order, size, price)
    quote = None if order is None else desk.matching.prices.quote(order.product.id, desk.matching.now)
    return 200, {
        "errors": [{"edit_failure_reason": reason}] if reason else [],
        "slippage": "0",
        "order_total": plain(size * price),
        "commission_total": plain(size * price * desk.matching.taker),
        "quote_size": plain(size * price),
        "base_size": plain(size),
        "best_bid": plain(quote.bid) if quote is not None else "",
        "average_filled_price": plain(order.average) if order is not None else "0",
    }


def _change(call: Call) -> tuple[str, Decimal, Decimal]:
    fields = fields_of(call)
    order_id = fields.get("order_id")
    if not isinstance(order_id, str):
        raise Malformed("order_id is required")
    # a field that is left out counts as 0, and is refused for that
    return order_id, read_number(fields.get("size", "0"), "size"), read_number(fields.get("price", "0"), "price")


def order(desk: Desk, call: Call) -> Answer:
    found = desk.matching.orders.get(call.names["order_id"])
    return (200, {"order": order_json(found)}) if found is not None else not_found("order not found")


def orders(desk: Desk, call: Call) -> Answer:
    asked = orders_asked(desk.matching.orders.values(), call.query)
    rows, cursor = page(asked, lambda one: one.sequence, call.query, 100)
    shown = [order_json(one) for one in rows]
    return 200, {"orders": _told(desk, shown), "sequence": "0", "has_next": bool(cursor), "cursor": cursor}


def fills(desk: Desk, call: Call) -> Answer:
    asked = fills_asked(list(desk.matching.orders.values()), call.query)
    rows, cursor = page(asked, lambda one: one[1].sequence, call.query, 100)
    return 200, {"fills": _told(desk, [fill_json(*one) for one in rows]), "cursor": cursor}


def _told(desk: Desk, rows: list[Json]) -> list[Json]:
    """The rows of a list, each twice where a fault says so."""
    twice = rows and desk.faults.take("answer-twice", "reads", at=desk.matching.now)
    return [row for row in rows for _ in range(2)] if twice else rows
