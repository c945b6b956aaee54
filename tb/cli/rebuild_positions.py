"""`tb rebuild-positions`: what is held, from the venue's fills, beside what the records say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import compiled_project, ledger_path
from tb.cli.operating import me, now, posts, said
from tb.cli.options import command, json_option, ledger_option, project_option
from tb.cli.output import put, put_json, say
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file
from tb.core.time import HOUR

if TYPE_CHECKING:
    from tb.core.records import Trade
    from tb.ledger import Place
    from tb.runtime.ports.exchange import VenueFill

UNANSWERED = "TB865"
ZERO = Decimal(0)
CRUMB = "crumb"  # the cause of an exit that nothing was sent for


@dataclass(frozen=True, slots=True)
class Held:
    """What fills come to: signed quantity, and the average paid for what is still held (None where nothing is)."""

    instrument: str
    quantity: Decimal
    average: Decimal | None
    fills: int


@command("rebuild-positions", "tb rebuild-positions --hours 48 --dry-run", "tb rebuild-positions --hours 48 --by ana")
@click.option("--hours", type=click.IntRange(min=1), required=True, help="How far back fills are read.")
@click.option("--dry-run", is_flag=True, help="Only look.")
@click.option("--by", metavar="NAME", default=me, show_default="who is logged in", callback=said, help="Who says so.")
@ledger_option
@project_option
@json_option
def tb_rebuild_positions(hours: int, dry_run: bool, by: str, ledger: Place | None, project: Path, as_json: bool) -> None:
    """Work out what is held from the venue's fills, and compare it with the records of the newest live session.

    What was left over, less than the venue takes, and counts as closed (`crumb`) is still there: it agrees.

    Without `--dry-run` the session that runs, or the next one, is ordered to take the venue's word where they differ: what it
    cannot explain by orders of its own counts as not from here, and is not managed. Exit code 1 where they differ.
    """
    compiled = compiled_project(project)
    since, fills = _fills(compiled.settings, hours)
    rebuilt = held_from(fills)
    known, left_over = _known(ledger_path(project, ledger), since)
    rows = [_row(symbol, rebuilt, known, left_over) for symbol in sorted({*rebuilt, *known, *left_over})]
    differs = any(not row["agrees"] for row in rows)
    put_json({"hours": hours, "agrees": not differs, "positions": rows}) if as_json else _tell(rows, hours)
    if differs and not dry_run:
        _, inbox = posts(project)
        inbox.put("reconcile", at=now(), by=by, reason=f"positions rebuilt from the fills of {hours} hours")
        say("ordered: a session that runs takes the venue's numbers at once, else the next one does")
    if differs:
        raise click.exceptions.Exit(1)


def held_from(fills: Iterable[VenueFill]) -> dict[str, Held]:
    """What is held after these fills, oldest first; what was held before them is not known here."""
    found: dict[str, Held] = {}
    for fill in fills:
        before = found.get(fill.instrument, Held(fill.instrument, ZERO, None, 0))
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        total = before.quantity + signed
        if not before.quantity or (before.quantity > 0) == (signed > 0):
            paid = (before.average or ZERO) * abs(before.quantity) + fill.price * fill.quantity
            average = paid / abs(total)
        elif not total:
            average = None
        else:
            average = before.average if (total > 0) == (before.quantity > 0) else fill.price
        found[fill.instrument] = Held(fill.instrument, total, average, before.fills + 1)
    return found


def _fills(settings: Any, hours: int) -> tuple[int, tuple[VenueFill, ...]]:
    """Since when by the venue's clock, and what filled since."""
    from tb.cli.connecting import venue_of
    from tb.runtime.ports.exchange import NoAnswer

    exchange = venue_of(settings)
    try:
        clock = exchange.clock()
        since = 0 if isinstance(clock, NoAnswer) else clock - hours * HOUR
        found = clock if isinstance(clock, NoAnswer) else exchange.fills(since)
    finally:
        exchange.close()
    if isinstance(found, NoAnswer):
        hint = "check network and key, then try again"
        raise Refused([error(UNANSWERED, f"the venue does not tell its fills: {found.why}", whole_file("tb.yaml"), hint)])
    return since, found


def _known(place: Place, since: int) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """What the newest live session holds by its records, and what all sessions of its account left over of positions that were
    opened since an instant: both signed, by instrument."""
    from tb.cli.account_runs import runs_of_account
    from tb.ledger import open_ledger

    with open_ledger(place, create=False, read_only=True) as ledger:
        newest = next((info.run for info in reversed(ledger.runs()) if info.run.mode == "live"), None)
        runs = [] if newest is None else runs_of_account(ledger, newest)
        of_runs = [ledger.trades(run.id) for run in runs]
    held = [(one.instrument, _signed(one, _left(one))) for one in (of_runs[-1] if of_runs else ()) if one.exit_at is None]
    every = {trade.seq: trade for trades in of_runs for trade in trades}
    left_over = [(one.instrument, _signed(one, crumb_of(one))) for one in every.values() if one.entry_at >= since]
    return _summed(held), {symbol: left for symbol, left in _summed(left_over).items() if left}


def _summed(parts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for symbol, quantity in parts:
        found[symbol] = found.get(symbol, ZERO) + quantity
    return found


def _left(trade: Trade) -> Decimal:
    return trade.quantity - sum((part.quantity for part in trade.exits), ZERO)


def crumb_of(trade: Trade) -> Decimal:
    """What of a position was less than the venue takes and counts as closed: it is in the account still."""
    if trade.cause == CRUMB and not trade.exits:
        return trade.quantity
    return sum((part.quantity for part in trade.exits if part.cause == CRUMB), ZERO)


def _signed(trade: Trade, quantity: Decimal) -> Decimal:
    return quantity if trade.side == "long" else -quantity


def _row(
    symbol: str, rebuilt: Mapping[str, Held], known: Mapping[str, Decimal], left_over: Mapping[str, Decimal]
) -> dict[str, Any]:
    there, here = rebuilt.get(symbol, Held(symbol, ZERO, None, 0)), known.get(symbol, ZERO)
    left = left_over.get(symbol, ZERO)
    return {
        "instrument": symbol,
        "rebuilt": there.quantity,
        "average": there.average,
        "fills": there.fills,
        "records": here,
        "left_over": left,
        "agrees": there.quantity == here + left,
    }


def _tell(rows: list[dict[str, Any]], hours: int) -> None:
    from tb.core.encode import plain

    if not rows:
        put(f"nothing was filled in {hours} hours, and nothing is held")
    for row in rows:
        average = "" if row["average"] is None else f" at {plain(round(row['average'], 8))}"
        mark = "ok  " if row["agrees"] else "DIFF"
        rebuilt = f"{plain(row['rebuilt'])}{average} from {row['fills']} fills"
        left = f", {plain(row['left_over'])} left over" if row["left_over"] else ""
        put(f"{mark}  {row['instrument']:<10}  {rebuilt}, {plain(row['records'])} held{left}")
