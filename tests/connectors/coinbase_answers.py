"""Answers of Coinbase as its documentation and its own library show them, one of each kind, to be changed by a test."""

from __future__ import annotations

from typing import Any

NOW = 1_767_323_045_000  # 2026-01-02T03:04:05Z


def order(**changed: Any) -> dict[str, Any]:
    """A resting limit order of which a part is filled."""
    return {
        "order_id": "v-1",
        "product_id": "BTC-USD",
        "user_id": "u",
        "order_configuration": {"limit_limit_gtc": {"base_size": "0.50", "limit_price": "60000.10", "post_only": True}},
        "side": "BUY",
        "client_order_id": "c-1",
        "status": "OPEN",
        "time_in_force": "GOOD_UNTIL_CANCELLED",
        "created_time": "2026-01-02T03:00:00.123456Z",
        "last_fill_time": "2026-01-02T03:01:00.5Z",
        "filled_size": "0.20",
        "average_filled_price": "59999.123456789",
        "total_fees": "12.000000005",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "reject_message": "",
        "cancel_message": "",
        **changed,
    }


def fill(**changed: Any) -> dict[str, Any]:
    return {
        "entry_id": "e-1",
        "trade_id": "t-1",
        "order_id": "v-1",
        "trade_time": "2026-01-02T03:01:00.123Z",
        "trade_type": "FILL",
        "price": "59999.12",
        "size": "0.2",
        "commission": "12.000000005",
        "product_id": "BTC-USD",
        "sequence_timestamp": "2026-01-02T03:01:01Z",
        "size_in_quote": False,
        "side": "BUY",
        **changed,
    }


def product(**changed: Any) -> dict[str, Any]:
    return {
        "product_id": "BTC-USD",
        "price": "60000",
        "base_increment": "0.00000001",
        "quote_increment": "0.01",
        "price_increment": "0.01",
        "base_min_size": "0.00000001",
        "base_max_size": "3400",
        "quote_min_size": "1",
        "quote_max_size": "150000000",
        "base_currency_id": "BTC",
        "quote_currency_id": "USD",
        "status": "online",
        "is_disabled": False,
        "trading_disabled": False,
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "auction_mode": False,
        "view_only": False,
        "alias": "",
        "alias_to": ["BTC-USDC"],
        **changed,
    }


def account(currency: str, available: str, held: str, /, **changed: Any) -> dict[str, Any]:
    return {
        "uuid": f"a-{currency}",
        "currency": currency,
        "available_balance": {"value": available, "currency": currency},
        "hold": {"value": held, "currency": currency},
        "active": True,
        "type": "ACCOUNT_TYPE_CRYPTO",
        **changed,
    }


def created(client_id: str = "c-1", venue_id: str = "v-1") -> dict[str, Any]:
    sent = {"order_id": venue_id, "product_id": "BTC-USD", "side": "BUY", "client_order_id": client_id}
    return {"success": True, "success_response": sent, "order_configuration": {}}


def declined(**reasons: str) -> dict[str, Any]:
    return {"success": False, "error_response": {"error": "UNKNOWN_FAILURE_REASON", "message": "no", **reasons}}


def candle(at: int, /, **changed: Any) -> dict[str, Any]:
    """Hour by hour or however: `at` is its start, in s."""
    prices = {"low": "10.1", "high": "12.3", "open": "11.000000000000000001", "close": "12", "volume": "5.5"}
    return {"start": str(at), **prices, **changed}
