"""The money of solo trades, one after the other, with the digits, roundings and exponents of the session.

A kernel works it out in whole numbers (`tb.replay.course.money`); a trade that it is not sure of takes the very operations of
gate, venue and settling (`in_decimals`). INVARIANT: a trade is here only if its quantity is more than nothing, and its numbers
are those that `in_decimals` gives, digit for digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.instant import EXACT
from tb.gate.levels import WIDE
from tb.replay.course import money, paths
from tb.replay.course.numbers import Numbers, columns_of, step
from tb.replay.course.sizes import Sizes
from tb.replay.course.terms import Terms

Ints = NDArray[np.int64]
ZERO = Decimal(0)
STEPS = [step(decimals) for decimals in range(20)]
FEW = 4  # trades in decimals before the kernel is asked again, then twice as many


@dataclass(slots=True)
class Chain:
    """What each trade came to, in columns. `before` is the cash, and so the equity, at its decision."""

    before: Numbers
    intended: Numbers
    quantity: Numbers
    price: Numbers  # expected at the decision
    stop: Numbers  # None where there is none
    target: Numbers
    paid: Numbers
    held_stop: Numbers
    held_target: Numbers
    cost: Numbers  # fee of the entry
    held: Numbers  # cash while it is held
    got: Numbers
    charge: Numbers  # fee of the exit
    after: Numbers

    def __len__(self) -> int:
        return len(self.after)

    def part(self, begin: int, end: int) -> Chain:
        return Chain(*(getattr(self, name)[begin:end] for name in self.__slots__))

    def at(self, which: Ints) -> Chain:
        """Those of some trades."""
        return Chain(*(getattr(self, name).at(which) for name in self.__slots__))

    @classmethod
    def joined(cls, parts: Sequence[Chain]) -> Chain:
        """Those of one after the other."""
        return cls(*(Numbers.joined([getattr(one, name) for one in parts]) for name in cls.__slots__))

    def leave_out(self, k: int) -> None:
        """An order is not approved after all: it moves no cash."""
        for name in ("held", "after"):
            getattr(self, name).take_over(k, self.before)

    def cut(self, count: int) -> None:
        """Leaves the first trades alone."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name)[:count])


def chain(cash: Decimal, listed: Sequence[Terms], way: Ints, sizes: Sizes, trades: Ints) -> Chain:
    """Trades from a cash on, as `paths.walk` wrote them. The terms of trade k are `listed[way[k]]`. Ends before the first trade
    that has no size."""
    found, first = np.empty((len(trades), money.WIDTH), dtype=np.int64), columns_of([cash])
    count = _reckoned(found, cash, listed, way, sizes, trades)
    found, trades = found[:count], trades[:count]
    columns = zip(first, _columns(found, money.AFTER), strict=True)
    high, low, decimals = (np.concatenate((one, column))[:count] for one, column in columns)
    return Chain(
        before=Numbers(high, low, decimals),
        intended=_numbers(found, money.INTENDED),
        quantity=_numbers(found, money.QUANTITY),
        price=prices(trades, paths.PRICE),
        stop=prices(trades, paths.STOP),
        target=prices(trades, paths.TARGET),
        paid=prices(trades, paths.PAID),
        held_stop=prices(trades, paths.HELD_STOP),
        held_target=prices(trades, paths.HELD_TARGET),
        cost=_numbers(found, money.COST),
        held=_numbers(found, money.HELD),
        got=prices(trades, paths.GOT),
        charge=_numbers(found, money.CHARGE),
        after=_numbers(found, money.AFTER),
    )


def _columns(found: Ints, which: int) -> tuple[Ints, Ints, Ints]:
    return found[:, which], found[:, which + 1], found[:, which + 2]


def _numbers(found: Ints, which: int) -> Numbers:
    return Numbers(*_columns(found, which))


def prices(trades: Ints, which: int) -> Numbers:
    """A price of each trade."""
    return Numbers(None, trades[:, which], trades[:, which + paths.WRITTEN], is_price=True)


def _reckoned(found: Ints, cash: Decimal, listed: Sequence[Terms], way: Ints, sizes: Sizes, trades: Ints) -> int:
    """Writes the money of the trades, and returns of how many."""
    at, some = 0, FEW
    terms = np.array([one.money for one in listed], dtype=np.int64)
    while at < len(trades):
        high, low, decimals = (int(column[0]) for column in columns_of([cash]))
        at, ended = money.reckon(at, high, low, decimals, way, sizes.shares, sizes.decimals, terms, trades, found)
        if ended != money.UNSURE:
            break
        if at:
            cash = _numbers(found, money.AFTER).one(at - 1)
        last = min(at + some, len(trades))
        rows = in_decimals(cash, [listed[one] for one in way[at:last].tolist()], sizes.listed(at, last), trades[at:last])
        for row in rows:
            found[at] = np.stack(columns_of(row[1:]), axis=1).ravel()
            at, cash = at + 1, row[-1]
        if at < last:
            break
        some *= 2
    return at


def in_decimals(
    cash: Decimal, of: Sequence[Terms], shares: Sequence[tuple[Decimal, bool] | None], trades: Ints
) -> list[tuple[Decimal, ...]]:
    """The same in Decimals. Of each trade: cash before it, intended, quantity, fee of the entry, cash while it is held, fee of
    the exit, cash after it."""
    expected_, stop, paid, got = (prices(trades, which).listed for which in (paths.PRICE, paths.STOP, paths.PAID, paths.GOT))
    found: list[tuple[Decimal, ...]] = []
    multiply, subtract, add = EXACT.multiply, EXACT.subtract, EXACT.add
    is_taken = (trades[:, paths.CLOSED] >= trades[:, paths.FILLED]).tolist()
    for terms, size, expected, level, bought, sold, takes in zip(of, shares, expected_, stop, paid, got, is_taken, strict=True):
        if size is None or expected is None or bought is None or sold is None:
            break
        money_, lot, fee = multiply(size[0], cash), terms.spec.lot, terms.venue.fee
        if size[1]:
            distance = abs(subtract(expected, level)) if level is not None else ZERO
            if not distance:
                break
            money_ = multiply(EXACT.divide(money_, distance), expected)
        quantity = multiply(WIDE.divide(WIDE.divide(money_, expected), lot).to_integral_value(ROUND_FLOOR), lot)
        if not quantity > 0:
            break
        if not takes:
            found.append((cash, money_, quantity, ZERO, cash, ZERO, cash))
            continue
        value, worth = multiply(quantity, bought), multiply(quantity, sold)
        cost, charge = multiply(value, fee), multiply(worth, fee)
        if terms.sign > 0:
            held = subtract(subtract(cash, value), cost)
            after = subtract(add(held, worth), charge)
        else:
            held = subtract(add(cash, value), cost)
            after = subtract(subtract(held, worth), charge)
        found.append((cash, money_, quantity, cost, held, charge, after))
        cash = after
    return found
