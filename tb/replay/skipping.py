"""skip: which instants a replay passes over while something is held, and what they leave behind.

Nothing is decided at an instant unless one of these makes it so, and each says where it comes next:
1. an entry whose condition holds, of a strategy that is free in the instrument (`_entry`);
2. an order on its way, a quote, legs, a stop that moves with the closes, or a price that has to be
   converted: then every instant counts (`_is_calm`);
3. the end of the trading day, of a pause or halt, or where nothing is held the instant from which on none counts
   (`_appointment`); the end of the longest time held; a condition to leave; a funding
   instant; a close of what is held that is not known; a bar that touches a stop, a take or a target (`tb.replay.upcoming`);
4. a watched constraint that may fail (`tb.gate.hull`, then `tb.gate.foresight`).

At an instant that is stepped, what is known ahead says to which instruments anything happens, and who may have to leave.

INVARIANT: passing over leaves session, account and positions as stepping each of these instants would.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tb.engine.plan import ConstraintPlan
from tb.gate.account import Book
from tb.gate.foresight import Outlook, may_fail
from tb.gate.history import Stretch
from tb.gate.hull import Hull
from tb.replay.candidates import Candidates
from tb.replay.upcoming import Known, Upcoming
from tb.replay.venue import SimulatedVenue, advance
from tb.runtime.drafts import Ready
from tb.runtime.latches import place
from tb.runtime.positions import Position
from tb.runtime.session import Session
from tb.runtime.view import RecordedView

Ints = NDArray[np.int64]
Silent = list[tuple[int, Sequence[Ready]]]  # entries that held and could not propose, by instant
WORTH = 4  # instants; fewer are stepped sooner than looked at


@dataclass(slots=True)
class Skipper:
    """For one replay. `instants` are all its instants, `candidates` the entries whose conditions hold at some of them."""

    session: Session
    venue: SimulatedVenue
    view: RecordedView
    instants: Ints
    candidates: Candidates
    upcoming: Upcoming = field(init=False)
    _day: tuple[int, int] = (0, 0)  # an end of a trading day, and its place
    _hulls: dict[int, Hull] = field(default_factory=dict)  # by the node of a watched constraint

    def __post_init__(self) -> None:
        self.upcoming = Upcoming(self.session, self.venue, self.view, self.instants)

    def pass_over(self, at: int) -> tuple[int, Silent]:
        """The place of the next instant to step, not before the place `at`, and the entries that held until then and could not
        propose, with their instants. Everything before it has been passed over."""
        known = self.upcoming.of(at)
        if not self._is_calm(known):
            return at, []
        until = self._appointment()
        for one in known:
            until = min(until, one.due)
        until, silent = self._entry(at, until)
        if until - at < WORTH:
            return at, []
        for one in known:
            until = self.upcoming.touched(one, until)
        if until - at < WORTH:
            return at, []
        stretch = self._stretch(at, until)
        calm = self._foreseen(stretch)
        if calm < until - at:
            until = at + calm
            if until - at < WORTH:
                return at, []
            stretch = self._stretch(at, until)
        self.session.pass_over(stretch)
        return until, [(instant, entries) for instant, entries in silent if instant <= stretch.last]

    def advance(self, at: int, instant: int, period: int) -> list[Position]:
        """Lets the bars that close at the instant at a place happen to what is held and on its way. Returns the positions that
        may have to leave then."""
        quiet = self._quiet(at)
        advance(self.session, self.venue, self.view.row, instant, period, quiet)
        return self.upcoming.may_leave(at)

    def _quiet(self, at: int) -> set[str]:
        """The instruments to whose positions nothing happens; the others have seen all that came before."""
        known = self.upcoming.of(at)
        happens = set(self.venue.orders)
        is_any = bool(self.session.quotes.strategies or self.venue.legs.waiting)
        for one in known:
            if is_any or not one.still or one.position.exiting or self.upcoming.touched(one, at + 1) <= at:
                happens.add(one.position.instrument)
        quiet = set()
        for one in known:
            symbol = one.position.instrument
            if symbol in happens:
                self.upcoming.see(one, at)
            else:
                quiet.add(symbol)
        return quiet

    def finish(self, at: int) -> None:
        """The replay ends before the instant at a place: positions see what they have not."""
        for one in self.upcoming.of(at):
            self.upcoming.see(one, at)

    # --- what makes an instant count ---------------------------------------------------------------------------------

    def _is_calm(self, known: Iterable[Known]) -> bool:
        session = self.session
        if self.venue.orders or self.venue.legs.waiting or session.waiting or session.quotes.strategies:
            return False
        return all(one.still and not one.position.exiting for one in known)

    def _entry(self, at: int, until: int) -> tuple[int, Silent]:
        """The first place at which a strategy may propose, and the entries before it of strategies that may not."""
        silent: Silent = []
        places = self.candidates.listed
        for found in range(bisect_left(places, at), len(places)):
            where = places[found]
            if where >= until:
                break
            instant, entries = int(self.instants[where]), self.candidates.numbered(found)
            for entry in entries:
                strategy = self.session.plan.strategies[entry.strategy]
                if not any(self.session.is_busy((strategy.name, s), instant) for s in strategy.together(entry.symbol)):
                    return where, silent
            silent.append((instant, entries))
        return until, silent

    def _appointment(self) -> int:
        """The place of the next instant at which time itself changes something."""
        session, day_ends = self.session, self.session.account.day_ends
        if self._day[0] != day_ends:
            self._day = day_ends, self.upcoming.place(day_ends)
        until = self._day[1]
        if session.is_flat:  # no further than it would be stepped
            until = min(until, self.upcoming.place(session.rests_from))
        for latch in session.latches.active.values():
            lasts = session.halts_lifted_after
            if latch.until is not None:
                until = min(until, self.upcoming.place(latch.until))
            elif lasts is not None and latch.verdict == "halt":
                until = min(until, self.upcoming.place(latch.at + lasts))
        return until

    def _foreseen(self, stretch: Stretch) -> int:
        """How many instants of the stretch pass before a watched constraint may fail."""
        session = self.session
        gate = session.watching
        calm = len(stretch.times)
        if not gate.watched.constraints:
            return calm
        for book in (None, *session.account.books.values()):
            constraints = [c for c in gate.watched.constraints if c.reads_book == (book is not None)]
            constraints = [c for c in constraints if not self._is_held_already(c, book)]
            outlook = Outlook.of(session.account, stretch, book) if constraints else None
            constraints = [c for c in constraints if outlook is not None and not self._hull(c).surely_passes(outlook)]
            if constraints and outlook is not None:
                fails = may_fail(gate.graph, constraints, outlook)
                calm = min(calm, int(fails.argmax()) if fails.any() else calm)
        return calm

    def _hull(self, constraint: ConstraintPlan) -> Hull:
        found = self._hulls.get(constraint.node)
        if found is None:
            found = self._hulls[constraint.node] = Hull.of(self.session.watching.graph, constraint.node)
        return found

    def _is_held_already(self, constraint: ConstraintPlan, book: Book | None) -> bool:
        """Whether failing again would change nothing within the trading day."""
        held = self.session.latches.active.get(place(constraint.name, "" if book is None else book.name))
        if held is None:
            return False
        return held.until is None or (constraint.until_tomorrow and held.until >= self.session.account.day_ends)

    def _stretch(self, at: int, until: int) -> Stretch:
        closes = {}
        for symbol in self.session.account.held():
            prices = self.upcoming.prices(symbol)
            closes[symbol] = prices.close[at:until] if prices.aligned else prices.close[prices.newest[at:until]]
        return Stretch(self.instants[at:until], closes)
