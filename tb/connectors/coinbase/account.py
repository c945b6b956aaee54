"""Executions and balances as Coinbase tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.connectors.coinbase.orders import side_of
from tb.connectors.coinbase.wire import (
    Fields,
    Unreadable,
    instant,
    not_negative,
    number,
    optional_text,
    part,
    positive,
    quantity_for,
    text,
    total,
    truth,
)
from tb.runtime.ports.exchange import Balance, Side, VenueFill


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill before it is known under which of our ids its order was sent: the venue does not say that here."""

    id: str
    venue_id: str
    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: int

    def of(self, client_id: str) -> VenueFill:
        return VenueFill(
            id=self.id,
            client_id=client_id,
            venue_id=self.venue_id,
            instrument=self.instrument,
            side=self.side,
            quantity=self.quantity,
            price=self.price,
            fee=self.fee,
            at=self.at,
        )


def execution_of(fill: Fields) -> Execution:
    """One execution; raises Unreadable, also for what the venue took back or corrected: that needs a person."""
    kind = text(fill, "trade_type")
    if kind != "FILL":
        raise Unreadable(f"a fill has the `trade_type` {kind}, which changes an earlier one")
    size, price = positive(fill, "size"), positive(fill, "price")
    if fill.get("size_in_quote") is True:  # of an order for an amount of money, which tb does not send
        size = quantity_for(size, price)
    return Execution(
        id=optional_text(fill, "entry_id") or text(fill, "trade_id"),
        venue_id=text(fill, "order_id"),
        instrument=text(fill, "product_id"),
        side=side_of(fill, "side"),
        quantity=size,
        price=price,
        fee=number(fill, "commission"),
        at=instant(fill, "trade_time"),
    )


def balances_of(accounts: Sequence[Fields]) -> tuple[Balance, ...]:
    """What there is of each asset, in order of its name. Vaults and closed accounts cannot be traded from."""
    found: dict[str, Balance] = {}
    for account in accounts:
        if optional_text(account, "type") == "ACCOUNT_TYPE_VAULT" or not truth(account, "active"):
            continue
        asset = text(account, "currency")
        available, held = _amount(account, "available_balance", asset), _amount(account, "hold", asset)
        before = found.get(asset, Balance(asset, Decimal(0), Decimal(0)))
        found[asset] = Balance(asset, total(before.available, available), total(before.held, held))
    return tuple(found[asset] for asset in sorted(found))


def _amount(account: Fields, name: str, asset: str) -> Decimal:
    amount = part(account, name)
    if text(amount, "currency") != asset:
        raise Unreadable(f"`{name}` is in another currency than its account")
    return not_negative(amount, "value")
