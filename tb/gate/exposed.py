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


def exposed(account: Account, changes: int) -> Exposed:
    """What the account is exposed to now; `changes` is the state that it stands for."""
    sides: dict[str, Sides] = {}
    for holding in account.holdings.values():
        mark, before = account.marks.get(holding.instrument), sides.get(holding.instrument, (ZERO, ZERO))
        if mark is None or before is None:
            sides[holding.instrument] = None
            continue
        value = EXACT.multiply(holding.quantity, mark)
        sides[holding.instrument] = (
            (EXACT.add(before[0], value), before[1]) if value > 0 else (before[0], EXACT.add(before[1], value))
        )
    held = tuple(sides)
    for order in account.underway():
        before = sides.setdefault(order.instrument, (ZERO, ZERO))
        if before is not None:
            notional = order.value
            longer, shorter = EXACT.add(before[0], notional), EXACT.subtract(before[1], notional)
            sides[order.instrument] = (longer if order.sign > 0 else before[0], shorter if order.sign < 0 else before[1])
    worst = {name: None if pair is None else max(abs(pair[0]), abs(pair[1])) for name, pair in sides.items()}
    return Exposed(changes, held, tuple(sides), sides, worst)
