"""Passes over solo trades: finds as many as it can be sure of, records them, and leaves the session behind the last one.

1. The kernel walks on from the next entry whose condition holds, so many trades at most (`Course.pass_over`).
2. Their money is worked out, the orders are judged. The first that is refused is the last of the passage: what comes after it
   is walked anew. One of which more is to be said than that is the session's.
3. A trade whose exit falls on an instant at which something else is wanted is left to the session, too (`_cut`).
4. Passages that follow one another are recorded together (`tell`), before anything else is.

Where nothing was passed over, it is tried again later and later: a plan that has no such trades does not pay for looking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tb.core.records import Curve
from tb.ledger.sheets import Stream
from tb.replay.candidates import Candidates
from tb.replay.course import paths
from tb.replay.course.ahead import ahead_of
from tb.replay.course.before import Before
from tb.replay.course.chain import chain
from tb.replay.course.columns import Told
from tb.replay.course.days import Days, began, begun, seen_until
from tb.replay.course.drawing import drawn
from tb.replay.course.facts import OF_EQUITY, Fact, past_of
from tb.replay.course.judging import Judging
from tb.replay.course.orders import ANEW, ON, OVER, Orders
from tb.replay.course.passage import Passage, Prices, taken_of
from tb.replay.course.past import Past, leave_behind
from tb.replay.course.sizes import sizes_of
from tb.replay.course.terms import Key, Terms, terms_of
from tb.replay.course.told import beside, told
from tb.replay.course.watching import calm
from tb.replay.places import are_same, places_of
from tb.runtime.curve import POINTS
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


@dataclass(frozen=True, slots=True)
class _Begun:
    """Where passages begin: what the account had, when its day ended, and until when it is stepped though nothing is held, if
    it is; `start` is the number of the first entry."""

    account: Before
    day_ends: int
    settled: int | None
    start: int


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
    passed: int = 0  # orders, trades and refused ones
    _most: int = 0
    _patience: int = 1  # entries to let go by before it is tried again
    _again: int = 0  # the number of the entry from which on it is tried again
    _facts: frozenset[Fact] = frozenset()  # of the account's past, that any policy reads
    _pending: list[Passage] = field(default_factory=list)  # that are not recorded yet
    _waiting: int = 0  # orders in these
    _begun: _Begun | None = None
    _wrong: bool = False  # whether the first order of the last walk was guessed wrong

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
            self._orders = Orders(self.session, self.view, self.instants, self._listed, self.candidates)
            watched = self.session.watching.watched
            self._watched = Judging(self.session.plan.graph, watched.constraints, {}, watched.leaves)

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
        place of the next instant at which the condition of an entry holds, or where it `steps` that of the next of all. What
        was passed over has to be told (`tell`) before anything else is recorded."""
        if self.terms is None:
            return at
        start = int(self._place.searchsorted(at))
        if start < self._again or start == len(self._place) or not self._is_kept(int(self.instants[self._place[start]])):
            return at
        now = int(self.instants[at]) if steps else None
        passage = self._passage(start, now)
        if passage is None and self._wrong:
            passage = self._passage(start, now)
        wanted = self._most
        if passage is None:
            self._again = max(self._again, start + self._patience)
            self._patience = min(2 * self._patience, PATIENT)
            self._most = FEW
            return at
        self._patience = 1
        self._most = min(wanted * MORE, MOST) if len(passage) == wanted else max(FEW, 2 * len(passage))
        self._leave_behind(passage, start, now)
        self._waiting += len(passage)
        if self._waiting >= MOST:
            self.tell()
        return int(passage.ends[-1]) + 1

    def tell(self) -> None:
        """Records what was passed over and is not recorded yet."""
        if not self._pending or self._begun is None or self.recorder is None:
            return
        passage, begun_ = self._pending[0], self._begun
        if len(self._pending) > 1:
            passage = Passage.joined(self._pending)
            passage.past = self._past(passage, len(passage), begun_) if self._needs_past else None
        passage.days, _ = self._days(passage, begun_.day_ends)
        self._pending, self._waiting = [], 0
        self._record(passage, self.recorder)
        self._note_busy(passage, begun_.start)

    @property
    def _zone(self) -> ZoneInfo:
        return self.session.settings.account.timezone

    @property
    def _needs_past(self) -> bool:
        return bool(self._facts or self.session.watching.watched.constraints)

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
            self._orders.foreseen,
            trades,
            seen,
        )
        self._wrong = False
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
            self._orders.still,
            self.session.counts["decisions"] + 1,
            self.session.counts["trades"] + 1,
            np.zeros(count, dtype=np.int64),
            self._orders.said,
        )
        count = len(reckoned)
        if count and self._needs_past:
            done.past = self._past(done, count, self._from(start, now))
            count = self._calm(done.past, now)
        judged, goes = self._orders.judge(done, count)
        self._wrong = goes == ANEW and not judged
        if goes == OVER or (goes == ON and judged < len(reckoned)):
            self._again = int(trades[judged, paths.ENTRY]) + 1  # that one is the session's, whatever comes before it
        return self._cut(done, judged)

    def _from(self, start: int, now: int | None) -> _Begun:
        account = self.session.account
        settled = None if now is None else self.session.rests_from
        return _Begun(Before.of(account), account.day_ends, settled, start)

    def _past(self, passage: Passage, count: int, since: _Begun) -> Past:
        session, zone = self.session, self._zone
        trades, way = passage.trades[:count], passage.way[:count]
        decided, out = trades[:, paths.DECIDED], passage.ends[:count]
        seen = seen_until(self.instants, decided, out, taken_of(trades), session.windows, since.settled, zone)
        days, _ = begun(self.instants, decided, out, seen, since.day_ends, zone)
        signs, ticks = self._numbers[way, paths.SIGN], self._numbers[way, paths.DECIMALS]
        leaving, period = passage.leaving[:count], min(session.gates)
        of = (
            since.account,
            self.instants,
            passage.prices,
            trades,
            passage.chain,
            leaving,
            seen,
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
            calm(self.session.plan.graph, watched, self._watched, past, now)
            if watched.constraints
            else np.ones(len(past), dtype=np.bool_)
        )
        if self._names & OF_EQUITY:
            is_calm &= ~past.doubtful
        return len(past) if bool(is_calm.all()) else int(is_calm.argmin())

    def _cut(self, whole: Passage, count: int) -> Passage | None:
        """The first trades alone, and none whose exit falls on an instant at which another is wanted that is not among them."""
        places, wanted = self._place, whole.trades
        while count and taken_of(wanted[count - 1 : count])[0]:
            out = int(self._prices.place(wanted[count - 1 : count, paths.CLOSED])[0])
            following = int(places.searchsorted(out))
            if following == len(places) or places[following] != out:
                break
            count -= 1
        if not count:
            return None
        found = whole.part(0, count)
        return found if 2 * count > len(whole) else found.copied()  # it is kept until it is told

    # --- what it leaves behind ---------------------------------------------------------------------------------------

    def _leave_behind(self, passage: Passage, start: int, now: int | None) -> None:
        session, account, decided = self.session, self.session.account, passage.trades[:, paths.DECIDED]
        if self.recorder is not None:
            if not self._pending:
                self._begun = self._from(start, now)
            self._pending.append(passage)
        past, (days, ends) = passage.past, self._days(passage, account.day_ends)
        for name, count in self._counted(passage):
            session.counts[name] += count
        self.passed += len(passage)
        last = int(passage.ends[-1])
        if past is not None:
            leave_behind(account, past, passage.is_taken, last, self._facts)
        left = int(self.instants[passage.ends[passage.which[-1]]]) if len(passage.which) else None
        if left is None:
            account.observe(int(self.instants[decided[0]]))
        else:
            account.pass_trades(passage.chain.after.one(len(passage) - 1), left)
        if len(days):
            account.day_starts, account.day_ends = began(int(self.instants[days.place[-1]]), self._zone), ends
        session.pass_trades(int(self.instants[last]), left)
        if len(self._pending) > 1:  # theirs is worked out anew, for all of them together
            self._pending[0].past = self._pending[-1].past = None

    def _days(self, passage: Passage, ends: int) -> tuple[Days, int]:
        """The days that begin in a passage, and when the last of them ends; the one before it `ends` then."""
        count, past = len(passage), passage.past
        seen = np.full(count, -1) if past is None else past.seen[:count]
        return begun(self.instants, passage.trades[:, paths.DECIDED], passage.ends, seen, ends, self._zone)

    def _counted(self, passage: Passage) -> Iterable[tuple[str, int]]:
        """What a passage adds to the counts of a session."""
        whole, taken = len(passage), len(passage.which)
        found = {"decisions": whole, "proposals": whole, "approved": taken, "rejected": whole - taken, "trades": taken}
        return found.items()

    def _record(self, passage: Passage, recorder: TakesStreams) -> None:
        session, terms = self.session, passage.terms
        if terms is None:
            session.recorder.record(list(told(passage, session, beside(passage, self._curves(passage)))))
        else:
            ahead = ahead_of(passage.alone, session, terms)
            recorder.record_stream(Told(passage, session, terms, self._curves(passage), ahead))

    def _curves(self, passage: Passage) -> list[tuple[int, int, Curve]]:
        """Notes the points of the curve; those records that are complete with the trade and place at which they are."""
        if not len(passage.which):
            return []
        curve, instants, out = self.session.curve, self.instants, passage.ends
        numbers = self._numbers[passage.way]
        held = drawn(passage, numbers[:, paths.SIGN], int(numbers[:, paths.DECIMALS].max()))
        first = POINTS - curve.pending - 1
        curve.note_holdings(held)
        done = instants.searchsorted(held.times[first::POINTS]).tolist()
        return [(int(out.searchsorted(place)), place, one) for place, one in zip(done, curve.full(), strict=True)]

    def _note_busy(self, passage: Passage, start: int) -> None:
        """The entries whose condition held meanwhile and that proposed nothing."""
        # after an exit, what holds at its close is asked next; beside an order that was refused it is not asked
        side: Literal["left", "right"] = "left" if passage.is_taken[-1] else "right"
        silent = np.ones(int(self._place.searchsorted(passage.ends[-1], side=side)) - start, dtype=np.bool_)
        silent[passage.trades[:, paths.ENTRY] - start] = False
        which = np.flatnonzero(silent) + start
        for key, one in (self.terms or {}).items():
            self.states[key][self._row[which[self._way[which] == one.number]]] = BUSY


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
