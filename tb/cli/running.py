"""Wires a running session: its feed, clock, venue, ledger and folder; begun, gone on with, or taken again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file
from tb.core.time import show_duration, show_instant

if TYPE_CHECKING:
    from tb.core.records import Run
    from tb.ledger.store import Ledger
    from tb.runtime.policy import Compiled
    from tb.runtime.ports.alerts import Alerts
    from tb.runtime.ports.exchange import Exchange
    from tb.runtime.ports.feed import BarFeed, Clock
    from tb.runtime.running.building import VenueOf
    from tb.runtime.running.inputs import Input, Opening
    from tb.runtime.running.loop import Loop
    from tb.runtime.running.remembering import Stretch
    from tb.runtime.running.stepper import Stepper
    from tb.runtime.running.unfinished import Missing


@dataclass(frozen=True, slots=True)
class World:
    """What a session sees. `ends` is the last close of a recorded market, None where bars keep coming; `instruments` those of
    its bars, all of one `period` in ms."""

    feed: BarFeed
    clock: Clock
    instruments: tuple[str, ...]
    period: int
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A session ready to run. `went_on` says that it is not new."""

    run: Run
    opening: Opening
    stepper: Stepper
    folder: Path
    inputs: tuple[Input, ...]
    went_on: bool


def venue_of(mode: str, compiled: Compiled) -> VenueOf:
    """What makes the venue of a mode."""
    if mode == "dry-run":
        from tb.runtime.running.dry import DryVenue

        return lambda _: DryVenue()
    from tb.replay.paper import PaperVenue

    return lambda market: PaperVenue(compiled.settings, market)


def begin(compiled: Compiled, ledger: Ledger, mode: str, world: World) -> Begun:
    """A new session: its run in the ledger, its folder, its first input on the disk."""
    from tb.cli.replay import adviser_of
    from tb.runtime.running.building import build
    from tb.runtime.running.recording import LiveRecorder

    run, folder, opening = _started(compiled, ledger, mode, world)
    recorder = LiveRecorder(run.id, ledger)
    stepper = build(
        opening,
        compiled.plan,
        compiled.settings,
        venue_of=venue_of(mode, compiled),
        recorder=recorder,
        adviser=adviser_of(compiled),
    )
    return Begun(run, opening, stepper, folder, (opening,), went_on=False)


def _started(
    compiled: Compiled, ledger: Ledger, mode: str, world: World, told: Mapping[str, str] | None = None
) -> tuple[Run, Path, Opening]:
    """A run in the ledger, its folder, and its first input on the disk."""
    from tb.runtime.running.inputs import Journal, Opening
    from tb.runtime.running.sessions import new_folder
    from tb.runtime.running.taking_over import AFTER

    started = time.time_ns() // 1_000_000
    folder = new_folder(compiled.project.root, ledger.path, mode, started)
    config = {"inputs": str(folder), "data_path": str(folder), **(told or {})}
    run = ledger.start_run(_run(compiled, ledger.put_policy(compiled.project.texts), mode, world, started, config))
    opening = Opening(
        run=run.id,
        mode=mode,
        policy_hash=run.policy_hash,
        instruments=world.instruments,
        period=world.period,
        has_quotes=world.feed.quoted is None or bool(world.feed.quoted),
        quoted=None if world.feed.quoted is None else tuple(sorted(world.feed.quoted)),
        source=world.feed.name,
        after=config.get(AFTER),
    )
    journal = Journal(folder)
    journal.open()
    if not journal.write(opening):
        raise Refused([error("TB861", journal.trouble, whole_file(str(journal.path)), "free some space, and begin again")])
    journal.close()
    return run, folder, opening


def go_on(compiled: Compiled, ledger: Ledger, run: Run, world: World) -> Begun:
    """A session that was cut short or stopped, after all its inputs were taken again. Raises Refused where they do not give
    what the ledger has, and where its policy, its instruments or its bars are others now."""
    from tb.cli.replay import adviser_of
    from tb.ledger import policy_hash
    from tb.runtime.running.building import build
    from tb.runtime.running.recording import LiveRecorder
    from tb.runtime.running.sessions import folder_of, opened, same_policy

    folder = folder_of(run)
    opening, found = opened(folder)
    same_policy(opening, policy_hash(compiled.project.texts), folder)
    _same_world(opening, world, folder, compiled.settings.live.venue)
    recorder = LiveRecorder(run.id, ledger, ledger.records(run.id))
    stepper = build(
        opening,
        compiled.plan,
        compiled.settings,
        venue_of=venue_of(opening.mode, compiled),
        recorder=recorder,
        adviser=adviser_of(compiled),
    )
    inputs = tuple(taken(stepper, found))
    recorder.take_told()
    if recorder.has_more():
        message = f"the ledger has more of run {run.id} than its inputs give"
        hint = "restore the folder from a backup, or start a new session with `tb run --new`"
        raise Refused([error("TB862", message, whole_file(str(folder)), hint)])
    return Begun(run, opening, stepper, folder, (opening, *inputs), went_on=True)


