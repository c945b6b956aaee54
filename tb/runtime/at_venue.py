"""Stops and targets that rest at the venue, and what of a position has none, by what a live account's runs recorded.

1. Each order that protects is known from when it was sent until the venue said that it is over (`protection`). It may have been
   sent by an earlier run than the one that looks after it now.
2. What is held and should have a stop or a target, and does not rest there whole, is bare (`bare`): that is loud.

What was not recorded is not guessed: an order that ended while nobody was running is known to have ended with the next session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tb.core.records import Handling, Order, Trade
from tb.engine.instant import EXACT
from tb.runtime.ports.exchange import OVER

PROTECTION = "protection"


@dataclass(frozen=True, slots=True)
class Guard:
    """One order that protects: `quantity` is what of it may still fill, `status` the venue's last word, `sent` before any.

    `trade` is the number of the position, None where no open one is known."""

    client: str
    instrument: str
    strategy: str
    side: str
    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    status: str
    at: int
    trade: int | None = None


@dataclass(frozen=True, slots=True)
class Bare:
    """What of an open position has neither stop nor target at the venue, though it should."""

    trade: Trade
    quantity: Decimal


def protection(handlings: Iterable[Handling], orders: Iterable[Order], positions: Sequence[Trade]) -> tuple[Guard, ...]:
    """The orders that protect and are not over, in the order in which they were sent. `orders` are those that opened what is
    held, of all runs of the account."""
    strategies = {order.id: order.strategy for order in orders}
    numbers = {(one.strategy, one.instrument): one.seq for one in positions}
    found: dict[str, Guard] = {}
    wholes: dict[str, Decimal] = {}
    for one in handlings:
        if one.what == "sent" and one.details.get("purpose") == PROTECTION:
            strategy = strategies.get(one.order, "")
            found[one.client] = replace(_sent(one), strategy=strategy, trade=numbers.get((strategy, one.instrument)))
            wholes[one.client] = Decimal(one.details["quantity"])
        elif one.what in ("answer", "lookup") and one.client in found:
            rest = found[one.client].quantity
            if "filled" in one.details:
                rest = EXACT.subtract(wholes[one.client], Decimal(one.details["filled"]))
            found[one.client] = replace(found[one.client], status=one.status, quantity=rest)
    return tuple(guard for guard in found.values() if guard.status not in OVER)


def _sent(one: Handling) -> Guard:
    price, form = _level(one, "price"), one.details["form"]
    stop = price if form == "stop" else _level(one, "stop")
    target = price if form == "limit" else _level(one, "target")
    quantity = Decimal(one.details["quantity"])
    return Guard(one.client, one.instrument, "", one.details["side"], quantity, stop, target, "sent", one.at)


def _level(one: Handling, name: str) -> Decimal | None:
    return Decimal(one.details[name]) if name in one.details else None


def bare(positions: Iterable[Trade], guards: Sequence[Guard]) -> tuple[Bare, ...]:
    """Positions that should have more protection than rests at the venue."""
    found = []
    for trade in positions:
        if trade.stop is None and trade.last_stop is None and trade.target is None:
            continue
        left = trade.quantity
        for part in trade.exits:
            left = EXACT.subtract(left, part.quantity)
        for guard in guards:
            if guard.trade == trade.seq:
                left = EXACT.subtract(left, guard.quantity)
        if left > 0:
            found.append(Bare(trade, left))
    return tuple(found)
