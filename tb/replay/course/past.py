"""What constraints read of an account's past, at the decision of each trade of a course: it follows from the trades before it.

1. Counts of orders, and what was lost in a row, are whole numbers: exact.
2. Equity where the day began is that of a cash or of a close, exactly (`tb.replay.course.references`), and so is the
   high-water mark (`tb.replay.course.highs`).
3. `number` gives a fact in floats with their errors, `exactly` as the account has it, digit for digit.

INVARIANT: what is said of an order depends on the orders before it alone, each approved, or refused and nothing but proposed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tb.core.time import DAY, day_start
from tb.engine.instant import EXACT, Exact
from tb.gate.account import Account
from tb.replay.course import paths
from tb.replay.course.before import Before
from tb.replay.course.chain import Chain
from tb.replay.course.days import Days
from tb.replay.course.facts import COUNTED, IN_A_ROW, OF_EQUITY, TODAY, Fact
from tb.replay.course.held import extremes
from tb.replay.course.highs import Highs
from tb.replay.course.judging import STEP, Number
from tb.replay.course.numbers import Ints, Numbers
from tb.replay.course.passage import Prices, taken_of
from tb.replay.course.reckoning import chosen, difference, parts, quotient
from tb.replay.course.references import is_noted_already, references

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Streak:
    """Trades of a kind in a row, before each trade and after the last; `last` is when one of them last was, -1 before any."""

    count: Ints
    last: Ints


@dataclass(eq=False)
class Past:
    """Of all trades of a course, from an account that holds nothing on. `signs` are 1 or -1 and `ticks` the decimals of each
    one's tick; `seen` is the last place before each decision that is stepped although nothing is held (`days.seen_until`);
    `period` and `zone` are the account's."""

    account: Before
    instants: Ints
    prices: Prices
    trades: Ints
    chain: Chain
    leaving: Ints
    seen: Ints
    days: Days
    signs: Ints
    ticks: Ints
    period: int
    zone: ZoneInfo
    _kept: dict[Fact, Numbers | Sequence[Exact]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trades)

    @cached_property
    def decided(self) -> Ints:
        found: Ints = self.instants[self.trades[:, paths.DECIDED]]
        return found

    @cached_property
    def out(self) -> Ints:
        """The place of the close of each exit's bar."""
        return self.prices.place(self.trades[:, paths.CLOSED])

    # --- counts ------------------------------------------------------------------------------------------------------

    @cached_property
    def is_taken(self) -> Bools:
        """Which orders are approved."""
        return taken_of(self.trades)

    def counts(self, name: str, window: str) -> Ints:
        """How many there are in the window before each trade; an order that is judged has been proposed."""
        since = self.starts[self.event] if window == TODAY else self.decided - int(window) + 1
        tail = np.array(self.account.since(name, int(since[0])), dtype=np.int64)
        if name == "proposals":
            everyone: Ints = len(tail) + np.arange(1, len(self) + 1) - np.r_[tail, self.decided].searchsorted(since)
            return everyone
        before: Ints = np.cumsum(self.is_taken) - self.is_taken
        found: Ints = len(tail) + before - np.r_[tail, self.decided[self.is_taken]].searchsorted(since)
        return found

    # --- days --------------------------------------------------------------------------------------------------------

    @cached_property
    def event(self) -> Ints:
        """How many days have begun by each decision."""
        found: Ints = self.days.place.searchsorted(self.trades[:, paths.DECIDED], side="right")
        return found

    @cached_property
    def starts(self) -> Ints:
        """When each day began, the one in progress first."""
        at: Ints = self.instants[self.days.place]
        begun = at // DAY * DAY if self.zone.key == "UTC" else [day_start(one, self.zone) for one in at.tolist()]
        found: Ints = np.r_[self.account.day_starts, np.asarray(begun, dtype=np.int64)]
        return found

    @cached_property
    def _references(self) -> tuple[Numbers, Bools]:
        return references(self)

    @property
    def references(self) -> Numbers:
        """The equity that each day's loss is measured from, the one in progress first."""
        return self._references[0]

    @cached_property
    def doubtful(self) -> Bools:
        """Trades that leave equity as it was noted last, maybe written in another way, or at which a day begins from such."""
        found = is_noted_already(self)
        found[self.days.trade[self._references[1]]] = True
        return found

    # --- equity ------------------------------------------------------------------------------------------------------

    @cached_property
    def extremes(self) -> tuple[Ints, Ints]:
        """The bars of the lowest and of the highest close that each trade is held over."""
        return extremes(self.trades, self.prices)

    @property
    def best(self) -> Ints:
        """The bar at whose close each trade is worth most."""
        low, high = self.extremes
        return np.where(self.signs > 0, high, low)

    @cached_property
    def highs(self) -> Highs:
        return Highs.of(self)

    @cached_property
    def reference(self) -> Floats:
        """At each decision, in floats."""
        found: Floats = self.references.floats[self.event]
        return found

    def _loss(self) -> Numbers:
        lost = difference(chosen(self.references, self.event), self.chain.before)
        return _where(np.signbit(lost.floats) | (lost.floats == 0.0), lost)

    def _drawdown(self) -> Numbers:
        high = chosen(self.highs.numbers, self.highs.holder[: len(self)])
        lost = difference(high, self.chain.before)
        return _where(lost.floats <= 0.0, quotient(lost, high))

    # --- trades in a row ---------------------------------------------------------------------------------------------

    @cached_property
    def lost(self) -> Bools:
        """Whether each trade closed at a loss. Where floats cannot tell, its fees decide, exactly."""
        chain, before, after = self.chain, self.chain.before.floats, self.chain.after.floats
        size = np.abs(before) + np.abs(after) + chain.quantity.floats * (chain.paid.floats + chain.got.floats)
        found = self.is_taken & (after < before)
        for k in np.flatnonzero(self.is_taken & (np.abs(after - before) <= 16 * STEP * size)).tolist():
            found[k] = profit_at(chain, int(self.signs[k]), k) < 0
        return found

    @cached_property
    def losses(self) -> Streak:
        account = self.account
        return self._streak(self.lost, account.losses, account.last_loss)

    @cached_property
    def stops(self) -> Streak:
        account = self.account
        return self._streak(self.trades[:, paths.BY_STOP] != 0, account.stops, account.last_stop)

    def _streak(self, is_one: Bools, count: int, last: int | None) -> Streak:
        number = np.arange(1, len(self) + 1)
        ended = np.r_[0, np.maximum.accumulate(np.where(is_one | ~self.is_taken, 0, number))]
        ones = np.r_[0, np.cumsum(is_one)]
        found = ones - ones[ended] + np.where(ended == 0, count, 0)
        before = np.r_[0, np.maximum.accumulate(np.where(is_one, number, 0))]
        times = np.r_[-1 if last is None else last, self.leaving]
        return Streak(found, times[before])

    def _since(self, streak: Streak) -> Ints:
        """-1 where there was none."""
        last = streak.last[: len(self)]
        return np.where(last < 0, -1, self.decided - last)

    # --- facts -------------------------------------------------------------------------------------------------------

    def number(self, fact: Fact) -> Number:
        """A fact at each decision in floats."""
        name, window = fact
        none = np.zeros(len(self))
        if name in COUNTED:
            return Number(self.counts(name, window).astype(np.float64), none)
        if name in IN_A_ROW:
            streak = self._streak_of(name)
            if name.endswith("in_a_row"):
                return Number(streak.count[: len(self)].astype(np.float64), none)
            since = self._since(streak)
            missing = since < 0
            return Number(np.where(missing, 0.0, since), np.where(missing, np.inf, 0.0), missing)
        before = self.chain.before.floats
        if name == "drawdown":
            return drawdown_of(self.highs.floats[: len(self)], before)
        if name == "loss":
            reference = self.reference
            return Number(np.maximum(reference - before, 0.0), 3 * STEP * (np.abs(reference) + np.abs(before)))
        return Number.of(self.reference)

    def exactly(self, fact: Fact) -> Numbers | Sequence[Exact]:
        """The same as the account has it."""
        if fact not in self._kept:
            self._kept[fact] = self._exactly(*fact)
        return self._kept[fact]

    def one(self, fact: Fact, k: int) -> Exact:
        """The same of one trade."""
        name, _ = fact
        if name.startswith("since_last"):
            since = int(self._since(self._streak_of(name))[k])
            return None if since < 0 else Decimal(since)
        found = self.exactly(fact)
        return found.one(k) if isinstance(found, Numbers) else found[k]

    def _streak_of(self, name: str) -> Streak:
        return self.losses if name.endswith(("losses_in_a_row", "loss")) else self.stops

    def _exactly(self, name: str, window: str) -> Numbers | Sequence[Exact]:
        if name in COUNTED:
            return whole(self.counts(name, window))
        if name in IN_A_ROW:
            streak = self._streak_of(name)
            if name.endswith("in_a_row"):
                return whole(streak.count[: len(self)])
            since = self._since(streak)
            return [None if one < 0 else Decimal(one) for one in since.tolist()]
        if name == "drawdown":
            return self._drawdown()
        return self._loss() if name == "loss" else chosen(self.references, self.event)


