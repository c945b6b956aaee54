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
    add, subtract = EXACT.add, EXACT.subtract
    for holding, value in zip(account.holdings.values(), account.values(), strict=True):
        name = holding.instrument
        before = sides.get(name, NEITHER)
        if value is None or before is None:
            sides[name] = None
            continue
        long, short = before
        sides[name] = (add(long, value), short) if value > ZERO else (long, add(short, value))
    held = tuple(sides)
    for order in account.underway():
        before = sides.setdefault(order.instrument, NEITHER)
        if before is not None:
            long, short = before
            pair = (add(long, order.value), short) if order.sign > 0 else (long, subtract(short, order.value))
            sides[order.instrument] = pair
    return Exposed(changes, held, tuple(sides), sides, {name: _worst(pair) for name, pair in sides.items()})


def _worst(pair: Sides) -> Decimal | None:
    """The larger side; the short one is mostly nothing at all."""
    if pair is None:
        return None
    long, short = pair
    return abs(long) if short is ZERO else max(abs(long), abs(short))
