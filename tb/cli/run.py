"""`tb run`: the project's rules and limits on bars as they come: dry-run, paper or live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import compiled_project
from tb.cli.operating import clock_option
from tb.cli.options import command, instant, json_option, ledger_option, log_options, names, project_option
from tb.cli.output import encode, put, say

if TYPE_CHECKING:
    from tb.cli.running import Begun, World
    from tb.core.records import Run
    from tb.ledger import Place
    from tb.ledger.store import Ledger
    from tb.runtime.logs import LogFormat
    from tb.runtime.policy import Compiled
    from tb.runtime.ports.alerts import Alerts
    from tb.runtime.ports.exchange import Exchange
    from tb.runtime.ports.feed import Clock
    from tb.runtime.ports.measures import Measures
    from tb.runtime.running.loop import Loop, Waits


SILENT = 120.0  # seconds without a turn of the loop, after which `/healthz` says so


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    mode: str
    once: bool
    instruments: tuple[str, ...] | None
    interval: int | None
    data: Path | None
    first: int | None
    last: int | None
    speed: str | None
    clock: str
    new: bool
    project: Path
    as_json: bool


def _interval(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """`1h` in ms."""
    from tb.core.amount import parse_amount
    from tb.core.units import Kind

    if text is None:
        return None
    amount = parse_amount(text)
    if amount is None or amount.unit.kind is not Kind.DURATION or amount.value < 1000 or amount.value % 1000:
        raise click.BadParameter(f"`{text}` is not a period; write `1m`, `1h` or `1d`", param=parameter)
    return int(amount.value)


@command(
    "run",
    "tb run --mode dry-run --once",
    "tb run --mode paper",
    "tb run --mode live",
    "tb run --mode paper --data ../data/crypto_1h --from 2024-01-01   # recorded bars, as if they came now",
)
@click.option(
    "--mode",
    type=click.Choice(["dry-run", "paper", "live"]),
    default="dry-run",
    show_default=True,
    help="What may be sent: nothing, orders to a simulated venue, or orders to the real one.",
)
@click.option("--once", is_flag=True, help="Decide on the newest closed bar, and end: for a scheduler.")
@click.option("--interval", callback=_interval, metavar="PERIOD", help="Bars of this period (default: the longest that fits).")
@click.option("--instruments", type=names, metavar="A,B", help="These alone.")
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="Recorded bars, played as if they came now.")
@click.option("--from", "first", type=instant, metavar="TIME", help="With --data: begin here; earlier bars warm up.")
@click.option("--to", "last", type=instant, metavar="TIME", help="With --data: leave out bars that close after this.")
@click.option("--speed", metavar="N", help="With --data: the clock at N times real time (`1000x`), or `max` (the default).")
@click.option("--new", is_flag=True, help="Begin a new session, whatever an earlier one left open.")
@clock_option
@ledger_option
@log_options
@project_option
@json_option
def tb_run(
    mode: str,
    once: bool,
    interval: int | None,
    instruments: tuple[str, ...] | None,
    data: Path | None,
    first: int | None,
    last: int | None,
    speed: str | None,
    new: bool,
    clock: str,
    ledger: Place | None,
    log_format: LogFormat,
    log_level: str,
    project: Path,
    as_json: bool,
) -> None:
    """Run the project's rules and limits on bars as they come.

    `dry-run` decides and records, and sends nothing; `paper` fills on the simulated venue from the bars that come; `live`
    trades, after the checks of `tb doctor`, the operator's PIN and a typed YES. At each close it tells what it did, or why it
    did nothing. Ctrl-C or SIGTERM ends it in good order: entries on their way are taken back, positions stay as they are. A
    session that was stopped, or killed, goes on where it was with the same command.
    """
    from tb.ledger import open_ledger
    from tb.runtime.logs import set_up_logs

    asked = Asked(mode, once, instruments, interval, data, first, last, speed, clock, new, project, as_json)
    _check(asked)
    set_up_logs(log_format, level=log_level)
    compiled = compiled_project(project)
    account = compiled.settings.live.venue if mode == "live" else None
    with (
        open_ledger(ledger or compiled.project.ledger) as opened,
        opened.hold(account or mode),  # one session at a time goes on with an account, or with what was simulated
        _outside(compiled, asked) as around,
    ):
        _session(compiled, opened, asked, around)


def _check(asked: Asked) -> None:
    if asked.data is None and (asked.first is not None or asked.last is not None or asked.speed is not None):
        raise click.UsageError("--from, --to and --speed are about recorded bars: add --data PATH")
    if asked.mode == "live" and asked.data is not None:
        raise click.UsageError("recorded bars cannot be traded live; use --mode paper")
    if asked.mode == "live" and asked.once:
        raise click.UsageError("a live session looks after its positions all the time: leave out --once")
    if asked.data is not None and asked.interval is not None:
        raise click.UsageError("recorded bars have their own period: leave out --interval")


@dataclass(frozen=True, slots=True)
class Around:
    """What is outside of a session: the venue where one is asked, who is told, who counts."""

    exchange: Exchange | None
    alerts: Alerts
    measures: Measures


@contextmanager
def _outside(compiled: Compiled, asked: Asked) -> Iterator[Around]:
    from tb.cli.connecting import alert_addresses, venue_of
    from tb.connectors.supervised import Supervised
    from tb.runtime.ports.alerts import Unheard
    from tb.runtime.ports.measures import Uncounted

    live = compiled.settings.live
    exchange = None if asked.data is not None else venue_of(compiled.settings, with_key=asked.mode == "live")
    alerts: Alerts = Unheard()
    if live.alerts is not None and asked.data is None:
        from tb.connectors.alerts import alerts_to

        alerts = alerts_to(alert_addresses(live.alerts), str(live.alerts), compiled.settings.name)
    if asked.data is None and not asked.as_json:
        from tb.cli.aloud import Aloud

        alerts = Aloud(alerts)
    measures: Measures = Uncounted()
    serving = None
    if live.metrics_port is not None and asked.data is None:
        from tb.connectors.metrics import serve_metrics

        measures = serving = serve_metrics(live.metrics_port, SILENT)
    try:
        yield Around(None if exchange is None else _guarded(exchange, alerts), alerts, Supervised(measures))
    finally:
        alerts.close()
        if serving is not None:
            serving.close()
        if exchange is not None:
            exchange.close()


def _guarded(exchange: Exchange, alerts: Alerts) -> Exchange:
    """The venue's adapter, whose own mistakes are no answers, and alerts."""
    from tb.cli.operating import now
    from tb.runtime.guarded import Guarded
    from tb.runtime.ports.alerts import Alert

    return Guarded(exchange, now=now, told=lambda words: alerts.send(Alert("session", "critical", words, now())))


