"""What an account is exposed to, worked out in one pass and kept until the account changes: each instrument's long and short
side at their worst, in the order in which instruments were opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.engine.instant import EXACT

if TYPE_CHECKING:
    from tb.gate.account import Account

ZERO = Decimal(0)
Sides = tuple[Decimal, Decimal] | None
NEITHER = (ZERO, ZERO)


@dataclass(slots=True)
class Exposed:
    """`held` are instruments with a position, `engaged` also those being bought or sold, each once. `sides` gives the signed
    value of the long side and of the short side of each, every working order of the side filled, and everything held against it
    closed (strategies may hold against each other, and an exit asks nobody); None where the price is not known."""

    changes: int
    held: tuple[str, ...] = ()
    engaged: tuple[str, ...] = ()
    sides: dict[str, Sides] = field(default_factory=dict)
    worst: dict[str, Decimal | None] = field(default_factory=dict)  # the larger side's absolute value

    def without(self, instrument: str) -> Decimal | None:
        """All of `worst` but one instrument's, added up; None where a price is not known."""
        total, add = ZERO, EXACT.add
        for name, value in self.worst.items():
            if name != instrument:
                if value is None:
                    return None
                total = add(total, value)
        return total


def exposed(account: Account, changes: int) -> Exposed:
    """What the account is exposed to now; `changes` is the state that it stands for."""
    sides: dict[str, Sides] = {}
    add, subtract, values = EXACT.add, EXACT.subtract, account.values()
    for at, holding in enumerate(account.holdings.values()):
        name, value = holding.instrument, values[at]
        before = sides.get(name, NEITHER)
        if value is None or before is None:
            sides[name] = None
        elif value > ZERO:
            sides[name] = add(before[0], value), before[1]
        else:
            sides[name] = before[0], add(before[1], value)
    held = tuple(sides)
    for order in account.underway():
        name, before = order.instrument, sides.get(order.instrument, NEITHER)
        if before is None:
            continue
        sides[name] = (
            (add(before[0], order.value), before[1]) if order.sign > 0 else (before[0], subtract(before[1], order.value))
        )
    worst = {  # the short side is mostly nothing at all
        name: None if pair is None else abs(pair[0]) if pair[1] is ZERO else max(abs(pair[0]), abs(pair[1]))
        for name, pair in sides.items()
    }
    return Exposed(changes, held, tuple(sides), sides, worst)
