"""Which trades of a course leave every watched constraint alone: at their decision, at each close that they are held over, at
their exit, and at what is stepped after it until the next is decided.

A fact is anything between the least and the most that it comes to over that time. INVARIANT: of a trade that is said to be calm
no watched constraint fails at any of these instants; what is unknown there breaks none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.engine.plan import PolicyPlan
from tb.replay.course.facts import COUNTED, IN_A_ROW, TODAY, Fact, fact_of
from tb.replay.course.held import NOWHERE
from tb.replay.course.judging import STEP, Bools, Column, Judging, Number
from tb.replay.course.past import Past

Floats = NDArray[np.float64]


def calm(graph: RuleGraph, watched: PolicyPlan, judging: Judging, past: Past, now: int | None) -> Bools:
    """For each trade whether it is. `judging` has the watched constraints, all leaves moving. `now` is the first instant that
    is stepped before the first trade although nothing is held; None where none is."""
    ranges = Ranges(past, now)
    leaves: dict[int, Column] = {}
    for leaf in watched.leaves:
        fact = fact_of(graph, leaf)
        leaves[leaf] = None if fact is None else ranges.of(fact)
    return judging.passes(leaves, len(past))


@dataclass(eq=False)
class Ranges:
    """What facts come to from each decision until the next one, the instants before the first included from `now` on."""

    past: Past
    now: int | None

    def of(self, fact: Fact) -> Column:
        name, window = fact
        if name in COUNTED:
            return self._count(name, window)
        if name in IN_A_ROW:
            return self._in_a_row(name)
        return _OTHERS[name](self)

    def _count(self, name: str, window: str) -> Number:
        """At most what it is once the order counts: until the next one it can only fall."""
        most = (self.past.counts(name, window) + (name != "proposals")).astype(np.float64)
        if self.now is not None:
            account = self.past.account
            first = account.day_starts if window == TODAY else self.now - int(window) + 1
            most[0] = max(most[0], len(account.since(name, first)))
        return Number.counted(np.zeros(len(most)), most)

    def _in_a_row(self, name: str) -> Number:
        streak = self.past.losses if name.endswith(("losses_in_a_row", "loss")) else self.past.stops
        before, after = streak.count[:-1], streak.count[1:]
        if name.endswith("in_a_row"):
            return Number.counted(np.minimum(before, after).astype(np.float64), np.maximum(before, after).astype(np.float64))
        at, last = self.past.decided, streak.last[:-1]
        first = at.copy()
        if self.now is not None:
            first[0] = self.now
        missing, is_one = last < 0, after > 0
        least = np.where(is_one | missing, 0, first - last)
        most = np.where(missing, 0, np.r_[at[1:], self.past.instants[self.past.out[-1]]] - last)
        found = Number.counted(least.astype(np.float64), np.maximum(least, most).astype(np.float64))
        return Number(found.value, np.where(missing, np.inf, found.error), missing, sharp=True)

    # --- equity ------------------------------------------------------------------------------------------------------

    @cached_property
    def span(self) -> tuple[Floats, Floats, Floats]:
        """The least and the most that equity comes to, and how far these may be from it."""
        past, chain = self.past, self.past.chain
        before, after, held = chain.before.floats, chain.after.floats, chain.held.floats
        least, most, size = np.minimum(before, after), np.maximum(before, after), np.abs(before) + np.abs(held)
        for bars in past.extremes:
            value = chain.quantity.floats * past.prices.close[np.maximum(bars, 0)]
            size = np.maximum(size, np.abs(before) + np.abs(held) + value)
            equity = np.where(bars == NOWHERE, before, held + past.signs * value)
            least, most = np.minimum(least, equity), np.maximum(most, equity)
        return least, most, 8 * STEP * size

    def equity(self) -> Number:
        least, most, error = self.span
        return Number.within(least - error, most + error)

    def cash(self) -> Number:
        chain = self.past.chain
        found = np.stack([chain.before.floats, chain.held.floats, chain.after.floats])
        return Number.within(found.min(axis=0), found.max(axis=0))

    def gross(self) -> Number:
        bars = self.past.extremes[1]
        value = self.past.chain.quantity.floats * self.past.prices.close[np.maximum(bars, 0)]
        return Number.within(np.zeros(len(value)), np.where(bars == NOWHERE, 0.0, value) * (1 + 4 * STEP))

    def open_positions(self) -> Number:
        return Number.counted(np.zeros(len(self.past)), np.ones(len(self.past)))

    @cached_property
    def reference(self) -> tuple[Floats, Floats]:
        """The least and the most that the loss of the day is measured from: what it was at the decision, or where a day begins
        before the next one anything that equity was."""
        past, (least, most, error) = self.past, self.span
        begins = np.r_[past.event[1:], len(past.days)] != past.event
        low, high = (
            np.where(begins, fold(past.reference, of), past.reference) for fold, of in ((np.minimum, least), (np.maximum, most))
        )
        given = past.account.reference
        if self.now is not None and given is not None:
            low[0], high[0] = min(low[0], float(given)), max(high[0], float(given))
        return low - error, high + error

    def day_start(self) -> Number:
        return Number.within(*self.reference)

    def loss(self) -> Number:
        least, _, error = self.span
        return Number.within(np.zeros(len(least)), np.maximum(self.reference[1] - least + error, 0.0))

    def drawdown(self) -> Number:
        """The highest may come after the lowest: more than it ever is."""
        least, most, error = self.span
        high = self.past.highs.floats[:-1]
        falls = [(one - (least - error)) / one for one in (high, np.maximum(high, most + error))]
        return Number.within(np.zeros(len(least)), np.maximum(np.maximum(*falls), 0.0) + 16 * STEP)


_OTHERS: Mapping[str, Callable[[Ranges], Number]] = {
    "equity": Ranges.equity,
    "cash": Ranges.cash,
    "gross": Ranges.gross,
    "open_positions": Ranges.open_positions,
    "equity at day_start": Ranges.day_start,
    "loss": Ranges.loss,
    "drawdown": Ranges.drawdown,
}