def _session(compiled: Compiled, ledger: Ledger, asked: Asked, around: Around) -> None:
    from tb.cli.running import account_of, begin, begin_live, go_on, stopped_by_signals, taken_over
    from tb.runtime.running.sessions import unfinished

    found = None if asked.new else unfinished(ledger, asked.mode)
    world = _world(compiled, asked, around, found)
    if asked.mode == "live":
        from tb.cli.live import may_trade

        assert around.exchange is not None  # recorded bars are not traded live
        account = account_of(compiled, ledger, found)
        taken = taken_over(compiled, ledger, account, world.clock.now())
        lines = () if taken is None else taken.lines()
        may_trade(compiled, asked.project, around.exchange, world.clock, lines, by_venue=asked.clock == "venue")
        begun = begin_live(compiled, ledger, world, around.exchange, around.alerts, account)
    else:
        begun = begin(compiled, ledger, asked.mode, world) if found is None else go_on(compiled, ledger, found, world)
    if not asked.as_json:
        said = "gone on with" if begun.went_on else "new"
        say(f"run {begun.run.id}: {begun.opening.mode} on {begun.opening.source}, {said}")
    loop = _loop(compiled, begun, world, asked, around)
    with stopped_by_signals(loop), _end_told(around.alerts):
        loop.run(once=asked.once)
    loop.stepper.sending.venue.close()
    _end(ledger, begun, loop, as_json=asked.as_json)


@contextmanager
def _end_told(alerts: Alerts) -> Iterator[None]:
    """Where a session cannot go on, whoever gets alerts hears of it: a process that is gone tells nobody."""
    from tb.cli.operating import now
    from tb.core.diagnostics import Refused
    from tb.runtime.ports.alerts import Alert

    try:
        yield
    except Exception as problem:
        why = problem.findings[0].message if isinstance(problem, Refused) else f"a mistake of tb ({type(problem).__name__})"
        words = f"the session has ended: {why}; stops and targets at the venue stay, and nothing else is looked after"
        alerts.send(Alert("session", "critical", words, now()))
        raise


