"""What the conditions of entries are at each close, for the step that follows and for the record of what was not proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tb.core.records import Quiet
from tb.engine.plan import Plan, StrategyPlan
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import BUSY, COOLING, FALSE, HELD_BACK, OUTSIDE, TRUE, UNKNOWN, packed
from tb.runtime.running.market import LiveMarket

Key = tuple[int, str]  # number of a strategy, and the instrument it looks at


@dataclass(slots=True)
class _Noted:
    """The states of one strategy's entries in one instrument since they were last handed out."""

    closes: list[int] = field(default_factory=list)
    states: list[bytearray] = field(default_factory=list)  # for each entry


class EntryLog:
    """For one session. `newest` has the states of the last close, by strategy, entry and instrument."""

    def __init__(self, plan: Plan, market: LiveMarket) -> None:
        self.plan = plan
        self.market = market
        self.newest: dict[tuple[int, int, str], int] = {}
        self._noted: dict[Key, _Noted] = {}

    def at(self, at: int, *, is_held: bool = False) -> list[Ready]:
        """Notes what every bar that closed at an instant says; returns the entries whose condition holds, none while held."""
        self.newest, ready = {}, []
        for number, strategy in enumerate(self.plan.strategies):
            for symbol in strategy.looks():
                row = self.market.row(symbol, strategy.period, at)
                if row is None:
                    continue
                entries = range(len(strategy.entries_of(symbol)))
                noted = self._noted.setdefault((number, symbol), _Noted(states=[bytearray() for _ in entries]))
                noted.closes.append(at)
                for which in entries:
                    state = self._state(strategy, which, symbol, row)
                    if state == TRUE and is_held:
                        state = HELD_BACK
                    elif state == TRUE:
                        ready.append(Ready(number, which, symbol, row))
                    noted.states[which].append(state)
                    self.newest[number, which, symbol] = state
        return ready

    def _state(self, strategy: StrategyPlan, which: int, symbol: str, row: int) -> int:
        membership = strategy.membership_of(symbol)
        if membership is not None:
            member = self.market.value(membership, symbol, row)
            if member is None:
                return UNKNOWN
            if member == 0.0:
                return OUTSIDE
        when = self.market.value(strategy.entries_of(symbol)[which].when, symbol, row)
        return UNKNOWN if when is None else TRUE if when == 1.0 else FALSE

    def note_silent(self, entries: tuple[Ready, ...], at: int, cooling: dict[tuple[str, str], int]) -> None:
        """Why entries whose condition held proposed nothing at the last close."""
        for entry in entries:
            key = (self.plan.strategies[entry.strategy].name, entry.symbol)
            state = COOLING if cooling.get(key, 0) > at else BUSY
            self._noted[entry.strategy, entry.symbol].states[entry.enter][-1] = state
            self.newest[entry.strategy, entry.enter, entry.symbol] = state

    def hand_out(self) -> Iterator[Quiet]:
        """What was not proposed since this was last asked."""
        for number, strategy in enumerate(self.plan.strategies):
            for symbol in strategy.looks():
                noted = self._noted.pop((number, symbol), None)
                if noted is None:
                    continue
                yield Quiet(
                    strategy=strategy.name,
                    instrument=symbol,
                    first=noted.closes[0],
                    last=noted.closes[-1],
                    rows=len(noted.closes),
                    states=packed(b"".join(noted.states)),
                )
