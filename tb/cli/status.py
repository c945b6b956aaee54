"""`tb status`: how a session stands, from what it recorded; `--watch` keeps looking."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.decisions import as_object as decision_as_object
from tb.cli.opening import ledger_path, reading, run_of, settings_of
from tb.cli.operating import posts, waiting_flatten
from tb.cli.options import command, json_option, ledger_option, project_option, run_argument
from tb.cli.output import iso, put_json, width
from tb.core.diagnostics import Refused

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.console import Group

    from tb.core.records import Decision, Order, Trade
    from tb.core.settings import Settings
    from tb.ledger import Place, RunInfo
    from tb.ledger.store import Ledger
    from tb.runtime.at_venue import Bare, Guard
    from tb.runtime.overview import Overview, Use

EVERY = 2.0  # seconds between two looks


@command("status", "tb status", "tb status --watch", "tb status r3 --json")
@run_argument
@click.option("--watch", is_flag=True, help="Keep looking, until Ctrl-C.")
@ledger_option
@project_option
@json_option
def tb_status(run: str | None, watch: bool, ledger: Place | None, project: Path, as_json: bool) -> None:
    """Show positions, working orders, stops and targets at the venue, the use of limits, halts in force and the last decisions.

    RUN defaults to the session that runs, else to the latest run. It reads what was recorded, so it disturbs no session and
    works after one.
    """
    if watch and as_json:
        raise click.UsageError("--watch draws for people; leave out --json, or call it again and again")
    path = ledger_path(project, ledger)
    if as_json:
        put_json(_as_object(*_look(project, path, run), _stop(project)))
    elif not watch:
        from rich.console import Console

        Console(width=width(), highlight=False).print(_drawn(*_look(project, path, run), _stop(project)))
    else:
        _keep_looking(project, path, run)


def _look(project: Path, path: Place, run: str | None) -> tuple[Overview, str]:
    """How the run stands, and whether it runs, is stopped, or is finished."""
    from tb.cli.session_now import running
    from tb.runtime.overview import overview

    settings = settings_of(project)
    with reading(project, path) as opened:
        info = opened.run(run) if run is not None else _latest(opened, settings)
        holder = running(info, opened, settings)
        return overview(opened, info), _state(info, opened, f"runs ({holder})" if holder is not None else "")


def _state(info: RunInfo, opened: Ledger, runs: str) -> str:
    from tb.cli.session_now import is_newest

    if not info.unfinished:
        return "finished" if info.interrupted is None else f"interrupted at {info.interrupted}"
    if runs or not is_newest(info, opened.runs()):
        return runs or "unfinished"
    goes_on = f"`tb run --mode {info.run.mode}` goes on with it"
    return f"stopped: {goes_on}" if isinstance(opened.path, Path) else f"unfinished: it goes on, or was stopped ({goes_on})"


def _latest(opened: Ledger, settings: Settings) -> RunInfo:
    """The session that runs, else the latest run."""
    from tb.cli.session_now import running

    runs = reversed(opened.runs())
    return next((one for one in runs if running(one, opened, settings)), None) or opened.latest_run() or run_of(opened, None)


@dataclass(frozen=True, slots=True)
class Stop:
    """What a person ordered that counts whatever a session recorded: the kill file, and a flatten that waits to be heard."""

    kill: str | None
    flatten: str | None


def _stop(project: Path) -> Stop:
    kill, inbox = posts(project)
    try:
        flatten = waiting_flatten(inbox)
    except Refused as refused:  # a session takes that for a halt
        flatten = refused.findings[0].message
    return Stop(kill.words() if kill.stands() else None, flatten)


def _keep_looking(project: Path, path: Place, run: str | None) -> None:
    from rich.live import Live

    settings_of(project)
    with Live(_drawn(*_look(project, path, run), _stop(project)), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(EVERY)
            live.update(_drawn(*_look(project, path, run), _stop(project)), refresh=True)


def _drawn(found: Overview, state: str, stop: Stop) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = [Text(line) for line in _head(found, state)]
    parts += [Text(line, style="bold red") for line in _stops(found, stop)]
    for title, heads, rows in _tables(found):
        if not rows:
            parts += [Text(), Text(f"{title}: none", style="bold")]
            continue
        made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, expand=False)
        for head in heads:
            made.add_column(head, justify="right" if head in _RIGHT else "left", overflow="fold")
        for row in rows:
            made.add_row(*row)
        parts += [Text(), made]
    return Group(*parts)


_RIGHT = frozenset({"quantity", "entry", "stop", "target", "used", "proposed", "approved", "price"})


def _head(found: Overview, state: str) -> Iterator[str]:
    from tb.core.encode import plain
    from tb.core.time import show_instant

    run = found.run
    yield f"run {run.id}: {run.mode}, {state}"
    if found.at is None or found.equity is None or found.exposure is None:
        yield "  nothing marked yet"
    else:
        money = f"{found.equity:,.2f} {run.currency}, exposed {found.exposure:,.2f}"
        yield f"  equity     {money}, as of {show_instant(found.at // 1000 * 1000)}"
        if found.since:
            fills = f"{found.since} fill{'' if found.since == 1 else 's'}"
            yield f"  since then {fills}: what that changed is marked at the next close"
    yield f"  decisions  {found.decisions:,}, refused {found.refused:,}"
    yield f"  closed     {found.trades:,} trades, {plain(round(found.profit, 2))} {run.currency}"


def _stops(found: Overview, stop: Stop) -> Iterator[str]:
    from tb.core.time import show_instant

    if stop.kill is not None:
        yield f"  KILL FILE  {stop.kill}"
    if stop.flatten is not None:
        yield f"  FLATTEN  {stop.flatten}"
    for latch in found.halts:
        until = "until a person lifts it" if latch.until is None else f"until {show_instant(latch.until)}"
        yield f"  {latch.verdict.upper()}  {latch.rule} {until}: {latch.reason}"
    for one in found.bare:
        yield f"  NO STOP OR TARGET at the venue for {_price(one.quantity)} {one.trade.instrument} of t{one.trade.seq}"


Row = Sequence[str]


def _tables(found: Overview) -> Iterator[tuple[str, Row, list[Row]]]:
    heads: Row = ("id", "instrument", "strategy", "side", "quantity", "entry", "stop", "target", "since")
    yield "positions", heads, [_position(trade) for trade in found.positions]
    heads = ("id", "instrument", "strategy", "order", "quantity", "price", "since")
    yield "working orders", heads, [_order(order) for order in found.working]
    if found.run.mode == "live":
        heads = ("of", "instrument", "strategy", "side", "quantity", "stop", "target", "state", "since")
        yield "stops and targets at the venue", heads, [_guard(guard) for guard in found.guards]
    yield "use of limits", ("limit", "used", "", "as of"), [_use(use) for use in found.uses]
    heads = ("id", "at", "instrument", "strategy", "order", "proposed", "approved", "verdict", "by")
    yield "last decisions", heads, [_decision(decision) for decision in found.last]


def _price(value: Decimal | None) -> str:
    from tb.core.encode import plain

    return "" if value is None else plain(value)


def _position(trade: Trade) -> Row:
    from tb.core.time import show_instant

    stop = trade.last_stop or trade.stop
    prices = [_price(one) for one in (trade.quantity, trade.entry_price, stop, trade.target)]
    return f"t{trade.seq}", trade.instrument, trade.strategy, trade.side, *prices, show_instant(trade.entry_at)


def _order(order: Order) -> Row:
    from tb.core.time import show_instant

    what = f"{order.kind} {order.side}"
    numbers = [_price(one) for one in (order.quantity, order.price)]
    return order.id[:8], order.instrument, order.strategy, what, *numbers, show_instant(order.at)


def _guard(guard: Guard) -> Row:
    from tb.core.time import show_instant

    of = "" if guard.trade is None else f"t{guard.trade}"
    numbers = [_price(one) for one in (guard.quantity, guard.stop, guard.target)]
    since = show_instant(guard.at // 1000 * 1000)
    return of, guard.instrument, guard.strategy, guard.side, *numbers, guard.status, since


def _use(use: Use) -> Row:
    from tb.core.time import show_instant

    return use.limit, "unknown" if use.share is None else f"{use.share:.0%}", _bar(use.share), show_instant(use.at)


def _decision(one: Decision) -> Row:
    from tb.core.time import show_instant

    what, numbers = f"{one.kind} {one.side}", [_price(one.proposed), _price(one.approved)]
    by = ", ".join(one.deciding)
    return f"d{one.seq}", show_instant(one.at), one.instrument, one.strategy, what, *numbers, one.verdict, by


def _bar(share: float | None) -> str:
    """Twenty places; what is beyond the limit is marked."""
    if share is None:
        return "?" * 20
    full = min(max(round(share * 20), 0), 20)
    return "#" * full + "." * (20 - full) + ("!" if share > 1 else "")


def _guard_as_object(guard: Guard) -> dict[str, Any]:
    return {
        "id": guard.client,
        "trade": None if guard.trade is None else f"t{guard.trade}",
        "instrument": guard.instrument,
        "strategy": guard.strategy,
        "side": guard.side,
        "quantity": guard.quantity,
        "stop": guard.stop,
        "target": guard.target,
        "state": guard.status,
        "since": iso(guard.at),
    }


def _bare_as_object(one: Bare) -> dict[str, Any]:
    return {"trade": f"t{one.trade.seq}", "instrument": one.trade.instrument, "quantity": one.quantity}


def _as_object(found: Overview, state: str, stop: Stop) -> dict[str, Any]:
    """For programs; the keys are stable."""
    from tb.cli.trades import as_object as trade_as_object

    return {
        "run": found.run.id,
        "mode": found.run.mode,
        "finished": found.is_over,
        "running": state.startswith("runs"),
        "at": None if found.at is None else iso(found.at),
        "equity": found.equity,
        "exposure": found.exposure,
        "fills_since": found.since,
        "kill_file": stop.kill,
        "flatten_ordered": stop.flatten,
        "halts": [
            {
                "rule": one.rule,
                "verdict": one.verdict,
                "since": iso(one.at),
                "by": one.by,
                "reason": one.reason,
                "book": one.book,
            }
            for one in found.halts
        ],
        "positions": [trade_as_object(trade) for trade in found.positions],
        "working": [
            {"id": o.id, "instrument": o.instrument, "kind": o.kind, "side": o.side, "quantity": o.quantity, "price": o.price}
            for o in found.working
        ],
        "protection": [_guard_as_object(guard) for guard in found.guards],
        "unprotected": [_bare_as_object(one) for one in found.bare],
        "limits": [{"limit": use.limit, "used": use.share, "at": iso(use.at)} for use in found.uses],
        "last_decisions": [decision_as_object(decision) for decision in found.last],
        "decisions": found.decisions,
        "refused": found.refused,
        "trades": found.trades,
        "profit": found.profit,
    }
