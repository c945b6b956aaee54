"""skip: which instants a replay passes over while something is held, and what they leave behind.

Nothing is decided at an instant unless one of these makes it so, and each says where it comes next:
1. an entry whose condition holds, of a strategy that is free in the instrument (`_entry`);
2. an order on its way, a quote, legs, a stop that moves with the closes, or a price that has to be
   converted: then every instant counts (`_is_calm`);
3. the end of the trading day, of a pause or halt, of the longest time held; a condition to leave; a funding instant; a close of
   what is held that is not known (`_appointments`);
4. a bar that touches a stop, a take or a target (`_touch`);
5. a watched constraint that may fail (`tb.gate.foresight`).

INVARIANT: passing over leaves session, account and positions as stepping each of these instants would.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tb.engine.plan import ConstraintPlan
from tb.gate.account import Book
from tb.gate.foresight import Outlook, may_fail
from tb.gate.history import Stretch
from tb.replay.candidates import Candidates
from tb.replay.places import are_same, newest_at, places_of
from tb.replay.venue import SimulatedVenue
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import TRUE
from tb.runtime.latches import place
from tb.runtime.positions import Position
from tb.runtime.session import Session
from tb.runtime.view import RecordedView

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
WORTH = 4  # instants; fewer are stepped sooner than looked at
_WINDOW = 64  # bars looked at first for a touch; then twice as many


@dataclass(frozen=True, slots=True, eq=False)
class _Prices:
    """Bars of the data's own period of one instrument. `place` is that of each bar's close among the instants, `newest` the
    newest bar at each instant, -1 before the first; `gaps` the places of instants with a close that is not known."""

    high: Floats
    low: Floats
    close: Floats
    place: Ints
    newest: Ints
    gaps: Ints


@dataclass(slots=True)
class Skipper:
    """For one replay. `instants` are all its instants, `candidates` the entries whose conditions hold at some of them."""

    session: Session
    venue: SimulatedVenue
    view: RecordedView
    instants: Ints
    candidates: Candidates
    _with_entries: list[int] = field(init=False)  # places among the instants
    _prices: dict[str, _Prices] = field(default_factory=dict)
    _leaving: dict[tuple[str, str], Ints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._with_entries = self.candidates.places.tolist()

    def pass_over(self, at: int) -> tuple[int, list[tuple[int, Ready]]]:
        """The place of the next instant to step, not before the place `at`, and the entries that held until then and could not
        propose, with their instants. Everything before it has been passed over."""
        if not self._is_calm():
            return at, []
        until = min(self._appointments(at), len(self.instants))
        until, silent = self._entry(at, until)
        if until - at < WORTH:
            return at, []
        for position in self.session.positions.values():
            until = min(until, self._touch(position, at, until))
        if until - at < WORTH:
            return at, []
        stretch = self._stretch(at, until)
        calm = self._foreseen(stretch)
        if calm < until - at:
            until = at + calm
            if until - at < WORTH:
                return at, []
            stretch = self._stretch(at, until)
        self._leave_behind(stretch, at, until)
        return until, [(int(self.instants[where]), entry) for where, entry in silent if where < until]

    # --- what makes an instant count ---------------------------------------------------------------------------------

    def _is_calm(self) -> bool:
        session = self.session
        if self.venue.orders or self.venue.legs.waiting or session.waiting or session.quotes.strategies:
            return False
        for position in session.positions.values():
            moves = position.manage.trailing is not None or position.manage.break_even is not None
            is_foreign = session.settings.is_foreign(position.instrument)  # its rate moves too
            if moves or is_foreign or position.exiting or position.together is not None:
                return False
        return True

    def _entry(self, at: int, until: int) -> tuple[int, list[tuple[int, Ready]]]:
        """The first place at which a strategy may propose, and the entries before it of strategies that may not."""
        silent: list[tuple[int, Ready]] = []
        for found in range(bisect_left(self._with_entries, at), len(self._with_entries)):
            where = self._with_entries[found]
            if where >= until:
                break
            instant = int(self.instants[where])
            for entry in self.candidates[instant]:
                strategy = self.session.plan.strategies[entry.strategy]
                if not any(self.session.is_busy((strategy.name, s), instant) for s in strategy.together(entry.symbol)):
                    return where, silent
            silent += [(where, entry) for entry in self.candidates[instant]]
        return until, silent

    def _appointments(self, at: int) -> int:
        session, account = self.session, self.session.account
        times = [account.day_ends]
        for latch in session.latches.active.values():
            lasts = session.halts_lifted_after
            times += [] if latch.until is None else [latch.until]
            times += [] if lasts is None or latch.verdict != "halt" or latch.until is not None else [latch.at + lasts]
        places = [self._place(min(times))]
        for position in session.positions.values():
            places += self._of_position(position, at)
        return min(places)

    def _of_position(self, position: Position, at: int) -> list[int]:
        strategy = self.session.proposer.strategies[position.strategy]
        symbol = position.instrument
        longest = strategy.longest_hold(symbol, position.tier)
        places = [] if longest is None else [self._place(position.entry.at + longest)]
        funding = self.view.markets.funding.get(symbol)
        if funding is not None:
            due = funding.rows.known
            next_ = int(due.searchsorted(position.funded_until or position.entry.at, side="right"))
            places += [self._place(int(due[next_]))] if next_ < len(due) else []
        for marked in (self._exits(position), self.prices(symbol).gaps):
            found = int(marked.searchsorted(at))
            places += [int(marked[found])] if found < len(marked) else []
        return places

    def _exits(self, position: Position) -> Ints:
        """Places at which a condition to leave holds."""
        key = (position.strategy, position.instrument)
        if key not in self._leaving:
            strategy = self.session.proposer.strategies[position.strategy]
            bars = self.view.markets.bars(position.instrument, strategy.period)
            holds = np.zeros(len(bars), dtype=np.bool_)
            for exit_ in strategy.exits:
                constant = self.session.plan.graph[exit_.when].op == "const"
                holds |= (
                    self.view.value(exit_.when, position.instrument, 0) == 1.0
                    if constant and len(bars)
                    else (self.view.truth(exit_.when, position.instrument) == TRUE)
                )
            self._leaving[key] = self.instants.searchsorted(
                self.view.markets.closes(position.instrument, strategy.period)[holds]
            )
        return self._leaving[key]

    def _place(self, instant: int) -> int:
        return int(self.instants.searchsorted(instant))

    def _touch(self, position: Position, at: int, until: int) -> int:
        """The place of the first bar that touches a level of the position."""
        prices, sign = self.prices(position.instrument), position.sign
        stop = np.nan if position.stop is None else float(position.stop)
        ahead = position.ahead()
        target = float(ahead[0][0]) if ahead else np.nan
        row, end, width = int(prices.newest[at - 1]) + 1 if at else 0, int(prices.newest[until - 1]) + 1, _WINDOW
        while row < end:
            high, low = prices.high[row : min(row + width, end)], prices.low[row : min(row + width, end)]
            touched = (low <= stop) | (high >= target) if sign > 0 else (high >= stop) | (low <= target)
            first = int(touched.argmax())
            if touched[first]:
                return int(prices.place[row + first])
            row, width = row + width, 2 * width
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
            if constraints:
                fails = may_fail(gate.graph, constraints, Outlook.of(session.account, stretch, book))
                calm = min(calm, int(fails.argmax()) if fails.any() else calm)
        return calm

    def _is_held_already(self, constraint: ConstraintPlan, book: Book | None) -> bool:
        """Whether failing again would change nothing within the trading day."""
        held = self.session.latches.active.get(place(constraint.name, "" if book is None else book.name))
        if held is None:
            return False
        return held.until is None or (constraint.until_tomorrow and held.until >= self.session.account.day_ends)

    # --- what passing over leaves behind -----------------------------------------------------------------------------

    def _stretch(self, at: int, until: int) -> Stretch:
        closes = {}
        for symbol in self.session.account.held():
            prices = self.prices(symbol)
            closes[symbol] = prices.close[prices.newest[at:until]]
        return Stretch(self.instants[at:until], closes)

    def _leave_behind(self, stretch: Stretch, at: int, until: int) -> None:
        for position in self.session.positions.values():
            prices = self.prices(position.instrument)
            rows = slice(int(prices.newest[at - 1]) + 1 if at else 0, int(prices.newest[until - 1]) + 1)
            high, low = prices.high[rows], prices.low[rows]
            high, low = high[high == high], low[low == low]  # noqa: PLR0124 (what is not known changes nothing)
            if len(high) and len(low):
                position.see(float(high.max()), float(low.min()))
        self.session.pass_over(stretch)

    def prices(self, symbol: str) -> _Prices:
        if symbol not in self._prices:
            bars = self.view.markets.base[symbol]
            known = self.venue.prices(symbol)
            closes = self.view.markets.closes(symbol, bars.period)
            place = places_of(closes, self.instants)
            if are_same(closes, self.instants):
                newest, gaps = place, np.flatnonzero(np.isnan(bars.close))
            else:
                newest = newest_at(closes, self.instants)
                gaps = np.flatnonzero((newest < 0) | np.isnan(bars.close[np.maximum(newest, 0)]))
            self._prices[symbol] = _Prices(known.highs, known.lows, bars.close, place, newest, gaps)
        return self._prices[symbol]