def leave_behind(account: Account, past: Past, is_taken: Bools, last: int, facts: Collection[Fact]) -> None:
    """What the first orders leave in the account for those facts; of the last of them `past` need not know that it was refused.
    `last` is the place of the last step."""
    activity, names = account.activity, {name for name, _ in facts}
    if names & COUNTED:
        decided = past.decided[: len(is_taken)]
        activity.proposed.extend(decided.tolist())
        for times in (account.entry_times, account.order_times, activity.messages):
            times.extend(decided[is_taken].tolist())
    count = len(is_taken) if is_taken[-1] else len(is_taken) - 1
    if names & IN_A_ROW:
        account.losses_in_a_row, lost = int(past.losses.count[count]), int(past.losses.last[count])
        account.last_loss = None if lost < 0 else lost
        activity.stops_in_a_row, stopped = int(past.stops.count[count]), int(past.stops.last[count])
        activity.last_stop = None if stopped < 0 else stopped
    if "drawdown" in names:
        account.high_water = past.highs.numbers.one(int(past.highs.holder[count]))
    if names & OF_EQUITY:
        begun = int(past.days.place.searchsorted(last, side="right"))
        account.equity_at_day_start = past.references.one(begun) if begun else account.equity_at_day_start


def drawdown_of(high: Floats, equity: Floats) -> Number:
    """The fall from a highest equity above nothing, which may itself have to be raised to this one."""
    high = np.maximum(high, equity)
    lost = (high - equity) / high
    return Number(lost, STEP * (8 + 4 * np.abs(equity / high)))


def whole(counts: Ints) -> Numbers:
    return Numbers(None, counts, np.zeros(len(counts), dtype=np.int64))


def profit_at(chain: Chain, sign: int, k: int) -> Decimal:
    """The profit of a trade, as `Position.trade` has it."""
    quantity, paid, got, cost, charge = (getattr(chain, name).one(k) for name in ("quantity", "paid", "got", "cost", "charge"))
    moved = EXACT.multiply(sign * quantity, EXACT.subtract(got, paid))
    return EXACT.subtract(moved, EXACT.add(cost, charge))


def _where(is_nothing: Bools, numbers: Numbers) -> Numbers:
    """The same, but nothing at some places."""
    high, low, decimals = (np.where(is_nothing, 0, column) for column in parts(numbers))
    return Numbers(high, low, decimals)
