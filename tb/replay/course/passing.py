"""Passes over solo trades: finds as many as it can be sure of, records them, and leaves the session behind the last one.

1. The kernel walks on from the next entry whose condition holds, so many trades at most (`Course.pass_over`).
2. Their money is worked out, the orders are judged, and the first that is not surely approved as it is ends the course.
3. A trade whose exit falls on an instant at which something else is wanted is left to the session, too (`_ends`).

Where nothing was passed over, it is tried again later and later: a plan that has no such trades does not pay for looking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tb.core.records import Curve
from tb.engine.instant import Exact
from tb.ledger.sheets import Stream
from tb.replay.candidates import Candidates
from tb.replay.course import paths
from tb.replay.course.ahead import ahead_of
from tb.replay.course.before import Before
from tb.replay.course.chain import chain
from tb.replay.course.columns import Told
from tb.replay.course.days import began, begun, seen_until
from tb.replay.course.drawing import drawn
from tb.replay.course.facts import OF_EQUITY, Fact, past_of
from tb.replay.course.judging import EXACTLY, Column, Number, Same, surely
from tb.replay.course.passage import Passage, Prices
from tb.replay.course.past import Past, leave_behind
from tb.replay.course.sizes import sizes_of
from tb.replay.course.terms import Key, Terms, terms_of
from tb.replay.course.told import beside, told
from tb.replay.course.watching import calm
from tb.replay.places import are_same, places_of
from tb.runtime.curve import POINTS
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import BUSY, TRUE
from tb.runtime.session import Session
from tb.runtime.view import RecordedView

Ints = NDArray[np.int64]
WORTH = 64  # entries whose conditions hold; for fewer nothing is compiled or looked at
# trades looked for at once: at most, after a course that ended early, and times as many after one that did not
MOST, FEW, MORE = 1 << 15, 64, 8
PATIENT = 1_024  # entries to let go by at most, after courses that came to nothing
States = dict[Key, NDArray[np.uint8]]


class TakesStreams(Protocol):
    """Where records go that are there as columns."""

    def record_stream(self, stream: Stream) -> None: ...


@dataclass
class Course:
    """For one replay. `states` are those of its entries; without `terms` nothing is ever passed over."""

    session: Session
    view: RecordedView
    instants: Ints
    candidates: Candidates
    states: States
    recorder: TakesStreams | None  # None where nothing is kept
    terms: dict[Key, Terms] | None = None
    _most: int = 0
    _patience: int = 1  # entries to let go by before it is tried again
    _again: int = 0  # the number of the entry from which on it is tried again
    _still: dict[int, Sequence[Exact]] = field(default_factory=dict)
    _facts: frozenset[Fact] = frozenset()  # of the account's past, that any policy reads
    _seen: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        self._most = MOST
        self.terms = terms_of(self.session, self.view, self.states)
        if self.terms is not None and len(self.candidates.row) < WORTH:
            self.terms = None
        if self.terms is not None:
            self._listed = list(self.terms.values())
            self._facts = past_of(self.session.plan)
            self._names = {name for name, _ in self._facts}
            self._prices, self._begins = _joined(self.view, self.instants)
            self._period = next(iter(self.view.markets.base.values())).period
            self._list_entries(self.terms)
            self._leaves = self._leaving(self._listed)
            self._numbers = np.array([one.numbers for one in self._listed], dtype=np.int64)

    def _list_entries(self, terms: Mapping[Key, Terms]) -> None:
        """Every entry whose condition holds, in the order in which the session would be asked, and the bar that decides it."""
        self._place, self._way, self._row = self.candidates.place, self.candidates.number, self.candidates.row
        if len(terms) == 1 and self._is_of_the_data(next(iter(terms.values()))):
            self._bar = self._row  # one instrument's own bars
            return
        self._bar = np.empty(len(self._row), dtype=np.int64)
        for one in terms.values():
            which = np.flatnonzero(self._way == one.number)
            closes = self.view.markets.closes(one.symbol, one.strategy.period)[self._row[which]]
            base = self.view.markets.closes(one.symbol, self.view.markets.base[one.symbol].period)
            bar = np.minimum(base.searchsorted(closes), len(base) - 1)
            self._bar[which] = np.where(base[bar] == closes, bar + self._begins[one.symbol], -1)

    def _is_of_the_data(self, one: Terms) -> bool:
        base = self.view.markets.base
        return len(base) == 1 and base[one.symbol].period == one.strategy.period

    def _leaving(self, terms: Sequence[Terms]) -> NDArray[np.bool_]:
        """At which bars of its instrument a condition to leave holds, for each of the terms; empty where there is none."""
        if not any(one.strategy.exits for one in terms):
            return np.zeros((0, 0), dtype=np.bool_)
        found = np.zeros((len(terms), max(len(bars) for bars in self.view.markets.base.values())), dtype=np.bool_)
        for one in terms:
            bars, base = self.view.markets.bars(one.symbol, one.strategy.period), self.view.markets.base[one.symbol]
            for exit_ in one.strategy.exits:
                if self.session.plan.graph[exit_.when].op == "const":
                    found[one.number] |= self.view.value(exit_.when, one.symbol, 0) == 1.0
                    continue
                closes = bars.closes[self.view.truth(exit_.when, one.symbol) == TRUE]
                # a close that is not one of the data's own counts at the bar before it, which is held over sooner
                found[one.number, np.maximum(base.closes.searchsorted(closes, side="right") - 1, 0)] = True
        return found

    # --- one course --------------------------------------------------------------------------------------------------

    def pass_over(self, at: int, steps: bool = False) -> int:
        """The place at which the session goes on, `at` where nothing was passed over. The session is flat, and `at` is the
        place of the next instant at which the condition of an entry holds, or where it `steps` that of the next of all."""
        if self.terms is None:
            return at
        start = int(self._place.searchsorted(at))
        if start < self._again or start == len(self._place) or not self._is_kept(int(self.instants[self._place[start]])):
            return at
        passage = self._passage(start, int(self.instants[at]) if steps else None)
        wanted = self._most
        if passage is None:
            self._again = max(self._again, start + self._patience)
            self._patience = min(2 * self._patience, PATIENT)
            self._most = FEW
            return at
        self._patience = 1
        self._most = min(wanted * MORE, MOST) if len(passage) == wanted else max(FEW, 2 * len(passage))
        self._leave_behind(passage, start)
        return int(passage.ends[-1]) + 1

    def _is_kept(self, first: int) -> bool:
        """Whether what constraints read of the account's past goes on from what the account has, up to a first decision."""
        account = self.session.account
        if self._names & OF_EQUITY and account.equity_at_day_start is None and first < account.day_ends:
            return False  # equity was not known when the day began
        if "drawdown" in self._names and not (account.high_water is not None and account.high_water > 0):
            return False
        # what was noted last is where a day's loss is measured from: it has to be written as the cash is
        return not (self._facts and account.history and str(account.history.last()) != str(account.cash))

    def _passage(self, start: int, now: int | None) -> Passage | None:
        most = min(self._most, len(self._place) - start)
        trades = np.empty((most, paths.WIDTH), dtype=np.int64)
        seen = np.empty((0 if self.recorder is None else most, 2))
        prices = self._prices
        entries = (self._place, self._way, self._bar, self._numbers, self.instants)
        count = paths.walk(
            start,
            most,
            *entries,
            prices.time,
            prices.apart,
            self._period,
            prices.open,
            prices.high,
            prices.low,
            prices.close,
            self._leaves,
            trades,
            seen,
        )
        if not count:
            return None
        trades = trades[:count]
        way, rows = self._way[trades[:, paths.ENTRY]], self._row[trades[:, paths.ENTRY]]
        sizes = sizes_of(self.session.plan.graph, self.view, self._listed, way, rows)
        reckoned = chain(self.session.account.cash, self._listed, way, sizes, trades)
        done = Passage(
            self.view,
            self.instants,
            prices,
            self._listed,
            way,
            rows,
            trades,
            seen,
            reckoned,
            self._still,
            self.session.counts["decisions"] + 1,
            self.session.counts["trades"] + 1,
        )
        count = len(reckoned)
        if count and (self._facts or self.session.watching.watched.constraints):
            done.past = self._past(done, count, now)
            count = self._calm(done.past, now)
        approved = self._approved(done, count)
        if approved < len(reckoned):  # that one is the session's, whatever comes before it
            self._again = int(trades[approved, paths.ENTRY]) + 1
        return self._cut(done, approved)

    def _past(self, passage: Passage, count: int, now: int | None) -> Past:
        session, zone = self.session, self.session.settings.account.timezone
        trades, way = passage.trades[:count], passage.way[:count]
        decided, out = trades[:, paths.DECIDED], passage.ends[:count]
        settled = None if now is None else session.rests_from
        self._seen = seen_until(self.instants, decided, out, session.windows, settled, zone)
        days, _ = begun(self.instants, decided, out, self._seen, session.account.day_ends, zone)
        signs, ticks = self._numbers[way, paths.SIGN], self._numbers[way, paths.DECIMALS]
        leaving, period = passage.leaving[:count], min(session.gates)
        of = (
            Before.of(session.account),
            self.instants,
            passage.prices,
            trades,
            passage.chain,
            leaving,
            days,
            signs,
            ticks,
            period,
            zone,
        )
        return Past(*of)

    def _calm(self, past: Past, now: int | None) -> int:
        """How many of the first trades leave all watched constraints alone, and are sure of their past."""
        watched = self.session.watching.watched
        is_calm = (
            calm(self.session.plan.graph, watched, past, now) if watched.constraints else np.ones(len(past), dtype=np.bool_)
        )
        if self._names & OF_EQUITY:
            is_calm &= ~past.doubtful
        return len(past) if bool(is_calm.all()) else int(is_calm.argmin())

    def _cut(self, whole: Passage, count: int) -> Passage | None:
        """The first trades alone, and none whose exit falls on an instant at which another is wanted that is not among them."""
        places, wanted = self._place, whole.trades
        while count:
            out = int(self._prices.place(wanted[count - 1 : count, paths.CLOSED])[0])
            following = int(places.searchsorted(out))
            if following == len(places) or places[following] != out:
                break
            count -= 1
        if not count:
            return None
        return whole.part(0, count)

    # --- judging -----------------------------------------------------------------------------------------------------

    def _approved(self, passage: Passage, count: int) -> int:
        """How many of the first trades are approved as they are, one after the other."""
        if not count:
            return 0
        sure = np.zeros(count, dtype=np.bool_)
        way = passage.way[:count]
        for number in np.unique(way).tolist():
            which = np.flatnonzero(way == number)
            terms = self._listed[number]
            if number not in self._still:
                self._still[number] = self._read(passage, int(which[0]))
            policy = self.session.plan.policies[terms.strategy.period]
            columns = self._columns(passage, terms, which, policy.leaves)
            sure[which] = surely(self.session.plan.graph, policy.constraints, columns, len(which))
        for k in np.flatnonzero(~sure).tolist():
            terms = passage.of[k]
            gate, inputs = self.session.gates[terms.strategy.period], passage.inputs(k)
            said = gate.decide(inputs, True, passage.chain.quantity.one(k), terms.spec.lot)
            if said.verdict != "approve" or said.failed or said.unknown or said.shadowed or said.latches:
                return k
        return count

    def _read(self, passage: Passage, k: int) -> Sequence[Exact]:
        """What the gate reads for an order, from the session itself: all that does not move is right for the others too."""
        terms, row = self._listed[int(passage.way[k])], int(passage.deciding[k])
        at = int(self.instants[passage.trades[k, paths.DECIDED]])
        at_ = next(number for number, one in enumerate(self.session.plan.strategies) if one is terms.strategy)
        ready = Ready(at_, terms.which, terms.symbol, row)
        drafts, _ = self.session.proposer.entries([ready], lambda _: False, lambda _: passage.chain.before.one(k), at)
        moment = self.session.moment(drafts[0].proposal, at, None)
        gate = self.session.gates[terms.strategy.period]
        return gate.inputs(moment, lambda node: self.view.value(node, terms.symbol, row))

    def _columns(self, passage: Passage, terms: Terms, which: Ints, leaves: Sequence[int]) -> dict[int, Column]:
        found: dict[int, Column] = {leaf: Same(self._still[terms.number][at]) for at, leaf in enumerate(leaves)}
        rows = passage.deciding[which]
        for at, leaf in terms.moving:
            if isinstance(leaf, int):
                found[leaves[at]] = _of_market(self.view.values(leaf, terms.symbol, rows))
            elif not isinstance(leaf, str):
                assert passage.past is not None
                found[leaves[at]] = passage.past.number(leaf).at(which)
            else:
                moved = passage.moved(leaf)
                moved = moved if len(which) == len(moved) else moved[which]
                found[leaves[at]] = Same(None) if np.isnan(moved).all() else Number.of(moved)
        return found

    # --- what it leaves behind ---------------------------------------------------------------------------------------

    def _leave_behind(self, passage: Passage, start: int) -> None:
        session, account = self.session, self.session.account
        zone, decided = session.settings.account.timezone, passage.trades[:, paths.DECIDED]
        past, seen = passage.past, np.full(len(passage), -1) if passage.past is None else self._seen[: len(passage)]
        passage.days, ends = begun(self.instants, decided, passage.ends, seen, account.day_ends, zone)
        if self.recorder is not None:
            self._record(passage, self.recorder)
            self._note_busy(passage, start)
        for name in ("decisions", "proposals", "approved", "trades"):
            session.counts[name] += len(passage)
        last = int(self.instants[passage.ends[-1]])
        if past is not None:
            leave_behind(account, past, len(passage), self._facts)
        account.pass_trades(passage.chain.after.one(len(passage) - 1), last)
        if len(passage.days):
            account.day_starts, account.day_ends = began(int(self.instants[passage.days.place[-1]]), zone), ends
        session.pass_trades(last)

    def _record(self, passage: Passage, recorder: TakesStreams) -> None:
        session, terms = self.session, passage.terms
        if terms is None:
            session.recorder.record(list(told(passage, session, beside(passage, self._curves(passage)))))
        else:
            ahead = ahead_of(passage, session, terms)
            recorder.record_stream(Told(passage, session, terms, self._curves(passage), ahead))

    def _curves(self, passage: Passage) -> list[tuple[int, int, Curve]]:
        """Notes the points of the curve; those records that are complete with the trade and place at which they are."""
        curve, instants, out = self.session.curve, self.instants, passage.ends
        times, equity, exposure = drawn(passage, self._numbers[passage.way, paths.SIGN])
        first = POINTS - curve.pending - 1
        curve.note_stretch(times, equity, exposure)
        done = instants.searchsorted(times[first::POINTS]).tolist()
        return [(int(out.searchsorted(place)), place, one) for place, one in zip(done, curve.full(), strict=True)]

    def _note_busy(self, passage: Passage, start: int) -> None:
        """The entries whose condition held meanwhile and that proposed nothing."""
        silent = np.ones(int(self._place.searchsorted(passage.ends[-1])) - start, dtype=np.bool_)
        silent[passage.trades[:, paths.ENTRY] - start] = False
        which = np.flatnonzero(silent) + start
        for key, one in (self.terms or {}).items():
            self.states[key][self._row[which[self._way[which] == one.number]]] = BUSY


