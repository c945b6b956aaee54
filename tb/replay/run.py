"""replay: history in, the same session step as live, everything into the ledger.

1. The plan's market columns are evaluated over all bars (`tb.runtime.view`).
2. Columns say where something can happen: every bar at which an entry's condition holds inside its universe (`_candidates`).
3. Between these instants nothing can change while nothing is held, on its way, paused or halted, and no watched limit looks
   back at such a time: they are skipped. Else every bar is stepped: the venue first (`SimulatedVenue.advance`), then the
   session (`Session.needs_every_bar`).
4. What was not proposed is recorded compactly at the end (`_quiet`), then the summary.

INVARIANT: nothing here reads a bar that closes after the instant being decided.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tb.core.records import Mark, Quiet, Record
from tb.core.settings import Settings
from tb.engine.bars import instants_of
from tb.engine.columns import CHUNK, Columns
from tb.engine.markets import Markets
from tb.engine.plan import Plan, with_data
from tb.ledger import GROUP, DecisionLog, Group, Grouping
from tb.ledger.sheets import Stream
from tb.replay.beside import Beside
from tb.replay.candidates import Candidates
from tb.replay.course.passing import Course
from tb.replay.data import Market
from tb.replay.memory import keep_what_is_freed
from tb.replay.pace import Followed, Pace
from tb.replay.patience import note_for_the_next, patience
from tb.replay.skipping import Skipper
from tb.replay.venue import SimulatedVenue
from tb.runtime.assumptions import assumptions_of
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import BUSY, COOLING, FALSE, OUTSIDE, UNKNOWN, packed
from tb.runtime.policy import gates_of
from tb.runtime.ports import Adviser
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.view import RecordedView, columns_of

Progress = Callable[[int, int], None]


MUCH = 3 * GROUP  # records of a stream from which on a ledger makes itself ready for them
AHEAD = 2  # times that groups are handed on before what was handed on first must be written


class Keeps(Protocol):
    """Where a run's records are kept: a ledger, or whatever stands in its place."""

    def append_group(self, run: str, *groups: Group, log: DecisionLog | None = None) -> None: ...


@runtime_checkable
class Expects(Protocol):
    """What can make itself ready for much that follows."""

    def expect_much(self) -> None: ...


class _Recorder:
    """Writes records in groups (`tb.ledger.grouping`); keeps the hash of decisions with or without a ledger.

    Groups that come several at once, out of a stream, are written beside, while the next are made: the disk and the hashes let
    others run. Their bytes are made here, since nothing runs beside that. What goes wrong there is raised by the next call.
    Whoever uses a recorder calls `close` in the end, however it ends: nothing is written any more after that.
    """

    def __init__(self, run: str, ledger: Keeps | None) -> None:
        self.run, self.ledger, self.log = run, ledger, DecisionLog()
        self._grouping = Grouping(self._keep)
        self._beside: ThreadPoolExecutor | None = None
        self._written: deque[Future[None]] = deque()
        self._last: Group | None = None  # that was handed to the other thread

    def record(self, records: Iterable[Record]) -> None:
        self._grouping.take(records)

    def record_stream(self, stream: Stream) -> None:
        ledger: object = self.ledger
        if stream.count >= MUCH and self._beside is None and isinstance(ledger, Expects):
            self._submit(ledger.expect_much)
        self._grouping.take_stream(stream)

    def flush(self) -> None:
        """Writes all records that came."""
        self._grouping.close()
        if self._written and self._last is not None:
            self.log.expect_last(self._last)
        self._wait()

    def close(self) -> None:
        """Waits for what is being written, and lets go of what it has: a run's columns are not kept until someone looks for
        circles."""
        if self._beside is not None:
            self._beside.shutdown()
        del self._grouping, self.log, self._last
        self._written.clear()

    def _keep(self, *groups: Group) -> None:
        if len(groups) > 1 or self._beside is not None:
            for group in groups:
                _ = group.decisive if self.ledger is None else group.entries
        if len(groups) == 1 and self._beside is None:
            self._write(*groups)
        else:
            self._wait(AHEAD - 1)
            self._last = groups[-1]
            self._submit(partial(self._write, *groups))

    def _submit(self, what: Callable[[], None]) -> None:
        self._beside = self._beside or ThreadPoolExecutor(1, "ledger")
        self._written.append(self._beside.submit(what))

    def _wait(self, most: int = 0) -> None:
        """Until no more than that is being written."""
        while len(self._written) > most:
            self._written.popleft().result()

    def _write(self, *groups: Group) -> None:
        if self.ledger is not None:
            self.ledger.append_group(self.run, *groups, log=self.log)
            return
        for group in groups:
            self.log.take(group)


