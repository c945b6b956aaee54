"""The equity from which the loss of each day is measured that begins in a course: as `tb.runtime.days` and the account have it.

Where nothing is held it is the cash. Else it is equity at the close of the day's first step, or as last noted before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tb.core.time import DAY, day_start
from tb.replay.course import paths
from tb.replay.course.days import FLAT, HELD, LEFT
from tb.replay.course.held import bars_at, exactly
from tb.replay.course.judging import STEP
from tb.replay.course.numbers import Ints, Numbers, columns_of
from tb.replay.course.reckoning import added_up, chosen, multiplied, parts

if TYPE_CHECKING:
    from tb.replay.course.past import Past

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def references(past: Past) -> tuple[Numbers, Bools]:
    """The reference of the day in progress and of each that begins, and which of these may be written in another way: equity
    that is what it was before is not noted again."""
    days, chain = past.days, past.chain
    noted = days.place - ~_is_seen_to_end(past)  # where the equity stands that counts
    is_held = (days.when != FLAT) & (noted > past.trades[days.trade, paths.DECIDED])
    is_held &= (days.when == HELD) | (noted < past.prices.place(past.trades[days.trade, paths.CLOSED]))
    is_after = (days.when == LEFT) & (noted >= past.prices.place(past.trades[days.trade, paths.CLOSED]))
    columns = np.column_stack(parts(chosen(chain.before, days.trade)))
    columns[is_after] = np.column_stack(parts(chosen(chain.after, days.trade[is_after])))
    which = np.flatnonzero(is_held)
    if len(which):
        trades = days.trade[which]
        columns[which] = np.column_stack(
            parts(equity_at(past, trades, bars_at(past.prices, past.trades, trades, noted[which])))
        )
    first = past.account.reference
    given = np.column_stack(columns_of([first if first is not None else past.account.cash]))
    found = Numbers(*np.ascontiguousarray(np.r_[given, columns].T))
    return found, is_held & _are_near(past, days.trade, found.floats[1:], chain.before.floats[days.trade])


def equity_at(past: Past, trades: Ints, bars: Ints) -> Numbers:
    """Equity at closes of bars that trades are held over."""
    value = multiplied(chosen(past.chain.quantity, trades), exactly(past.prices.close[bars], past.ticks[trades]))
    high, low, decimals = parts(value)
    signs = past.signs[trades]
    return added_up(chosen(past.chain.held, trades), Numbers(high * signs, low * signs, decimals))


def _is_seen_to_end(past: Past) -> Bools:
    """Whether the day before was watched up to its end, which is where the day begins."""
    at = past.instants[past.days.place]
    last = past.instants[np.maximum(past.days.place - 1, 0)]
    if past.zone.key == "UTC":
        begun, before = at // DAY * DAY, (at - 1) // DAY * DAY
    else:
        begun, before = (np.array([day_start(one - less, past.zone) for one in at.tolist()], dtype=np.int64) for less in (0, 1))
    found: Bools = (at == begun) & (last > before) & (last >= at - past.period) & (past.days.place > 0)
    return found


def is_noted_already(past: Past) -> Bools:
    """Trades after which equity may be what it was noted as last: then it is not noted again, and keeps its older digits."""
    chain, closed = past.chain, past.trades[:, paths.CLOSED]
    while_held = chain.held.floats + past.signs * chain.quantity.floats * past.prices.close[np.maximum(closed - 1, 0)]
    last = np.where(closed > past.trades[:, paths.FILLED], while_held, chain.before.floats)
    return past.is_taken & _are_near(past, np.arange(len(past)), chain.after.floats, last)


def _are_near(past: Past, trades: Ints, one: Floats, other: Floats) -> Bools:
    size = np.abs(one) + np.abs(past.chain.held.floats[trades]) + np.abs(past.chain.before.floats[trades])
    found: Bools = np.abs(one - other) <= 64 * STEP * size
    return found
