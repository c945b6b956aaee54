"""Pages of lists: filters, the newest first, and a cursor that stays right while the list grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from starlette.datastructures import QueryParams

from tb.connectors.sandbox.order import Execution, Order
from tb.connectors.sandbox.shapes import Malformed, read_instant

Item = TypeVar("Item")


def several(query: QueryParams, name: str, one: str = "") -> list[str]:
    """The values of a parameter that may be there several times; `one` is its other name."""
    return [*query.getlist(name), *(query.getlist(one) if one else [])]


def whole(query: QueryParams, name: str, usual: int, most: int) -> int:
    """A number of rows. Raises Malformed."""
    text = query.get(name)
    if text is None:
        return usual
    if not text.isdigit() or not text.isascii():
        raise Malformed(f"invalid {name}")
    return min(int(text), most) or usual


def page(items: Iterable[Item], sequence: Callable[[Item], int], query: QueryParams, usual: int) -> tuple[list[Item], str]:
    """Rows with the highest sequence first, below the cursor; and the cursor of the next page, empty at the end."""
    cursor = query.get("cursor") or ""
    if cursor and not (cursor.isdigit() and cursor.isascii()):
        raise Malformed("invalid cursor")
    rows = sorted((item for item in items if not cursor or sequence(item) < int(cursor)), key=sequence, reverse=True)
    limit = whole(query, "limit", usual, 1_000)
    return rows[:limit], str(sequence(rows[limit - 1])) if len(rows) > limit else ""


def orders_asked(orders: Iterable[Order], query: QueryParams) -> list[Order]:
    """The orders that pass the filters of a request. Raises Malformed."""
    ids = several(query, "order_ids")
    products = several(query, "product_ids", "product_id")
    statuses = several(query, "order_status")
    if "OPEN" in statuses and len(set(statuses)) > 1:
        raise Malformed("OPEN orders cannot be asked for together with others")
    first, last = _instant(query, "start_date"), _instant(query, "end_date")
    side, kinds = query.get("order_side"), several(query, "order_types", "order_type")
    return [
        order
        for order in orders
        if (not ids or order.id in ids)
        and (not products or order.product.id in products)
        and (not statuses or order.status in statuses)
        and (not kinds or order.terms.type in kinds)
        and (side in {None, "UNKNOWN_ORDER_SIDE", order.side})
        and (first is None or order.created >= first)
        and (last is None or order.created < last)
    ]


def fills_asked(orders: Sequence[Order], query: QueryParams) -> list[tuple[Order, Execution]]:
    """The executions that pass the filters of a request. Raises Malformed."""
    ids = several(query, "order_ids", "order_id")
    trades = several(query, "trade_ids")
    products = several(query, "product_ids", "product_id")
    first, last = _instant(query, "start_sequence_timestamp"), _instant(query, "end_sequence_timestamp")
    return [
        (order, fill)
        for order in orders
        if (not ids or order.id in ids) and (not products or order.product.id in products)
        for fill in order.fills
        if (not trades or fill.trade_id in trades) and (first is None or fill.at >= first) and (last is None or fill.at <= last)
    ]


def _instant(query: QueryParams, name: str) -> int | None:
    text = query.get(name)
    return read_instant(text, name) if text else None