def _world(compiled: Compiled, asked: Asked, around: Around, found: Run | None) -> World:
    from tb.cli.following import speed
    from tb.cli.live import venue_world
    from tb.cli.running import recorded_world
    from tb.runtime.running.inputs import Close
    from tb.runtime.running.sessions import folder_of, opened

    if around.exchange is not None:
        clock = _clock(compiled, asked, around.exchange)
        return venue_world(compiled, around.exchange, clock, asked.instruments, asked.interval)
    newest = None
    if found is not None:
        _, inputs = opened(folder_of(found))
        newest = max((given.at for given in inputs if isinstance(given, Close)), default=None)
    assert asked.data is not None  # else there is a venue
    speed_ = speed(asked.speed or "max")
    return recorded_world(compiled, asked.data, asked.instruments, asked.first, asked.last, speed_, newest)


def _clock(compiled: Compiled, asked: Asked, exchange: Exchange) -> Clock:
    from tb.cli.live import VenueClock
    from tb.cli.operating import clock_of
    from tb.cli.running import WallClock

    return WallClock() if asked.clock == "machine" else VenueClock(clock_of(asked.clock, compiled.settings, exchange))


def _waits(world: World, asked: Asked) -> Waits:
    """How patient the loop is: on a clock that runs faster than time, by its bars."""
    from tb.runtime.running.loop import Waits

    if world.ends is not None:
        return Waits(look=world.period, late=world.period)
    if asked.clock == "venue":
        return Waits(grace=world.period // 2, poll=world.period // 50, look=world.period // 50, late=world.period)
    return Waits()


def _loop(compiled: Compiled, begun: Begun, world: World, asked: Asked, around: Around) -> Loop:
    from tb.cli.cycles import put_cycle
    from tb.cli.operating import posts
    from tb.cli.overhearing import inbox_for
    from tb.runtime.running.inputs import Journal
    from tb.runtime.running.loop import Loop
    from tb.runtime.running.sessions import BarFiles
    from tb.runtime.running.timekeeping import Timekeeping
    from tb.runtime.running.warming import warm_up_of

    journal = Journal(begun.folder)
    journal.open()
    files = BarFiles(begun.folder, world.instruments, quoted=begun.opening.with_quotes())
    for given in begun.inputs:
        files.take(given)
    kill, _ = posts(compiled.project.root)
    currency = compiled.settings.account.currency
    skew = compiled.settings.live.clock_skew if asked.clock == "machine" else world.period
    return Loop(
        begun.stepper,
        world.feed,
        journal,
        Timekeeping(world.clock, skew, world.period),
        warm_up=warm_up_of(begun.stepper.session.plan),
        ends=world.ends,
        waits=_waits(world, asked),
        inbox=inbox_for(begun.opening.mode, compiled.project.root / compiled.settings.live.state),
        kill=kill,
        alerts=around.alerts,
        measures=around.measures,
        files=files,
        tell=lambda cycle: put_cycle(cycle, currency, as_json=asked.as_json),
    )


def _end(ledger: Ledger, begun: Begun, loop: Loop, *, as_json: bool) -> None:
    """A recorded market that is over ends its run; any other session can be gone on with."""
    from tb.cli.retaken import summary_of

    session = loop.stepper.session
    is_over = loop.ends is not None and not loop.is_stopping and (loop.stepper.last or 0) >= loop.ends
    summary = summary_of(loop.stepper)
    if is_over:
        ledger.finish_run(begun.run.id, summary)
    loop.journal.close()
    if as_json:
        about = {"type": "summary", "run": begun.run.id, "mode": begun.opening.mode, "finished": is_over}
        put(encode({**about, **summary}).decode())
        return
    final = session.account.equity()
    equity = "unknown" if final is None else f"{final:,.2f} {begun.run.currency}"
    put(
        f"run {begun.run.id}: {session.counts['decisions']} decisions, {session.counts['trades']} trades, "
        f"{len(session.positions)} held, equity {equity}"
    )
    if not is_over:
        say(f"`tb run --mode {begun.opening.mode}` goes on with it")