def _of_market(values: NDArray[np.float64]) -> Number:
    """What the market says, as `exact` has it: a whole number is what it is."""
    found = Number.of(np.where(np.isfinite(values), values, np.nan))
    is_whole = (np.rint(found.value) == found.value) & (np.abs(found.value) < EXACTLY) & ~found.missing
    return Number(found.value, np.where(is_whole, 0.0, found.error), found.missing)


def _joined(view: RecordedView, instants: Ints) -> tuple[Prices, dict[str, int]]:
    """The bars of all instruments one after the other, and where those of each begin."""
    series, begins, begin = list(view.markets.base.values()), {}, 0
    for symbol, bars in view.markets.base.items():
        begins[symbol] = begin
        begin += len(bars)

    def one(arrays: list[NDArray[np.generic]]) -> NDArray[np.generic]:
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    fields = [[getattr(bars, name) for bars in series] for name in ("time", "open", "high", "low", "close", "rows")]
    time, open_, high, low, close, rows = (one(found) for found in fields)
    closes = [view.markets.closes(symbol, bars.period) for symbol, bars in view.markets.base.items()]
    if len(closes) == 1 and are_same(closes[0], instants):
        apart = np.empty(0, dtype=np.int64)
    else:
        apart = np.concatenate([places_of(each, instants) for each in closes])
    return Prices(time, apart, open_, high, low, close, rows), begins  # type: ignore[arg-type]
