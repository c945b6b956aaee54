"""The money of solo trades, one after the other, by the very operations of gate, venue and settling.

Prices come as whole numbers; what becomes of them is Decimal, so that digits, roundings and exponents are those of stepping.
INVARIANT: a trade is here only if its quantity is more than nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

from tb.engine.instant import EXACT
from tb.gate.levels import WIDE
from tb.replay.course.terms import Terms

ZERO = Decimal(0)
PRICES = 7  # of a trade
STEPS = [Decimal((0, (1,), -decimals)) for decimals in range(20)]


@dataclass(slots=True)
class Chain:
    """What each trade came to, in columns. `before` is the cash, and so the equity, at its decision."""

    before: list[Decimal] = field(default_factory=list)
    intended: list[Decimal] = field(default_factory=list)
    quantity: list[Decimal] = field(default_factory=list)
    price: list[Decimal] = field(default_factory=list)  # expected at the decision
    stop: list[Decimal | None] = field(default_factory=list)
    target: list[Decimal | None] = field(default_factory=list)
    paid: list[Decimal] = field(default_factory=list)
    held_stop: list[Decimal | None] = field(default_factory=list)
    held_target: list[Decimal | None] = field(default_factory=list)
    cost: list[Decimal] = field(default_factory=list)  # fee of the entry
    held: list[Decimal] = field(default_factory=list)  # cash while it is held
    got: list[Decimal] = field(default_factory=list)
    charge: list[Decimal] = field(default_factory=list)  # fee of the exit
    after: list[Decimal] = field(default_factory=list)

    def cut(self, count: int) -> None:
        """Leaves the first trades alone."""
        for name in self.__slots__:
            del getattr(self, name)[count:]


Size = tuple[Decimal, bool] | None  # the share, and whether it is one of risk; None where it is not known


def chain(cash: Decimal, of: Sequence[Terms], shares: Sequence[Size], rows: Sequence[Sequence[int]]) -> Chain:
    """Trades from a cash on. `of` and `shares` are the terms and the size of each, `rows` its prices: expected, stop, target,
    paid, stop and target as held, got; then the decimals of each. Ends before the first trade that has no size."""
    found = Chain()
    multiply, subtract = EXACT.multiply, EXACT.subtract
    one = found
    for terms, size, row in zip(of, shares, rows, strict=True):
        if size is None:
            break
        sign, (price, stop, target, paid, held_stop, held_target, got) = (
            terms.sign,
            [
                multiply(Decimal(count), STEPS[decimals]) if count else None
                for count, decimals in zip(row[:PRICES], row[PRICES:], strict=True)
            ],
        )
        assert price is not None
        assert paid is not None
        assert got is not None
        share, risking = size
        money = multiply(share, cash)
        if risking:
            distance = abs(subtract(price, stop)) if stop is not None else ZERO
            if not distance:
                break
            money = multiply(EXACT.divide(money, distance), price)
        count = WIDE.divide(max(WIDE.divide(money, price), ZERO), terms.spec.lot).to_integral_value(ROUND_FLOOR)
        quantity = multiply(count, terms.spec.lot)
        if not quantity > 0:
            break
        signed, fee = sign * quantity, terms.venue.fee
        cost, charge = multiply(multiply(quantity, paid), fee), multiply(multiply(quantity, got), fee)
        held = subtract(subtract(cash, multiply(signed, paid)), cost)
        after = subtract(subtract(held, multiply(-sign * quantity, got)), charge)
        one.before.append(cash)
        one.intended.append(money)
        one.quantity.append(quantity)
        one.price.append(price)
        one.stop.append(stop)
        one.target.append(target)
        one.paid.append(paid)
        one.held_stop.append(held_stop)
        one.held_target.append(held_target)
        one.cost.append(cost)
        one.held.append(held)
        one.got.append(got)
        one.charge.append(charge)
        one.after.append(after)
        cash = after
    return found
