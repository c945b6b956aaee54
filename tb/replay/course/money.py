"""The money of solo trades in whole numbers, exactly: what `tb.replay.course.chain.in_decimals` does, compiled.

Every number has as many decimals as the session's would have. INVARIANT: where an operation of the session could round, or
would write its result in another way (a quantity that comes out even), it ends before that trade (`UNSURE`). An order that is
refused moves nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.replay.course.paths import CLOSED, FILLED, GOT, PAID, PRICE, WRITTEN
from tb.replay.course.wide import (
    DIGITS,
    FITS,
    NONE,
    added,
    amount,
    cut,
    divided,
    is_negative,
    near,
    product,
    scaled,
    taken,
    times,
)
from tb.vocabulary.kernels.compiled import compiled, part

# what a number of each trade is: three columns of `money` each, both parts and the decimals
INTENDED, QUANTITY, COST, HELD, CHARGE, AFTER = range(0, 18, 3)
WIDTH = 18
# columns of `terms`, the whole numbers that an entry's money is reckoned with
SIGN, LOT, LOT_DECIMALS, FEE, FEE_DECIMALS = range(5)
TERMS = 5
UNKNOWN, OTHERWISE = -1, -2  # as a share: that there is none, and that it is not one of equity
DONE, OVER, UNSURE = range(3)
MOST_DECIMALS = 38
FLOATS = np.array([float(10**power) for power in range(MOST_DECIMALS + 1)])


@part
def _write(row: Any, at: int, high: Any, low: Any, decimals: int) -> None:
    row[at], row[at + 1] = cut(high, low)
    row[at + 2] = decimals


@part
def _multiplied(high: Any, low: Any, by: Any) -> Any:
    """A product and whether it has at most 28 digits; of amounts."""
    is_exact = near(high, low) * np.float64(by) < DIGITS
    high, low = times(high, low, by)
    return high, low, is_exact


@part
def _whole_lots(high: Any, low: Any, decimals: int, price: Any, written: int, lot: Any, lot_decimals: int) -> Any:
    """How many lots an amount of money buys, and whether that is certain."""
    by, by_low = product(price, lot)
    power = decimals - written - lot_decimals
    if abs(power) > MOST_DECIMALS:
        return NONE, False
    if power >= 0:
        if near(by, by_low) * FLOATS[power] > FITS:
            return NONE, False
        by, by_low = scaled(by, by_low, power)
    else:
        if near(high, low) * FLOATS[-power] > FITS:
            return NONE, False
        high, low = scaled(high, low, -power)
    if near(high, low) / near(by, by_low) > 4e18:
        return NONE, False
    return divided(high, low, by, by_low)


@part
def _moved(high: Any, low: Any, decimals: int, by: Any, by_low: Any, by_decimals: int, up: bool) -> Any:
    """Cash after an amount was added or taken: with its decimals, and whether the session would have rounded nothing."""
    most = max(decimals, by_decimals)
    if most > MOST_DECIMALS or min(decimals, by_decimals) < 0:
        return high, low, most, False
    upper, lower = amount(high, low)
    if near(upper, lower) * FLOATS[most - decimals] + near(by, by_low) * FLOATS[most - by_decimals] > DIGITS:
        return high, low, most, False
    high, low = scaled(high, low, most - decimals)
    by, by_low = scaled(by, by_low, most - by_decimals)
    high, low = added(high, low, by, by_low) if up else taken(high, low, by, by_low)
    return high, low, most, True


@part
def _booked(term: Any, price: int, decimals: int, written: int, quantity: Any) -> Any:
    """The value of a quantity at a price, and the fee on it: words and decimals of both, and whether all of it is exact."""
    value, lower, is_exact = _multiplied(NONE, quantity, np.uint64(price))
    fee, fee_lower, is_fee_exact = _multiplied(value, lower, np.uint64(term[FEE]))
    decimals += written
    return value, lower, decimals, fee, fee_lower, decimals + term[FEE_DECIMALS], is_exact and is_fee_exact


@part
def _traded(term: Any, trade: Any, share: int, share_decimals: int, high: Any, low: Any, decimals: int, row: Any) -> Any:
    """One trade from a cash on: the cash after it, and how it ended."""
    if is_negative(high) or (high | low) == NONE or share == 0 or trade[PRICE] <= 0 or trade[PAID] <= 0 or trade[GOT] <= 0:
        return high, low, decimals, OVER
    money, lower, is_exact = _multiplied(high, low, np.uint64(share))
    if not is_exact or decimals + share_decimals > MOST_DECIMALS:
        return high, low, decimals, UNSURE
    _write(row, INTENDED, money, lower, decimals + share_decimals)
    price, lot = np.uint64(trade[PRICE]), np.uint64(term[LOT])
    lots, is_sure = _whole_lots(money, lower, decimals + share_decimals, price, trade[PRICE + WRITTEN], lot, term[LOT_DECIMALS])
    if not is_sure:
        return high, low, decimals, UNSURE
    if lots == NONE:
        return high, low, decimals, OVER
    if np.float64(lots) * np.float64(lot) > 4e18:
        return high, low, decimals, UNSURE
    quantity = lots * lot
    _write(row, QUANTITY, NONE, quantity, term[LOT_DECIMALS])
    if trade[CLOSED] < trade[FILLED]:
        _write(row, COST, NONE, NONE, 0)
        _write(row, CHARGE, NONE, NONE, 0)
        _write(row, HELD, high, low, decimals)
        _write(row, AFTER, high, low, decimals)
        return high, low, decimals, DONE
    is_long = term[SIGN] > 0
    for price_at, cost_at, cash_at in ((PAID, COST, HELD), (GOT, CHARGE, AFTER)):
        value, lower, written, fee, fee_lower, fee_written, is_exact = _booked(
            term, trade[price_at], trade[price_at + WRITTEN], term[LOT_DECIMALS], quantity
        )
        if not is_exact:
            return high, low, decimals, UNSURE
        high, low, decimals, is_sure = _moved(high, low, decimals, value, lower, written, is_long == (cash_at == AFTER))
        if is_sure:
            high, low, decimals, is_sure = _moved(high, low, decimals, fee, fee_lower, fee_written, False)
        if not is_sure:
            return high, low, decimals, UNSURE
        _write(row, cost_at, fee, fee_lower, fee_written)
        _write(row, cash_at, high, low, decimals)
    return high, low, decimals, DONE


@compiled
def reckon(
    begin: int,
    above: int,
    below: int,
    decimals: int,
    way: Any,
    shares: Any,
    share_decimals: Any,
    terms: Any,
    trades: Any,
    money: Any,
) -> Any:
    """Works out trades from the number `begin` on, and returns at which it ended and why: `DONE` with all of them, `OVER`
    where a trade has no size, `UNSURE` where the session has to be asked. Cash is given as in `Numbers`; the terms of trade k
    are in row way[k] of `terms`."""
    sign = above < 0 or below < 0
    high, low = scaled(NONE, np.uint64(abs(above)), 18)
    high, low = added(high, low, NONE, np.uint64(abs(below)))
    if sign:
        high, low = taken(NONE, NONE, high, low)
    for k in range(begin, trades.shape[0]):
        term, share = terms[way[k]], shares[k]
        if share == UNKNOWN:
            return k, OVER
        if share == OTHERWISE or decimals < 0 or term[LOT] == 0:
            return k, UNSURE
        high, low, decimals, ended = _traded(term, trades[k], share, share_decimals[k], high, low, decimals, money[k])
        if ended != DONE:
            return k, ended
    return trades.shape[0], DONE
