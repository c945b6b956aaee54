"""What the wire says of orders, fills, products and accounts. Numbers are text, instants RFC 3339 in UTC."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tb.connectors.sandbox.account import Account
from tb.connectors.sandbox.checks import Rejection
from tb.connectors.sandbox.order import Execution, Order
from tb.connectors.sandbox.pricing import Prices, Quote
from tb.connectors.sandbox.product import Product
from tb.core.encode import plain
from tb.core.time import DAY

_NAMESPACE = uuid.UUID("6f8bba30-6a2c-4cde-8a0f-5a4b1d0c7e11")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PORTFOLIO = str(uuid.uuid5(_NAMESPACE, "portfolio"))
USER = str(uuid.uuid5(_NAMESPACE, "user"))
Json = dict[str, Any]


def shown_time(at: int) -> str:
    """`2024-01-31T05:00:00.250000Z`."""
    return f"{_EPOCH + timedelta(milliseconds=at):%Y-%m-%dT%H:%M:%S.%f}Z"


def order_json(order: Order) -> Json:
    """An order as lists and single looks show it."""
    share = order.filled / order.size * 100 if order.size else Decimal(0)
    sign = 1 if order.is_buy else -1
    last = order.fills[-1].at if order.fills else None
    return {
        "order_id": order.id,
        "product_id": order.product.id,
        "user_id": USER,
        "order_configuration": dict(order.configuration),
        "side": order.side,
        "client_order_id": order.client_id,
        "status": order.status,
        "time_in_force": order.terms.force,
        "created_time": shown_time(order.created),
        "completion_percentage": plain(round(share, 2)),
        "filled_size": plain(order.filled),
        "average_filled_price": plain(order.average),
        "fee": "",
        "number_of_fills": str(len(order.fills)),
        "filled_value": plain(order.value),
        "pending_cancel": order.status == "CANCEL_QUEUED",
        "size_in_quote": order.terms.funds is not None,
        "total_fees": plain(order.fees),
        "size_inclusive_of_fees": order.terms.funds is not None,
        "total_value_after_fees": plain(order.value + sign * order.fees),
        "trigger_status": trigger_status(order),
        "order_type": order.terms.type,
        "reject_reason": order.reason if order.status == "FAILED" else "REJECT_REASON_UNSPECIFIED",
        "settled": order.status == "FILLED",
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": order.reason if order.status == "CANCELLED" else "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": plain(order.hold[1]),
        "is_liquidation": False,
        "last_fill_time": None if last is None else shown_time(last),
        "edit_history": [
            {"price": plain(one.price), "size": plain(one.size), "replace_accept_timestamp": shown_time(one.at)}
            for one in order.edits
        ],
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": order.portfolio or PORTFOLIO,
        "originating_order_id": order.parent or "",
        "attached_order_id": order.child or "",
        "attached_order_configuration": None if order.attached_configuration is None else dict(order.attached_configuration),
    }


def trigger_status(order: Order) -> str:
    if order.terms.stop is None:
        return "INVALID_ORDER_TYPE"
    return "STOP_TRIGGERED" if order.is_triggered else "STOP_PENDING"


def fill_json(order: Order, fill: Execution) -> Json:
    return {
        "entry_id": fill.entry_id,
        "trade_id": fill.trade_id,
        "order_id": order.id,
        "trade_time": shown_time(fill.at),
        "trade_type": "FILL",
        "price": plain(fill.price),
        "size": plain(fill.size),
        "commission": plain(fill.fee),
        "product_id": order.product.id,
        "sequence_timestamp": shown_time(fill.at),
        "liquidity_indicator": "TAKER" if fill.is_taker else "MAKER",
        "size_in_quote": False,
        "user_id": USER,
        "side": order.side,
        "retail_portfolio_id": order.portfolio or PORTFOLIO,
    }


def created_json(order: Order) -> Json:
    answer = {
        "order_id": order.id,
        "product_id": order.product.id,
        "side": order.side,
        "client_order_id": order.client_id,
        "attached_order_id": order.child or "",
    }
    return {"success": True, "success_response": answer, "order_configuration": dict(order.configuration)}


def refused_json(reason: Rejection, configuration: Any) -> Json:
    answer = {
        "error": reason.reason,
        "message": reason.message,
        "error_details": reason.message,
        "preview_failure_reason": reason.preview,
        "new_order_failure_reason": reason.reason,
    }
    return {"success": False, "error_response": answer, "order_configuration": configuration}


def product_json(product: Product, prices: Prices, quote: Quote | None, now: int) -> Json:
    series = prices.series[product.id]
    volume = series.volume(now - DAY, now)
    earlier = series.price(now - DAY)
    last = Decimal(0) if quote is None else quote.last
    change = (last / earlier - 1) * 100 if earlier and last else Decimal(0)
    return {
        "product_id": product.id,
        "price": plain(last),
        "price_percentage_change_24h": plain(round(change, 8)),
        "volume_24h": plain(volume),
        "volume_percentage_change_24h": "0",
        "base_increment": plain(product.lot),
        "quote_increment": plain(product.quote_lot),
        "quote_min_size": plain(product.quote_min),
        "quote_max_size": plain(product.quote_max),
        "base_min_size": plain(product.base_min),
        "base_max_size": plain(product.base_max),
        "base_name": product.base,
        "quote_name": product.quote,
        "watched": False,
        "is_disabled": product.state == "trading_disabled",
        "new": False,
        "status": "online",
        "cancel_only": product.state == "cancel_only",
        "limit_only": product.state == "limit_only",
        "post_only": product.state == "post_only",
        "trading_disabled": product.state == "trading_disabled",
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": product.quote,
        "base_currency_id": product.base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": product.base,
        "quote_display_symbol": product.quote,
        "view_only": product.state == "view_only",
        "price_increment": plain(product.tick),
        "display_name": product.id,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": plain(round(volume * last, 2)),
    }


def account_json(account: Account, currency: str, at: int) -> Json:
    return {
        "uuid": account_id(currency),
        "name": f"{currency} Wallet",
        "currency": currency,
        "available_balance": {"value": plain(account.available(currency)), "currency": currency},
        "default": True,
        "active": True,
        "created_at": shown_time(0),
        "updated_at": shown_time(at),
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if currency in {"USD", "EUR", "GBP"} else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": plain(account.held.get(currency, Decimal(0))), "currency": currency},
        "retail_portfolio_id": PORTFOLIO,
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def account_id(currency: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"account {currency}"))


def user_json(order: Order) -> Json:
    """An order as the user channel tells of it: sums over all of its fills."""
    kinds = {"MARKET": "Market", "LIMIT": "Limit", "STOP_LIMIT": "Stop Limit", "BRACKET": "Bracket"}
    shown = order_json(order)
    terms = order.terms
    return {
        "avg_price": shown["average_filled_price"],
        "cancel_reason": shown["cancel_message"],
        "client_order_id": order.client_id,
        "completion_percentage": shown["completion_percentage"],
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "cumulative_quantity": shown["filled_size"],
        "filled_value": shown["filled_value"],
        "leaves_quantity": plain(order.remaining),
        "limit_price": plain(terms.limit) if terms.limit is not None else "",
        "number_of_fills": shown["number_of_fills"],
        "order_id": order.id,
        "order_side": order.side,
        "order_type": kinds[terms.type],
        "outstanding_hold_amount": shown["outstanding_hold_amount"],
        "post_only": "true" if terms.post_only else "false",
        "product_id": order.product.id,
        "product_type": "SPOT",
        "reject_reason": order.reason if order.status == "FAILED" else "",
        "retail_portfolio_id": shown["retail_portfolio_id"],
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": order.status,
        "stop_price": plain(terms.stop) if terms.stop is not None else "",
        "time_in_force": terms.force,
        "total_fees": shown["total_fees"],
        "total_value_after_fees": shown["total_value_after_fees"],
        "trigger_status": shown["trigger_status"],
        "creation_time": shown["created_time"],
        "end_time": shown_time(terms.expires) if terms.expires is not None else "0001-01-01T00:00:00Z",
        "start_time": "0001-01-01T00:00:00Z",
    }
