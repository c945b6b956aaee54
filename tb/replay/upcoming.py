"""foretell: what is known ahead of each open position, looked for once and kept.

1. `due` is the place of the first instant at which a position may have to leave (the longest time held, a condition to leave)
   or at which something else is due: funding, or a close that is not known.
2. `touched` is that of the first bar that touches its stop, a take or its target: looked for further and further ahead, and
   anew where a level or what is left has changed.
3. A bar that touches nothing only moves a position's best and worst price: of them it takes note before something happens.

INVARIANT: a position that is `still`, not due and not touched at an instant, and for whose instrument no order is on its way,
is after that instant as venue and session would leave it, but for the extremes of bars that it has yet to see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.replay.places import are_same, newest_at, places_of
from tb.replay.venue import SimulatedVenue
from tb.runtime.entry_states import TRUE
from tb.runtime.positions import Position
from tb.runtime.session import Session
from tb.runtime.view import RecordedView

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_WINDOW = 64  # bars looked at first for a touch; then twice as many


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Bars of the data's own period of one instrument. `place` is that of each bar's close among the instants, `newest` the
    newest bar at each instant, -1 before the first; `gaps` the places of instants with a close that is not known. Where they
    are `aligned`, bars and instants have the same places."""

    high: Floats
    low: Floats
    close: Floats
    place: Ints
    newest: Ints
    gaps: Ints
    aligned: bool


@dataclass(slots=True)
class Known:
    """Of one position; one that is not `still` is looked at at each instant. `searched` is the row up to which no touch was
    found, `touched` the place of the first one, None while there is none among these; `seen` the newest row whose extremes it
    has."""

    position: Position
    prices: Prices
    still: bool
    due: int
    seen: int
    searched: int
    touched: int | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    exits: int = -1


@dataclass(slots=True)
class Upcoming:
    """For one replay, whose instants these are."""

    session: Session
    venue: SimulatedVenue
    view: RecordedView
    instants: Ints
    _known: dict[int, Known] = field(default_factory=dict)  # by the number of the position
    _prices: dict[str, Prices] = field(default_factory=dict)
    _leaving: dict[tuple[str, str], Ints] = field(default_factory=dict)

    def of(self, at: int) -> list[Known]:
        """What is known of all open positions, in their order, before the instant at a place is taken. A position that is new
        has seen all bars until then."""
        positions, known = self.session.positions, self._known
        if len(known) > len(positions) + _WINDOW:  # those that are over
            open_ = {position.seq for position in positions.values()}
            known = self._known = {seq: one for seq, one in known.items() if seq in open_}
        found = []
        for position in positions.values():
            one = known.get(position.seq)
            if one is None or one.position is not position:
                one = known[position.seq] = self._new(position, at)
            elif one.due < at:
                one.due = self._due(position, at) if one.still else at
            found.append(one)
        return found

    def _new(self, position: Position, at: int) -> Known:
        prices = self.prices(position.instrument)
        seen = int(prices.newest[at - 1]) if at else -1
        moves = position.manage.trailing is not None or position.manage.break_even is not None
        is_foreign = self.session.settings.is_foreign(position.instrument)  # its rate moves too
        still = not (moves or is_foreign or position.together is not None)
        return Known(position, prices, still, self._due(position, at) if still else at, seen, seen)

    # --- when it may have to leave -----------------------------------------------------------------------------------

    def may_leave(self, at: int) -> list[Position]:
        """The open positions that may have to leave at the instant at a place, and those of which that is not known."""
        return [
            position
            for position in self.session.positions.values()
            if (one := self._known.get(position.seq)) is None or one.position is not position or not one.still or one.due <= at
        ]

    def _due(self, position: Position, at: int) -> int:
        strategy = self.session.proposer.strategies[position.strategy]
        symbol = position.instrument
        longest = strategy.longest_hold(symbol, position.tier)
        due = len(self.instants) if longest is None else self.place(position.entry.at + longest)
        funding = self.view.markets.funding.get(symbol)
        if funding is not None:
            times = funding.rows.known
            next_ = int(times.searchsorted(position.funded_until or position.entry.at, side="right"))
            due = min(due, self.place(int(times[next_]))) if next_ < len(times) else due
        for marked in (self._exits(position), self.prices(symbol).gaps):
            found = int(marked.searchsorted(at))
            due = min(due, int(marked[found])) if found < len(marked) else due
        return due

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

    def place(self, instant: int) -> int:
        """The place of the first instant that is not before this one."""
        return int(self.instants.searchsorted(instant))

    # --- what touches its levels -------------------------------------------------------------------------------------

    def touched(self, one: Known, until: int) -> int:
        """The place of the first bar that touches a level of a position, `until` where none before that place does. What is
        asked about has not been taken yet."""
        position = one.position
        if one.exits != len(position.exits) or one.stop is not position.stop or one.target is not position.target:
            one.stop, one.target, one.exits = position.stop, position.target, len(position.exits)
            one.searched, one.touched = one.seen, None
        if one.touched is None:
            end = int(one.prices.newest[until - 1])
            if one.searched < end:
                self._search(one, end)
        return until if one.touched is None else min(one.touched, until)

    def _search(self, one: Known, end: int) -> None:
        """Looks on for a touch, at least to a row."""
        position, prices = one.position, one.prices
        stop = np.nan if position.stop is None else float(position.stop)
        ahead = position.ahead()
        target = float(ahead[0][0]) if ahead else np.nan
        row, width = one.searched + 1, _WINDOW
        while row <= end:
            high, low = prices.high[row : row + width], prices.low[row : row + width]
            touched = (low <= stop) | (high >= target) if position.sign > 0 else (high >= stop) | (low <= target)
            first = int(touched.argmax())
            if touched[first]:
                one.searched, one.touched = row + first, int(prices.place[row + first])
                return
            row, width = row + width, 2 * width
        one.searched = min(row, len(prices.high)) - 1

    # --- the extremes of bars ----------------------------------------------------------------------------------------

    def see(self, one: Known, at: int) -> None:
        """A position takes note of all bars that closed before the instant at a place. One that closes then is next."""
        row = int(one.prices.newest[at - 1]) + 1 if at else 0
        if one.seen + 1 < row:
            high, low = one.prices.high[one.seen + 1 : row], one.prices.low[one.seen + 1 : row]
            high, low = high[high == high], low[low == low]  # noqa: PLR0124 (what is not known changes nothing)
            if len(high) and len(low):
                one.position.see(float(high.max()), float(low.min()))
        one.seen = int(one.prices.newest[at]) if at < len(self.instants) else row - 1

    def prices(self, symbol: str) -> Prices:
        """The bars of an instrument."""
        if symbol not in self._prices:
            bars = self.view.markets.base[symbol]
            known = self.venue.prices(symbol)
            closes = self.view.markets.closes(symbol, bars.period)
            place, aligned = places_of(closes, self.instants), are_same(closes, self.instants)
            if aligned:
                newest, gaps = place, np.flatnonzero(np.isnan(bars.close))
            else:
                newest = newest_at(closes, self.instants)
                gaps = np.flatnonzero((newest < 0) | np.isnan(bars.close[np.maximum(newest, 0)]))
            self._prices[symbol] = Prices(known.highs, known.lows, bars.close, place, newest, gaps, aligned)
        return self._prices[symbol]
