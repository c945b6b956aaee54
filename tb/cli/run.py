"""`tb run`: the project's rules and limits on bars as they come: dry-run, paper or live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import compiled_project
from tb.cli.options import command, instant, json_option, ledger_option, names, project_option
from tb.cli.output import encode, put, say

if TYPE_CHECKING:
    from tb.cli.running import Begun, World
    from tb.ledger import Place
    from tb.ledger.store import Ledger
    from tb.runtime.policy import Compiled
    from tb.runtime.running.loop import Loop


@command(
    "run",
    "tb run --mode dry-run --once",
    "tb run --mode paper",
    "tb run --mode paper --data ../data/crypto_1h --from 2024-01-01 --speed max   # recorded bars, as if they came now",
)
@click.option(
    "--mode", type=click.Choice(["dry-run", "paper", "live"]), default="dry-run", show_default=True, help="What it may do."
)
@click.option("--once", is_flag=True, help="Decide on the newest closed bar, and end: for a scheduler.")
@click.option("--instruments", type=names, metavar="A,B", help="These alone.")
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="Recorded bars, played as if they came now.")
@click.option("--from", "first", type=instant, metavar="TIME", help="With --data: begin here; earlier bars warm up.")
@click.option("--to", "last", type=instant, metavar="TIME", help="With --data: leave out bars that close after this.")
@click.option("--speed", metavar="N", help="With --data: the clock at N times real time (`1000x`), or `max` (the default).")
@click.option("--new", is_flag=True, help="Begin a new session, whatever an earlier one left open.")
@ledger_option
@project_option
@json_option
def tb_run(
    mode: str,
    once: bool,
    instruments: tuple[str, ...] | None,
    data: Path | None,
    first: int | None,
    last: int | None,
    speed: str | None,
    new: bool,
    ledger: Place | None,
    project: Path,
    as_json: bool,
) -> None:
    """Run the project's rules and limits on bars as they come.

    `dry-run` decides and records, and sends nothing; `paper` fills on the simulated venue from the bars that come; `live`
    trades. At each close it tells what it did, or why it did nothing. Ctrl-C or SIGTERM ends it in good order: entries on their
    way are taken back, positions stay as they are. A session that was stopped, or killed, goes on where it was with the same
    command.
    """
    from tb.cli.following import speed as read_speed
    from tb.ledger import open_ledger

    if data is None and (first is not None or last is not None or speed is not None):
        raise click.UsageError("--from, --to and --speed are about recorded bars: add --data PATH")
    if mode == "live" and data is not None:
        raise click.UsageError("recorded bars cannot be traded live; use --mode paper")
    compiled = compiled_project(project)
    path = ledger or compiled.project.ledger
    with open_ledger(path) as opened:
        world = _world(compiled, opened, mode, data, instruments, first, last, read_speed(speed or "max"), new=new)
        begun = _begun(compiled, opened, mode, world, new=new)
        _tell_begun(begun, as_json=as_json)
        loop = _loop(compiled, begun, world, as_json=as_json)
        _run(loop, once=once)
        _end(opened, begun, loop, as_json=as_json)


def _world(
    compiled: Compiled,
    ledger: Ledger,
    mode: str,
    data: Path | None,
    instruments: tuple[str, ...] | None,
    first: int | None,
    last: int | None,
    speed: float,
    *,
    new: bool,
) -> World:
    from tb.cli.running import live_world, recorded_world
    from tb.runtime.running.inputs import Close
    from tb.runtime.running.sessions import folder_of, opened, unfinished

    if data is None:
        return live_world(compiled, instruments, None)
    found = None if new else unfinished(ledger, mode)
    newest = None
    if found is not None:
        _, inputs = opened(folder_of(found))
        newest = max((given.at for given in inputs if isinstance(given, Close)), default=None)
    return recorded_world(compiled, data, instruments, first, last, speed, newest)


def _begun(compiled: Compiled, ledger: Ledger, mode: str, world: World, *, new: bool) -> Begun:
    from tb.cli.running import begin, go_on
    from tb.runtime.running.sessions import unfinished

    found = None if new else unfinished(ledger, mode)
    return begin(compiled, ledger, mode, world) if found is None else go_on(compiled, ledger, found, world)


def _loop(compiled: Compiled, begun: Begun, world: World, *, as_json: bool) -> Loop:
    from tb.cli.cycles import put_cycle
    from tb.cli.operating import posts
    from tb.runtime.running.inputs import Journal
    from tb.runtime.running.loop import Loop, Waits
    from tb.runtime.running.sessions import BarFiles
    from tb.runtime.running.timekeeping import Timekeeping
    from tb.runtime.running.warming import warm_up_of

    journal = Journal(begun.folder)
    journal.open()
    files = BarFiles(begun.folder, world.instruments, has_quotes=world.feed.has_quotes)
    for given in begun.inputs:
        files.take(given)
    kill, inbox = posts(compiled.project.root)
    currency = compiled.settings.account.currency
    return Loop(
        begun.stepper,
        world.feed,
        journal,
        Timekeeping(world.clock, compiled.settings.live.clock_skew, world.period),
        warm_up=warm_up_of(begun.stepper.session.plan),
        ends=world.ends,
        waits=Waits() if world.ends is None else Waits(look=world.period, late=world.period),
        inbox=inbox,
        kill=kill,
        files=files,
        tell=lambda cycle: put_cycle(cycle, currency, as_json=as_json),
    )


def _run(loop: Loop, *, once: bool) -> None:
    from tb.cli.running import stopped_by_signals

    with stopped_by_signals(loop):
        loop.run(once=once)


def _tell_begun(begun: Begun, *, as_json: bool) -> None:
    if not as_json:
        say(f"run {begun.run.id}: {begun.opening.mode} on {begun.opening.source}, {'gone on with' if begun.went_on else 'new'}")


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
