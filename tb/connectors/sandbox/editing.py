"""Which orders can be edited, and what they are then: resting limits without an end, of a size above what is filled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tb.connectors.sandbox.order import Order
from tb.core.encode import plain


def not_editable(order: Order, size: Decimal, price: Decimal) -> str:
    """The venue's reason not to edit; empty where it does."""
    if order.terms.shape != "limit_limit_gtc":
        return "ONLY_LIMIT_ORDER_EDITS_SUPPORTED"
    if order.status != "OPEN":
        return "ONLY_OPEN_ORDERS_CAN_BE_EDITED"
    if size <= 0 or not order.product.on_lots(size) or size < order.product.base_min:
        return "INVALID_EDITED_SIZE"
    if size <= order.filled:
        return "CANNOT_EDIT_TO_BELOW_FILLED_SIZE"
    if price <= 0 or not order.product.on_ticks(price):
        return "INVALID_EDITED_PRICE"
    return "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST" if (size, price) == (order.size, order.terms.limit) else ""


def edited(order: Order, size: Decimal, price: Decimal) -> Order:
    """The order with another size and limit."""
    shape = order.terms.shape
    fields = {**order.configuration[shape], "base_size": plain(size), "limit_price": plain(price)}
    return replace(order, size=size, terms=replace(order.terms, size=size, limit=price), configuration={shape: fields})
