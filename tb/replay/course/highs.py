"""The highest equity that an account has noted, trade after trade of a course.

Equity is noted before each trade, at each close that it is held over, and after it. Floats say where it becomes higher than
ever before; where they cannot tell, exact numbers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tb.replay.course.held import NOWHERE
from tb.replay.course.judging import STEP
from tb.replay.course.numbers import Ints, Numbers, columns_of
from tb.replay.course.reckoning import chosen, parts
from tb.replay.course.references import equity_at

if TYPE_CHECKING:
    from tb.replay.course.past import Past

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Highs:
    """`numbers` are all high-water marks there are; `holder` says which it is at each decision and after the last trade,
    `floats` what that comes to."""

    numbers: Numbers
    holder: Ints
    floats: Floats

    @classmethod
    def of(cls, past: Past) -> Highs:
        """The account has a high-water mark."""
        first = past.account.high_water
        assert first is not None
        noted = _noted(past)
        size = np.repeat(np.abs(past.chain.held.floats) + np.abs(past.chain.before.floats), 2)
        near = 64 * STEP * np.r_[abs(float(first)), size + np.where(np.isfinite(noted[1:]), np.abs(noted[1:]), 0.0)]
        before = np.maximum.accumulate(np.r_[float(first), noted])[:-1]
        is_new = noted > before + near
        is_taken = np.ones(len(noted), dtype=np.bool_)
        is_taken[1:] = np.repeat(past.is_taken, 2)
        for place in np.flatnonzero(~is_new & is_taken & (noted >= before - near)).tolist():
            earlier = np.flatnonzero(is_new[:place])[-1:]
            held = first if not len(earlier) else _exact(past, earlier).one(0)
            is_new[place] = _exact(past, np.array([place])).one(0) > held
        places = np.flatnonzero(is_new)
        count = np.cumsum(is_new)[::2]  # before each trade, and after the last
        given = np.column_stack(columns_of([first]))
        found = _exact(past, places)
        numbers = Numbers(*np.ascontiguousarray(np.r_[given, np.column_stack(parts(found))].T))
        return cls(numbers, count, numbers.floats[count])


def _noted(past: Past) -> Floats:
    """Before the first trade; of each the highest while it is held, and after it."""
    chain, bars = past.chain, past.best
    while_held = chain.held.floats + past.signs * chain.quantity.floats * past.prices.close[np.maximum(bars, 0)]
    found = np.empty(2 * len(past) + 1)
    found[0] = chain.before.floats[0]
    found[1::2], found[2::2] = np.where(bars == NOWHERE, -np.inf, while_held), chain.after.floats
    return found


def _exact(past: Past, places: Ints) -> Numbers:
    """The same, exactly, at some places."""
    trades = np.maximum(places - 1, 0) // 2
    columns = np.column_stack(parts(chosen(past.chain.after, trades)))
    columns[places == 0] = np.column_stack(parts(past.chain.before[:1]))
    which = np.flatnonzero(places % 2 == 1)
    if len(which):
        of = trades[which]
        columns[which] = np.column_stack(parts(equity_at(past, of, past.best[of])))
    return Numbers(*np.ascontiguousarray(columns.T))