def taken(stepper: Stepper, inputs: Iterable[Input]) -> Iterator[Input]:
    """Takes inputs one after the other."""
    for given in inputs:
        stepper.take(given)
        yield given


def _same_world(opening: Opening, world: World, folder: Path, venue: str | None) -> None:
    sources = (opening.source, world.feed.name)  # a folder may have moved; a venue's bars and recorded ones are two markets
    for what, there, here in (
        *((("bars from", *sources),) if venue in sources else ()),
        ("bars of", show_duration(opening.period), show_duration(world.period)),
        ("the instruments", ", ".join(opening.instruments), ", ".join(world.instruments)),
    ):
        if there != here:
            message = f"session {opening.run} has {what} {there}, and now they are to be {here}"
            raise Refused([error("TB863", message, whole_file(str(folder)), "start a new session with `tb run --new`")])


def _run(compiled: Compiled, policy: str, mode: str, world: World, started: int, config: dict[str, str]) -> Run:
    from tb.cli.version import installed
    from tb.core.records import Run

    account, now = compiled.settings.account, world.clock.now()
    first = now - now % world.period + world.period
    return Run(
        id="r0",
        mode=mode,
        started=started,
        policy_hash=policy,
        data=world.feed.name,
        data_hash="",
        first=first,
        last=first,
        instruments=world.instruments,
        period=world.period,
        initial_equity=account.equity,
        currency=account.currency,
        config=config,
        version=installed(),
    )


@contextmanager
def stopped_by_signals(loop: Loop) -> Iterator[None]:
    """While this lasts, SIGINT and SIGTERM end the session in good order; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: FrameType | None) -> None:
        if loop.is_stopping:
            raise KeyboardInterrupt
        loop.stop(f"stopped by {signal.Signals(number).name}")

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class WallClock:
    """The machine's clocks. The steady one goes on while the machine sleeps, where the system has such a clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def steady(self) -> int:
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return (time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)) // 1_000_000

    def wait(self, span: int) -> None:
        time.sleep(span / 1000)


def recorded_world(
    compiled: Compiled,
    folder: Path,
    instruments: tuple[str, ...] | None,
    first: int | None,
    last: int | None,
    speed: float,
    newest: int | None,
) -> World:
    """Recorded bars, played as if they came now; `newest` is the last close that a session to go on with has seen."""
    from tb.cli.replay import market_for
    from tb.replay.data import NOTHING_LEFT
    from tb.replay.playback import Playback, SimulatedClock

    market = market_for(compiled, folder, instruments, None, last)
    if first is not None and first >= market.last:
        message = f"no bar closes after --from: the last one does at {show_instant(market.last)}"
        raise Refused([error(NOTHING_LEFT, message, whole_file(str(folder)), "move --from")])
    starts = market.first - market.period if first is None else first
    clock = SimulatedClock(starts if newest is None else max(newest, starts), speed)
    return World(Playback(market), clock, tuple(sorted(market.bars)), market.period, market.last)


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a live account before a session: its live runs, first to last, and the one to go on with."""

    runs: tuple[Run, ...]
    found: Run | None

    @property
    def earlier(self) -> Run | None:
        """The run before the one that begins or goes on."""
        before = [run for run in self.runs if self.found is None or run.id != self.found.id]
        return before[-1] if before else None


def live_account(compiled: Compiled, ledger: Ledger, found: Run | None) -> Account:
    from tb.runtime.running.taking_over import live_runs

    return Account(tuple(live_runs(ledger, compiled.settings.live.venue)), found)


def account_of(compiled: Compiled, ledger: Ledger, found: Run | None) -> Account:
    """Raises Refused TB866 where the account is measured by something else now, or nothing is known of its halts."""
    from tb.runtime.gateway.looking import sent_orders
    from tb.runtime.running.taking_over import journal_is_known, same_account

    settings, account = compiled.settings, live_account(compiled, ledger, found)
    orders, _ = sent_orders(compiled.project.root / settings.live.state)
    newest = account.runs[-1] if account.runs else None
    journal_is_known(len(orders.all), newest, settings)
    if newest is not None:
        same_account(settings, newest)
    return account


@dataclass(frozen=True, slots=True)
class Taken:
    """What a live session takes over from the account's earlier runs, in lines for people; `run` is the newest of them."""

    run: str
    halts: tuple[str, ...]
    numbers: tuple[str, ...]

    def lines(self) -> list[str]:
        return [f"the account goes on as run {self.run} left it:", *(f"  {one}" for one in (*self.halts, *self.numbers))]


