"""Endpoints that show the market and the account: each from a request to a status and what is answered."""

from __future__ import annotations

from decimal import Decimal

from tb.connectors.sandbox.answers import PORTFOLIO, Json, account_id, account_json, product_json, shown_time
from tb.connectors.sandbox.candles import GRANULARITIES, MOST, candles_json
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.listing import several, whole
from tb.connectors.sandbox.pricing import Quote
from tb.connectors.sandbox.shapes import Malformed
from tb.connectors.sandbox.trading import Answer, Call, not_found
from tb.core.encode import plain
from tb.core.time import SECOND, show_duration


def server_time(desk: Desk, call: Call) -> Answer:
    now = desk.now
    return 200, {"iso": shown_time(now)[:19] + "Z", "epochSeconds": str(now // SECOND), "epochMillis": str(now)}


def accounts(desk: Desk, call: Call) -> Answer:
    account = desk.matching.account
    limit = whole(call.query, "limit", 49, 250)
    after = call.query.get("cursor") or ""
    left = [name for name in account.currencies if account_id(name) > after] if after else account.currencies
    rows = sorted(left, key=account_id)[:limit]
    more = len(left) > limit
    shown = [account_json(account, name, desk.matching.now) for name in rows]
    return 200, {"accounts": shown, "has_next": more, "cursor": account_id(rows[-1]) if more else "", "size": len(rows)}


def account(desk: Desk, call: Call) -> Answer:
    for name in desk.matching.account.currencies:
        if account_id(name) == call.names["account"]:
            return 200, {"account": account_json(desk.matching.account, name, desk.matching.now)}
    return not_found("account not found")


def products(desk: Desk, call: Call) -> Answer:
    asked = several(call.query, "product_ids")
    kind = call.query.get("product_type")
    names = [name for name in desk.matching.prices.products if not asked or name in asked] if kind in {None, "SPOT"} else []
    limit = whole(call.query, "limit", len(names) or 1, 1_000)
    offset = int(call.query.get("offset") or 0)
    shown = [_product(desk, name) for name in names[offset : offset + limit]]
    return 200, {"products": shown, "num_products": len(shown)}


def _product(desk: Desk, name: str) -> Json:
    rules = desk.matching.prices.products[name]
    return product_json(rules, desk.matching.prices, desk.quote(name), desk.matching.now)


def product(desk: Desk, call: Call) -> Answer:
    name = call.names["product"]
    return (200, _product(desk, name)) if name in desk.matching.prices.products else not_found("product not found")


def candles(desk: Desk, call: Call) -> Answer:
    series = desk.matching.prices.series.get(call.names["product"])
    if series is None:
        return not_found("product not found")
    period = GRANULARITIES.get(call.query.get("granularity") or "")
    if period is None:
        raise Malformed("invalid granularity")
    if period % series.period:
        raise Malformed(f"the recording has bars of {show_duration(series.period)}, which do not make up such candles")
    first, last = _seconds(call, "start"), _seconds(call, "end")
    if last < first:
        raise Malformed("end is before start")
    limit = whole(call.query, "limit", MOST, MOST)
    if (last - first) // period >= MOST:
        raise Malformed(f"number of candles requested should be less than {MOST}")
    return 200, {"candles": candles_json(series, period, first, last, desk.matching.now)[:limit]}


def _seconds(call: Call, name: str) -> int:
    text = call.query.get(name) or ""
    if not (text.isascii() and text.isdigit()):
        raise Malformed(f"invalid {name}")
    return int(text) * SECOND


def trades(desk: Desk, call: Call) -> Answer:
    name = call.names["product"]
    if name not in desk.matching.prices.products:
        return not_found("product not found")
    quote = desk.quote(name)
    if quote is None:
        return 200, {"trades": [], "best_bid": "", "best_ask": ""}
    shown = {
        "trade_id": str(quote.at),
        "product_id": name,
        "price": plain(quote.last),
        "size": plain(quote.product.base_min),
        "time": shown_time(quote.at),
        "side": "BUY",
        "exchange": "",
    }
    return 200, {"trades": [shown], "best_bid": plain(quote.bid), "best_ask": plain(quote.ask)}


def book_json(desk: Desk, quote: Quote, limit: int | None) -> Json:
    sides: dict[str, list[Json]] = {}
    for side, asks in (("bids", False), ("asks", True)):
        levels = desk.matching.prices.levels(quote, asks=asks)[:limit]
        sides[side] = [{"price": plain(price), "size": plain(size)} for price, size in levels]
    return {"product_id": quote.product.id, **sides, "time": shown_time(quote.at)}


def book(desk: Desk, call: Call) -> Answer:
    name = call.query.get("product_id") or ""
    if name not in desk.matching.prices.products:
        raise Malformed("valid product_id is required")
    quote = desk.quote(name)
    if quote is None:
        return not_found("no book")
    middle = (quote.bid + quote.ask) / 2
    distance = quote.ask - quote.bid
    return 200, {
        "pricebook": book_json(desk, quote, whole(call.query, "limit", 10, 1_000)),
        "last": plain(quote.last),
        "mid_market": plain(middle),
        "spread_bps": plain(round(distance / middle * 10_000, 8)),
        "spread_absolute": plain(distance),
    }


def best(desk: Desk, call: Call) -> Answer:
    asked = several(call.query, "product_ids")
    names = [name for name in desk.matching.prices.products if not asked or name in asked]
    quotes = [quote for name in names if (quote := desk.quote(name)) is not None]
    return 200, {"pricebooks": [book_json(desk, quote, 1) for quote in quotes]}


def permissions(desk: Desk, call: Call) -> Answer:
    return 200, {
        "can_view": True,
        "can_trade": desk.can_trade,
        "can_transfer": desk.can_transfer,
        "portfolio_uuid": PORTFOLIO,
        "portfolio_type": "DEFAULT",
    }


def summary(desk: Desk, call: Call) -> Answer:
    matching = desk.matching
    orders = matching.orders.values()
    tier = {
        "pricing_tier": "sandbox",
        "usd_from": "0",
        "usd_to": "",
        "taker_fee_rate": plain(matching.taker),
        "maker_fee_rate": plain(matching.maker),
    }
    volume = float(sum((order.value for order in orders), Decimal(0)))
    fees = float(sum((order.fees for order in orders), Decimal(0)))
    return 200, {
        "total_volume": volume,
        "total_fees": fees,
        "fee_tier": tier,
        "margin_rate": None,
        "goods_and_services_tax": None,
        "advanced_trade_only_volume": volume,
        "advanced_trade_only_fees": fees,
    }


def portfolios(desk: Desk, call: Call) -> Answer:
    return 200, {"portfolios": [{"name": "Default", "uuid": PORTFOLIO, "type": "DEFAULT", "deleted": False}]}
