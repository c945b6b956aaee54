"""What Coinbase demands of orders in a product: tick, lot, sizes, and whether it can be traded now.

A mark that is not there is no "no": the product's rules are then not known. A smallest or largest size that is not stated is
none: the venue refuses what breaks it. What bounds an order here are `max_quantity` of the settings and limits of the policy.
"""

from __future__ import annotations

from decimal import Decimal

from tb.connectors.coinbase.wire import Fields, optional_number, positive, text, truth
from tb.runtime.ports.exchange import Rules


def rules_of(product: Fields) -> Rules:
    """The rules of one product; raises Unreadable."""
    return Rules(
        instrument=text(product, "product_id"),
        asset=text(product, "base_currency_id"),
        currency=text(product, "quote_currency_id"),
        tick=positive(product, "price_increment"),
        lot=positive(product, "base_increment"),
        min_quantity=_least(product, "base_min_size"),
        max_quantity=optional_number(product, "base_max_size"),
        min_notional=_least(product, "quote_min_size"),
        max_notional=optional_number(product, "quote_max_size"),
        status=_status(product),
    )


def other_names(product: Fields) -> tuple[str, ...]:
    """The products that share its book: BTC-USDC is traded in the book of BTC-USD."""
    others = product.get("alias_to")
    names = [product.get("alias"), *(others if isinstance(others, list) else [])]
    return tuple(name for name in names if isinstance(name, str) and name)


def quoted_as(product: Fields) -> str:
    """The product under whose name the quotes of its book are told."""
    other = product.get("alias")
    return other if isinstance(other, str) and other else text(product, "product_id")


def _least(product: Fields, name: str) -> Decimal | None:
    found = optional_number(product, name)
    return found if found else None


def _status(product: Fields) -> str:
    marks = {
        name: truth(product, name)
        for name in ("trading_disabled", "view_only", "cancel_only", "auction_mode", "post_only", "limit_only")
    }
    disabled = product.get("is_disabled") is True
    if marks["trading_disabled"] or marks["view_only"] or disabled or text(product, "status").lower() != "online":
        return "closed"
    if marks["cancel_only"] or marks["auction_mode"]:  # an auction takes orders, and fills none of them until it ends
        return "cancel only"
    if marks["post_only"]:
        return "post only"
    return "limit only" if marks["limit_only"] else "open"