def taken_over(compiled: Compiled, ledger: Ledger, account: Account, now: int) -> Taken | None:
    """None where the account had no live run. A flatten that waits counts among the halts."""
    from tb.cli.operating import waiting_flatten
    from tb.runtime.operator import Inbox
    from tb.runtime.running.taking_over import halts, numbers, stretches

    if not account.runs:
        return None
    books = [book.name for book in compiled.plan.program.capital.books]
    past = stretches(ledger, account.runs)
    missing = missing_inputs(compiled, account.runs)
    lost = () if missing is None else (missing.words,)
    ordered = waiting_flatten(Inbox(compiled.project.root / compiled.settings.live.state))
    stopped = (*(() if ordered is None else (ordered,)), *halts(books, past, now))
    return Taken(account.runs[-1].id, stopped, (*lost, *numbers(compiled.settings, past, now)))


def missing_inputs(compiled: Compiled, runs: Sequence[Run]) -> Missing | None:
    """What is known of a flatten where inputs of these runs are gone; None where they are there. Raises Refused TB853 where the
    operator's orders cannot be read."""
    from tb.runtime.gateway.breaker import Breaker
    from tb.runtime.gateway.looking import BREAKER
    from tb.runtime.operator import Inbox
    from tb.runtime.running.unfinished import Missing, ordered_flatten, without_inputs

    gone = without_inputs(runs)
    if not gone:
        return None
    folder = compiled.project.root / compiled.settings.live.state
    return Missing(tuple(gone), ordered_flatten(Inbox(folder).heard(), Breaker(folder / BREAKER).now()))


def _inputs_of(run: Run) -> Iterator[Input]:
    """What came to an earlier run; of one whose inputs are gone `missing_inputs` tells. Raises Refused TB860 where they are
    damaged: a flatten may have been ordered there that is not done."""
    from tb.runtime.running.sessions import folder_of, opened
    from tb.runtime.running.unfinished import without_inputs

    if not without_inputs([run]):
        yield from opened(folder_of(run))[1]


def _newest_close(past: Sequence[Stretch], inputs: Iterable[Input]) -> int | None:
    """The newest close that was decided at, by inputs and by what was stated at closes."""
    from tb.core.records import Handling
    from tb.runtime.running.inputs import Close
    from tb.runtime.running.remembering import CLOSE

    stated = (one for stretch in past for one in stretch.records if isinstance(one, Handling))
    closes = [one.at for one in stated if one.what == "account" and one.status == CLOSE]
    return max([*closes, *(one.at for one in inputs if isinstance(one, Close))], default=None)


def begin_live(compiled: Compiled, ledger: Ledger, world: World, exchange: Exchange, alerts: Alerts, account: Account) -> Begun:
    """A live session, new or gone on with: its state is the gateway's journal and what the runs of its account recorded. Raises
    Refused where its policy, its instruments or its bars are others now, and as the gateway's files do."""
    from tb.cli.live import connect_gateway, live_capital, with_capital
    from tb.cli.replay import adviser_of
    from tb.ledger import policy_hash
    from tb.runtime.ports.alerts import Alert
    from tb.runtime.running.building import build
    from tb.runtime.running.inputs import History
    from tb.runtime.running.remembering import Remembering
    from tb.runtime.running.sessions import bars_of, folder_of, opened, same_policy
    from tb.runtime.running.taking_over import account_config, restore_session, stretches, take_over

    found, earlier = account.found, account.earlier
    inputs: tuple[Input, ...] = ()
    if found is None:
        capital = live_capital(compiled, exchange, earlier)
        told = account_config(compiled.settings, earlier, capital.moved)
        compiled = with_capital(compiled, capital.began)
        run, folder, opening = _started(compiled, ledger, "live", world, told)
    else:
        run, folder = found, folder_of(found)
        compiled = with_capital(compiled, run.initial_equity)
        opening, more = opened(folder)
        inputs = tuple(more)
        same_policy(opening, policy_hash(compiled.project.texts), folder)
        _same_world(opening, world, folder, compiled.settings.live.venue)
    runs = [one for one in account.runs if one.id != run.id] + [run]
    missing = missing_inputs(compiled, runs[:-1])
    past = stretches(ledger, runs)
    line = connect_gateway(compiled, ledger, run, exchange, world.clock, alerts, past)
    stepper = build(
        opening,
        compiled.plan,
        compiled.settings,
        venue_of=lambda _: line.venue,
        recorder=line.records,
        adviser=adviser_of(compiled),
    )
    before = bars_of(inputs)
    if before:
        stepper.take(History(bars=before))
    now, session = world.clock.now(), stepper.session
    came = [*(given for one in runs[:-1] for given in _inputs_of(one)), *inputs]
    restore_session(session, past, now, _newest_close(past, came))
    remembering = Remembering(session)
    session.remember = remembering.note
    take_over(session, remembering, past[-1].records, earlier, now)
    line.gateway.attach(session.settling)
    line.venue.go_on_flattening(came)
    if missing is not None:
        alerts.send(Alert("session", "critical" if missing.flatten else "warning", missing.words, now))
        line.venue.go_on_flattening([] if missing.flatten is None else [missing.flatten])
    return Begun(run, opening, stepper, folder, (opening, *inputs), went_on=found is not None)
