"""What an account is exposed to: each instrument's long and short side at their worst, in the order in which instruments were
opened. Kept until the account changes; where prices alone changed, or orders came, what these changed is worked out anew and
nothing else.

Nobody changes what is kept: whoever reads it in another thread meanwhile has one state or the other.
INVARIANT: `at` and `grown` give what `exposed` would.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import is_not
from typing import TYPE_CHECKING

import msgspec

from tb.engine.instant import EXACT

if TYPE_CHECKING:
    from tb.gate.account import Account, Working

ZERO = Decimal(0)
Sides = tuple[Decimal, Decimal] | None
Values = Sequence[Decimal | None]
NEITHER = (ZERO, ZERO)
_On = tuple[
    str, list[int], list[tuple[int, Decimal]]
]  # an instrument, the places of its holdings, sign and value of its orders


class Exposed(msgspec.Struct, eq=False, gc=False):
    """`held` are instruments with a position, `engaged` also those being bought or sold, each once. `sides` gives the signed
    value of the long side and of the short side of each, every working order of the side filled, and everything held against it
    closed (strategies may hold against each other, and an exit asks nobody); None where the price is not known. `values` of the
    holdings, whose `places` are those of each instrument, and the orders `underway` are what this follows from."""

    held: tuple[str, ...]
    engaged: tuple[str, ...]
    sides: dict[str, Sides]
    worst: dict[str, Decimal | None]  # the larger side's absolute value
    values: Values
    places: dict[str, list[int]]
    underway: Sequence[Working]
    orders: dict[str, tuple[Working, ...]]  # of each that is engaged

    def without(self, instrument: str) -> Decimal | None:
        """All of `worst` but one instrument's, added up; None where a price is not known."""
        total, add = ZERO, EXACT.add
        for name, value in self.worst.items():
            if name != instrument:
                if value is None:
                    return None
                total = add(total, value)
        return total

    def at(self, values: Values) -> Exposed:
        """The same holdings and orders at other values."""
        sides, worst = self.sides.copy(), self.worst.copy()
        found = Exposed(self.held, self.engaged, sides, worst, values, self.places, self.underway, self.orders)
        for name, places in self.places.items():
            for place in places:
                if values[place] is not self.values[place]:
                    found._add_up(name)
                    break
        return found

    def grown(self, underway: Sequence[Working]) -> Exposed | None:
        """With orders that came after those that are there; None where these are not all there."""
        known = len(self.underway)
        if len(underway) < known or any(map(is_not, self.underway, underway)):
            return None
        orders = dict(self.orders)
        for order in underway[known:]:
            orders[order.instrument] = (*orders.get(order.instrument, ()), order)
        sides, worst = self.sides.copy(), self.worst.copy()
        found = Exposed(self.held, tuple(orders), sides, worst, self.values, self.places, underway, orders)
        for name in {order.instrument: None for order in underway[known:]}:
            found._add_up(name)
        return found

    def _add_up(self, name: str) -> None:
        add = EXACT.add
        long = short = ZERO
        for place in self.places.get(name, ()):
            value = self.values[place]
            if value is None:
                self.sides[name] = self.worst[name] = None
                return
            if value > ZERO:
                long = add(long, value)
            else:
                short = add(short, value)
        for order in self.orders[name]:
            if order.sign > 0:
                long = add(long, order.value)
            else:
                short = EXACT.subtract(short, order.value)
        self.sides[name] = long, short
        # the short side is mostly nothing at all
        self.worst[name] = abs(long) if short is ZERO else max(abs(long), abs(short))


def exposed(account: Account) -> Exposed:
    """What the account is exposed to now."""
    places = dict[str, list[int]]()
    for at, holding in enumerate(account.holdings.values()):
        places.setdefault(holding.instrument, []).append(at)
    orders: dict[str, tuple[Working, ...]] = dict.fromkeys(places, ())
    underway = account.underway()
    for order in underway:
        orders[order.instrument] = (*orders.get(order.instrument, ()), order)
    found = Exposed(tuple(places), tuple(orders), {}, {}, account.values(), places, underway, orders)
    for name in orders:
        found._add_up(name)
    return found
