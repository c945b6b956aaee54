"""Derived facts: what an order would do, from leaf facts, exactly.

Each function takes its leaves in the order of `FactSpec.needs`, all known, and returns a Decimal, or None where the question
has no answer (a reward:risk with no risk). Values are in the units of the leaves.

Worst case: all working orders on one side fill together with this order, none on the other side, and whatever is held against
this side is closed first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from tb.engine.instant import EXACT
from tb.vocabulary.facts import OF_BOOK, of_book

D = Decimal


def notional(quantity: D, price: D) -> D:
    return EXACT.multiply(quantity, price)


def risk(quantity: D, price: D, stop: D) -> D:
    return EXACT.multiply(quantity, abs(EXACT.subtract(price, stop)))


def gap_to_stop(sign: D, price: D, stop: D) -> D:
    return EXACT.multiply(sign, EXACT.subtract(price, stop))


def gap_to_target(sign: D, price: D, target: D) -> D:
    return EXACT.multiply(sign, EXACT.subtract(target, price))


def reward_risk(price: D, stop: D, target: D) -> D | None:
    distance = abs(EXACT.subtract(price, stop))
    return EXACT.divide(abs(EXACT.subtract(target, price)), distance) if distance else None


def worst_exposure(inside: D, others: D, long: D, short: D, sign: D, quantity: D, price: D) -> D:
    """Others of the scope, and this instrument's larger side, where it belongs to the scope."""
    if inside == 0:
        return others
    return EXACT.add(others, _larger_side(long, short, sign, quantity, price))


def worst_gross(others: D, long: D, short: D, sign: D, quantity: D, price: D) -> D:
    return EXACT.add(others, _larger_side(long, short, sign, quantity, price))


def worst_net(long: D, short: D, sign: D, quantity: D, price: D, share: D) -> D:
    """The order with the legs that enter together with it: `share` is their sum over its own signed value."""
    value = EXACT.multiply(EXACT.multiply(sign, EXACT.multiply(quantity, price)), share)
    if value > 0:
        long = EXACT.add(long, value)
    else:
        short = EXACT.add(short, value)
    return max(abs(long), abs(short))


def _larger_side(long: D, short: D, sign: D, quantity: D, price: D) -> D:
    value = EXACT.multiply(quantity, price)
    if sign > 0:
        long = EXACT.add(long, value)
    else:
        short = EXACT.subtract(short, value)
    return max(abs(long), abs(short))


def worst_open_positions(open_positions: D, opens: D) -> D:
    return EXACT.add(open_positions, opens)


def beyond_step(value: D, step: D) -> D | None:
    """What is left of a value above the last whole step."""
    left = EXACT.remainder(value, step) if step else None
    return left if left is not None and left.is_finite() else None


def charged(quantity: D, price: D, rate: D) -> D:
    return EXACT.multiply(EXACT.multiply(quantity, price), rate)


def twins(quantities: str, quantity: D) -> D:
    """How many of the quantities are this one."""
    return D(sum(D(one) == quantity for one in quantities.split(",") if one))


def kelly(trades: D, wins: D, gain: D, loss: D) -> D:
    """The share of capital that grows fastest: W - (1 - W) / R, of a share W of wins and a mean gain R times the mean loss.

    With no loss among the trades it is W; what gained nothing is no win.
    Source: Kelly, A New Interpretation of Information Rate, 1956, as traders write it.
    """
    won = EXACT.divide(wins, trades)
    if not wins or not gain or not loss:
        return won if wins and gain else D(-1)
    return EXACT.subtract(won, EXACT.divide(EXACT.multiply(1 - won, loss), gain))


def allocation(trades: D, needed: D, wins: D, gain: D, loss: D, fraction: D, most: D) -> D:
    """The share of equity that may be used. Before there are trades enough it is the most there ever is."""
    if trades < needed:
        return most
    return max(D(0), min(most, EXACT.multiply(fraction, kelly(trades, wins, gain, loss))))


def after_allocated(used: D, quantity: D, price: D) -> D:
    return EXACT.add(used, EXACT.multiply(quantity, price))


_ACCOUNT: Mapping[str, Callable[..., Decimal | None]] = {
    "order.notional": notional,
    "order.risk": risk,
    "order.stop_gap": gap_to_stop,
    "order.target_gap": gap_to_target,
    "reward_risk": reward_risk,
    "order.off_tick": beyond_step,
    "order.off_lot": beyond_step,
    "order.fee": charged,
    "order.margin": charged,
    "duplicates": twins,
    "allocation": allocation,
    "after.allocated": after_allocated,
    "after.exposure": worst_exposure,
    "after.gross": worst_gross,
    "after.net": worst_net,
    "after.open_positions": worst_open_positions,
}
# a book's facts are computed as the account's are, from leaves about the book
DERIVED: Mapping[str, Callable[..., Decimal | None]] = {
    **_ACCOUNT,
    **{of_book(name): function for name, function in _ACCOUNT.items() if name in OF_BOOK},
}
