"""The gateway's files as anybody may read them beside it: what was sent, and what there has to be because of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from tb.runtime.gateway.entries import Outside, decode
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.reconciling import expected
from tb.runtime.gateway.terms import Terms
from tb.runtime.gateway.tracked import ZERO, Orders
from tb.runtime.ports.exchange import Exchange, NoAnswer, Rules

JOURNAL, BREAKER = "orders.journal", "breaker"  # their names in the folder of an account's state


def sent_orders(folder: Path) -> tuple[Orders, dict[str, Decimal]]:
    """Every order of the journal, and what the account has of each asset besides. Raises `Refused` as the journal does."""
    orders, outside = Orders(), dict[str, Decimal]()
    for payload in Journal.payloads(folder / JOURNAL):
        entry = decode(payload)
        orders.apply(entry)
        if isinstance(entry, Outside):
            outside[entry.asset] = entry.amount
    return orders, outside


def catch_up(orders: Orders, exchange: Exchange, *, skew: int = Terms().skew) -> NoAnswer | None:
    """Adds what the venue filled of orders that may still fill while nobody was there to hear it; nothing is written.

    Returns why that is not known, None where it is. An order that the venue does not have filled nothing.
    """
    for tracked in list(orders.working()):
        found = exchange.find(tracked.client, tracked.instrument, tracked.at - skew)
        if isinstance(found, NoAnswer):
            return found
        if found is not None and found.filled > tracked.booked:
            if found.average is None:
                return NoAnswer(f"the venue does not say at what price {tracked.client} filled")
            tracked.booked, tracked.value, tracked.paid = found.filled, found.average * found.filled, found.fees
    return None


def known_assets(orders: Orders, outside: Mapping[str, Decimal], rules: Mapping[str, Rules]) -> dict[str, Decimal]:
    """How much of each asset there has to be at the venue; of those that were looked at before."""
    from_here = expected(orders, rules)
    return {asset: amount + from_here.get(asset, ZERO) for asset, amount in outside.items()}
