"""What an account is exposed to: each instrument's long and short side at their worst, in the order in which instruments were
opened. Kept until the account changes; where prices alone changed, what they changed is worked out anew and nothing else.

INVARIANT: `renew` leaves what `exposed` would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.engine.instant import EXACT

if TYPE_CHECKING:
    from tb.gate.account import Account

ZERO = Decimal(0)
Sides = tuple[Decimal, Decimal] | None
Values = Sequence[Decimal | None]
NEITHER = (ZERO, ZERO)
_On = tuple[
    str, list[int], list[tuple[int, Decimal]]
]  # an instrument, the places of its holdings, sign and value of its orders


@dataclass(slots=True)
class Exposed:
    """`held` are instruments with a position, `engaged` also those being bought or sold, each once. `sides` gives the signed
    value of the long side and of the short side of each, every working order of the side filled, and everything held against it
    closed (strategies may hold against each other, and an exit asks nobody); None where the price is not known. `seen` are the
    values of the holdings that this follows from."""

    held: tuple[str, ...] = ()
    engaged: tuple[str, ...] = ()
    sides: dict[str, Sides] = field(default_factory=dict)
    worst: dict[str, Decimal | None] = field(default_factory=dict)  # the larger side's absolute value
    parts: tuple[_On, ...] = ()  # of those held
    seen: Values = ()

    def without(self, instrument: str) -> Decimal | None:
        """All of `worst` but one instrument's, added up; None where a price is not known."""
        total, add = ZERO, EXACT.add
        for name, value in self.worst.items():
            if name != instrument:
                if value is None:
                    return None
                total = add(total, value)
        return total

    def renew(self, values: Values) -> None:
        """The same holdings and orders at other values."""
        seen, self.seen = self.seen, tuple(values)
        for name, places, orders in self.parts:
            for place in places:
                if values[place] is not seen[place]:
                    self._place(name, [values[one] for one in places], orders)
                    break

    def _place(self, name: str, values: Values, orders: Iterable[tuple[int, Decimal]]) -> None:
        add = EXACT.add
        long = short = ZERO
        for value in values:
            if value is None:
                self.sides[name] = self.worst[name] = None
                return
            if value > ZERO:
                long = add(long, value)
            else:
                short = add(short, value)
        for sign, value in orders:
            if sign > 0:
                long = add(long, value)
            else:
                short = EXACT.subtract(short, value)
        self.sides[name] = long, short
        # the short side is mostly nothing at all
        self.worst[name] = abs(long) if short is ZERO else max(abs(long), abs(short))


def exposed(account: Account) -> Exposed:
    """What the account is exposed to now."""
    values, places = account.values(), dict[str, list[int]]()
    for at, holding in enumerate(account.holdings.values()):
        places.setdefault(holding.instrument, []).append(at)
    orders: dict[str, list[tuple[int, Decimal]]] = {name: [] for name in places}
    for order in account.underway():
        orders.setdefault(order.instrument, []).append((order.sign, order.value))
    parts = tuple((name, at, orders[name]) for name, at in places.items())
    found = Exposed(tuple(places), tuple(orders), parts=parts, seen=tuple(values))
    for name, of in orders.items():
        found._place(name, [values[at] for at in places.get(name, ())], of)
    return found
