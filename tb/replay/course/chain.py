"""The money of solo trades, one after the other, by the very operations of gate, venue and settling.

Prices come as whole numbers; what becomes of them is Decimal, so that digits, roundings and exponents are those of stepping.
INVARIANT: a trade is here only if its quantity is more than nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb.engine.instant import EXACT
from tb.gate.levels import WIDE
from tb.replay.course.terms import Terms

ZERO = Decimal(0)
PRICES = 7  # of a trade
STEPS = [Decimal((0, (1,), -decimals)) for decimals in range(20)]


@dataclass(slots=True)
class Chain:
    """What each trade came to, in columns. `before` is the cash, and so the equity, at its decision."""

    before: list[Any]
    intended: list[Any]
    quantity: list[Any]
    price: list[Any]  # expected at the decision
    stop: list[Any]  # None where there is none
    target: list[Any]
    paid: list[Any]
    held_stop: list[Any]
    held_target: list[Any]
    cost: list[Any]  # fee of the entry
    held: list[Any]  # cash while it is held
    got: list[Any]
    charge: list[Any]  # fee of the exit
    after: list[Any]

    def cut(self, count: int) -> None:
        """Leaves the first trades alone."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name)[:count])


Size = tuple[Decimal, bool] | None  # the share, and whether it is one of risk; None where it is not known


def chain(cash: Decimal, of: Sequence[Terms], shares: Sequence[Size], prices: NDArray[np.int64]) -> Chain:
    """Trades from a cash on. `of` and `shares` are the terms and the size of each; `prices` by row: expected, stop, target,
    paid, stop and target as held, got; then the decimals of each. Ends before the first trade that has no size."""
    price, stop, target, paid, held_stop, held_target, got = (
        _prices(counts, decimals) for counts, decimals in zip(prices[:PRICES].tolist(), prices[PRICES:].tolist(), strict=True)
    )
    # a list for each column: a row for each trade would be one more thing for the garbage collector to walk through
    before, intended, sizes, costs, holding, charges, afterwards = (list[Decimal]() for _ in range(7))
    multiply, subtract, add = EXACT.multiply, EXACT.subtract, EXACT.add
    for terms, size, expected, level, bought, sold in zip(of, shares, price, stop, paid, got, strict=True):
        if size is None or expected is None or bought is None or sold is None:
            break
        money, lot, fee = multiply(size[0], cash), terms.spec.lot, terms.venue.fee
        if size[1]:
            distance = abs(subtract(expected, level)) if level is not None else ZERO
            if not distance:
                break
            money = multiply(EXACT.divide(money, distance), expected)
        quantity = multiply(WIDE.divide(WIDE.divide(money, expected), lot).to_integral_value(ROUND_FLOOR), lot)
        if not quantity > 0:
            break
        value, worth = multiply(quantity, bought), multiply(quantity, sold)
        cost, charge = multiply(value, fee), multiply(worth, fee)
        if terms.sign > 0:
            held = subtract(subtract(cash, value), cost)
            after = subtract(add(held, worth), charge)
        else:
            held = subtract(add(cash, value), cost)
            after = subtract(subtract(held, worth), charge)
        before.append(cash)
        intended.append(money)
        sizes.append(quantity)
        costs.append(cost)
        holding.append(held)
        charges.append(charge)
        afterwards.append(after)
        cash = after
    count = len(before)
    price, stop, target, paid, held_stop, held_target, got = (
        one[:count] for one in (price, stop, target, paid, held_stop, held_target, got)
    )
    return Chain(
        before,
        intended,
        sizes,
        price,
        stop,
        target,
        paid,
        held_stop,
        held_target,
        costs,
        holding,
        got,
        charges,
        afterwards,
    )


def _prices(counts: Sequence[int], decimals: Sequence[int]) -> list[Decimal | None]:
    """Prices from whole numbers of so many decimals; nothing for 0."""
    if not any(counts):
        return [None] * len(counts)
    found: list[Decimal | None] = list(map(EXACT.multiply, map(Decimal, counts), map(STEPS.__getitem__, decimals)))
    return found if all(counts) else [price or None for price in found]