class _Nothing:
    """Where nothing is kept."""

    def record(self, records: Iterable[Record]) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay came to. `counts` as in `Session.counts`; money in account currency. `interrupted` is the instant at which
    it was ended early, None where it went through; `bars` are those that had closed by its end."""

    counts: dict[str, int]
    bars: int
    instruments: tuple[str, ...]
    final_equity: Decimal | None
    open_positions: int
    decision_log_hash: str
    halted_by: str | None
    interrupted: int | None = None


def markets_of(plan: Plan, market: Market, settings: Settings) -> Markets:
    """The market as the engine reads it, with the stand-ins that the settings state."""
    return Markets(market.bars, assumptions_of(settings, market.bars), plan.tiers, market.feeds, market.funding)


def replay_market(
    *,
    run: str,
    plan: Plan,
    settings: Settings,
    market: Market,
    policy_hash: str,
    ledger: Keeps | None = None,
    progress: Progress | None = None,
    chunk: int = CHUNK,
    adviser: Adviser | None = None,
    pace: Pace | None = None,
    keep: bool = True,
) -> Outcome:
    """Runs the plan over the market. Deterministic: the same arguments give the same records, whatever the chunk.

    Without `keep` nothing is recorded and nothing is hashed: the outcome is all there is, its `decision_log_hash` empty.
    `pace` follows it, and may end it early: then what was decided until then is recorded, and nothing of the time after.
    """
    plan = with_data(plan, market.bars)
    markets = markets_of(plan, market, settings)
    rates = Rates(settings, market.bars)
    view = RecordedView(plan.graph, markets, _columns(plan, markets, chunk), rates)
    venue = SimulatedVenue(settings, market.bars, rates)
    kept = _Recorder(run, ledger) if keep else None
    with closing(kept or _Nothing()) as recorder:
        session = Session(
            run=run,
            plan=plan,
            settings=settings,
            view=view,
            venue=venue,
            recorder=recorder if pace is None else Followed(recorder, pace),
            policy_hash=policy_hash,
            gates=gates_of(plan, patience=patience()),
            halts_lifted_after=settings.halts_lifted_after,
            adviser=adviser,
            promises=pace is None,
            keeps=keep,
        )
        states = _states(plan, view)
        go_on = None if pace is None else partial(pace.go_on, flush=recorder.flush)
        when = _instants(plan, view)
        candidates = Candidates(plan, view, states, when)
        course = Course(session, view, when, candidates, states, kept) if pace is None else None
        interrupted = _run(session, venue, view, when, course, candidates, states, market, progress, go_on)
        if keep:
            _record_end(session, recorder, plan, view, states, market.last if interrupted is None else interrupted)
        recorder.flush()
        note_for_the_next(session.counts["decisions"] - (0 if course is None else course.passed))
        return Outcome(
            session.counts,
            market.rows if interrupted is None else market.closed(interrupted),
            tuple(market.bars),
            session.account.equity(),
            len(session.positions),
            "" if kept is None else kept.log.hexdigest(),
            session.latches.words("halt"),
            interrupted,
        )


def _columns(plan: Plan, markets: Markets, chunk: int) -> Columns:
    keep_what_is_freed()
    with Beside() as beside:
        return columns_of(plan, markets, chunk=chunk, beside=beside)


def _record_end(
    session: Session, recorder: _Recorder | _Nothing, plan: Plan, view: RecordedView, states: States, last: int
) -> None:
    session.settling.record_open()
    recorder.record([_last_mark(session, last)] if session.account.equity() is not None else [])
    recorder.record([session.curve.record()] if session.curve else [])
    recorder.record(list(_quiet(plan, view, states, last)))


States = dict[tuple[int, int, str], NDArray[np.uint8]]


def _states(plan: Plan, view: RecordedView) -> States:
    """For each strategy, entry and instrument: what its condition is at each bar."""
    states: States = {}
    for at, strategy in enumerate(plan.strategies):
        for symbol in strategy.looks():
            if symbol not in view.markets.base:
                continue
            membership = strategy.membership_of(symbol)
            for which, enter in enumerate(strategy.entries_of(symbol)):
                # the bytes of truths are those of states
                is_said = plan.graph[enter.when].op == "const"
                state = np.empty(0, dtype=np.uint8) if is_said else view.truth(enter.when, symbol).copy()
                if membership is not None:
                    member = view.truth(membership, symbol)
                    state[member == UNKNOWN] = UNKNOWN
                    state[member == FALSE] = OUTSIDE
                states[at, which, symbol] = state
    return states


def _run(
    session: Session,
    venue: SimulatedVenue,
    view: RecordedView,
    when: NDArray[np.int64],
    course: Course | None,
    candidates: Candidates,
    states: States,
    market: Market,
    progress: Progress | None,
    go_on: Callable[[int], int | None] | None = None,
) -> int | None:
    """Steps through all instants, or until `go_on` says where to end, which is then returned."""
    instants: Sequence[int] = when.data
    skipper = Skipper(session, venue, view, when, candidates)
    jumps, jump = candidates.listed, 0
    at = told = 0
    done = market.first - market.period  # how far session and account have come
    begins_broken = bool(len(instants)) and session.fails_at_rest(instants[0])
    while at < len(instants):
        rests = bool(venue.orders)  # one may outlive what it closes: the next open that is known ends it
        # where the first bar counts, what it set in force does from then on
        steps = (rests or session.needs_every_bar(instants[at - 1])) if at else begins_broken
        if not steps:
            jump = bisect_left(jumps, at, jump)
            if jump == len(jumps):
                break
            at = jumps[jump]
        may_pass = course is not None and session.is_flat and not rests and (at > 0 or not steps)
        if course is not None and may_pass and (passed := course.pass_over(at, steps)) > at:
            at, done = passed, instants[passed - 1]
            continue
        if course is not None:
            course.tell()
        if steps and at:
            at, silent = skipper.pass_over(at)
            done = instants[at - 1]
            _note_silent(session, states, silent)
            if at == len(instants):
                break
        instant = instants[at]
        if go_on is not None and (ended := go_on(instant)) is not None:
            skipper.finish(at)
            return max(done, min(ended, instant - 1))
        done = instant
        leaving = skipper.advance(at, instant, market.period)
        _note_silent(session, states, [(instant, session.step(instant, candidates.at(at), leaving))])
        at += 1
        if progress is not None and at - told >= 500:
            told = at
            progress(at, len(instants))
    if course is not None:
        course.tell()
    skipper.finish(at)
    if go_on is not None and done < instants[-1] and (ended := go_on(instants[-1])) is not None:
        return max(done, ended)
    if progress is not None:
        progress(len(instants), len(instants))
    return None


def _note_silent(session: Session, states: States, silent: Iterable[tuple[int, Sequence[Ready]]]) -> None:
    """Why entries whose condition held, at these instants, proposed nothing."""
    strategies, cooling = session.plan.strategies, session.cooling
    for instant, entries in silent:
        for entry in entries:
            cools = cooling.get((strategies[entry.strategy].name, entry.symbol), 0) > instant
            states[entry.strategy, entry.enter, entry.symbol][entry.row] = COOLING if cools else BUSY


def _instants(plan: Plan, view: RecordedView) -> NDArray[np.int64]:
    """Every close, of the data's bars and of the bars that strategies look at."""
    closes = [view.markets.closes(symbol, bars.period) for symbol, bars in view.markets.base.items()]
    for strategy in plan.strategies:
        members = [symbol for symbol in strategy.members if symbol in view.markets.base]
        closes += [view.markets.closes(symbol, strategy.period) for symbol in members]
    return instants_of(closes)


def _last_mark(session: Session, at: int) -> Mark:
    equity = session.account.equity()
    exposure = session.account.gross()
    assert equity is not None
    return Mark(at=at, equity=equity, exposure=exposure or Decimal(0), usage={})


def _quiet(plan: Plan, view: RecordedView, states: States, last: int) -> Iterator[Quiet]:
    """What was not proposed, at the bars that closed by `last`."""
    for at, strategy in enumerate(plan.strategies):
        for symbol in strategy.looks():
            if symbol not in view.markets.base:
                continue
            closes = view.markets.closes(symbol, strategy.period)
            closes = closes[: closes.searchsorted(last, side="right")]
            if not len(closes):
                continue
            entries = range(len(strategy.entries_of(symbol)))
            bytes_ = b"".join(states[at, which, symbol][: len(closes)].tobytes() for which in entries)
            yield Quiet(
                strategy=strategy.name,
                instrument=symbol,
                first=int(closes[0]),
                last=int(closes[-1]),
                rows=len(closes),
                states=packed(bytes_),
            )
