"""What the venue refuses an order for: its steps, sizes and prices, and the state of its product."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.connectors.sandbox.order import Order
from tb.connectors.sandbox.pricing import Quote
from tb.connectors.sandbox.product import Product


@dataclass(frozen=True, slots=True)
class Rejection:
    """`reason` is of the order, `preview` what its preview would have said; one of them may be empty."""

    reason: str
    message: str
    preview: str = "UNKNOWN_PREVIEW_FAILURE_REASON"


_UNKNOWN = "UNKNOWN_FAILURE_REASON"


def refused(order: Order, quote: Quote | None, now: int) -> Rejection | None:
    """Why the order is not taken, None where it is. Money is looked at elsewhere."""
    state = _state(order, order.product)
    if state is not None:
        return state
    if quote is None:
        return Rejection("INVALID_NO_LIQUIDITY", "no price", "PREVIEW_MISSING_PRODUCT_PRICE_BOOK")
    if order.terms.expires is not None and order.terms.expires <= now:
        return Rejection("INVALID_REQUEST", "end_time is in the past", "PREVIEW_INVALID_END_TIME")
    return _sizes(order) or _prices(order, quote)


def _state(order: Order, product: Product) -> Rejection | None:
    state, terms = product.state, order.terms
    if state in {"view_only", "trading_disabled", "cancel_only"}:
        return Rejection("ORDER_ENTRY_DISABLED", "Orders are disabled", "PREVIEW_ORDER_ENTRY_DISABLED")
    if state == "limit_only" and terms.type != "LIMIT":
        return Rejection("UNSUPPORTED_ORDER_CONFIGURATION", "Only limit orders are allowed")
    if state == "post_only" and not terms.post_only:
        return Rejection("UNSUPPORTED_ORDER_CONFIGURATION", "Only post only orders are allowed")
    return None


def _sizes(order: Order) -> Rejection | None:
    product, size, funds = order.product, order.terms.size, order.terms.funds
    if funds is not None:
        if not order.is_buy:
            return Rejection("UNSUPPORTED_ORDER_CONFIGURATION", "quote_size is for market buys")
        if funds % product.quote_lot:
            return Rejection(
                "INVALID_SIZE_PRECISION", "Too many decimals in quote_size", "PREVIEW_INVALID_QUOTE_SIZE_PRECISION"
            )
        return _within(funds, product.quote_min, product.quote_max, "QUOTE")
    if size is None:
        return None
    if not product.on_lots(size):
        return Rejection("INVALID_SIZE_PRECISION", "Too many decimals in order amount", "PREVIEW_INVALID_SIZE_PRECISION")
    return _within(size, product.base_min, product.base_max, "BASE")


def _within(size: Decimal, least: Decimal, most: Decimal, which: str) -> Rejection | None:
    if size <= 0 or size < least:
        return Rejection(_UNKNOWN, "Order size is too small", f"PREVIEW_INVALID_{which}_SIZE_TOO_SMALL")
    if size > most:
        return Rejection(_UNKNOWN, "Order size is too large", f"PREVIEW_INVALID_{which}_SIZE_TOO_LARGE")
    return None


def _prices(order: Order, quote: Quote) -> Rejection | None:
    terms, product = order.terms, order.product
    for price in (terms.limit, terms.stop):
        if price is not None and price <= 0:
            return Rejection("INVALID_LIMIT_PRICE", "Invalid price", "PREVIEW_INVALID_LIMIT_PRICE")
        if price is not None and not product.on_ticks(price):
            return Rejection("INVALID_PRICE_PRECISION", "Too many decimals in order price", "PREVIEW_INVALID_PRICE_PRECISION")
    size = terms.size
    if terms.limit is not None and size is not None and size * terms.limit < product.quote_min:
        return Rejection(_UNKNOWN, "Order value is too small", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")
    if terms.post_only and terms.limit is not None and crosses(order, terms.limit, quote):
        return Rejection(
            "INVALID_LIMIT_PRICE_POST_ONLY", "Post only order would cross the book", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"
        )
    return _stop(order, quote)


def _stop(order: Order, quote: Quote) -> Rejection | None:
    terms = order.terms
    if terms.stop is None or terms.limit is None:
        return None
    if terms.type == "BRACKET":
        is_ordered = terms.limit < terms.stop if order.is_buy else terms.stop < terms.limit
        if not is_ordered:
            return Rejection(_UNKNOWN, "Stop and limit are on the wrong sides", "PREVIEW_INVALID_BRACKET_PRICES")
    elif (terms.limit < terms.stop) if order.is_buy else (terms.limit > terms.stop):
        return Rejection(_UNKNOWN, "Stop price and limit price do not fit", "PREVIEW_INVALID_STOP_PRICE")
    if order.falls and terms.stop >= quote.last:
        return Rejection(_UNKNOWN, "Stop price is above the last price", "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE")
    if not order.falls and terms.stop <= quote.last:
        return Rejection(_UNKNOWN, "Stop price is below the last price", "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE")
    return None


def crosses(order: Order, limit: Decimal, quote: Quote) -> bool:
    """Whether a limit would fill at once."""
    return limit >= quote.ask if order.is_buy else limit <= quote.bid
