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

    Without `--dry-run` the session that runs, or the next one, is ordered to take the venue's word where they differ: what it
    cannot explain by orders of its own counts as not from here, and is not managed. Exit code 1 where they differ.
    """
    compiled = compiled_project(project)
    rebuilt = held_from(_fills(compiled.settings, hours))
    known = _known(ledger_path(project, ledger))
    rows = [_row(symbol, rebuilt, known) for symbol in sorted({*rebuilt, *known})]
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


def _fills(settings: Any, hours: int) -> tuple[VenueFill, ...]:
    from tb.cli.connecting import venue_of
    from tb.runtime.ports.exchange import NoAnswer

    exchange = venue_of(settings)
    try:
        clock = exchange.clock()
        found = clock if isinstance(clock, NoAnswer) else exchange.fills(clock - hours * HOUR)
    finally:
        exchange.close()
    if isinstance(found, NoAnswer):
        hint = "check network and key, then try again"
        raise Refused([error(UNANSWERED, f"the venue does not tell its fills: {found.why}", whole_file("tb.yaml"), hint)])
    return found


def _known(place: Place) -> dict[str, Decimal]:
    """What the newest live session holds by its records, signed, by instrument."""
    from tb.ledger import open_ledger

    with open_ledger(place, create=False, read_only=True) as ledger:
        newest = next((info for info in reversed(ledger.runs()) if info.run.mode == "live"), None)
        trades = [] if newest is None else ledger.trades(newest.run.id)
    found: dict[str, Decimal] = {}
    for trade in trades:
        if trade.exit_at is None:
            found[trade.instrument] = found.get(trade.instrument, ZERO) + _left(trade)
    return found


def _left(trade: Trade) -> Decimal:
    left = trade.quantity - sum((part.quantity for part in trade.exits), ZERO)
    return left if trade.side == "long" else -left


def _row(symbol: str, rebuilt: Mapping[str, Held], known: Mapping[str, Decimal]) -> dict[str, Any]:
    there, here = rebuilt.get(symbol, Held(symbol, ZERO, None, 0)), known.get(symbol, ZERO)
    return {
        "instrument": symbol,
        "rebuilt": there.quantity,
        "average": there.average,
        "fills": there.fills,
        "records": here,
        "agrees": there.quantity == here,
    }


def _tell(rows: list[dict[str, Any]], hours: int) -> None:
    from tb.core.encode import plain

    if not rows:
        put(f"nothing was filled in {hours} hours, and nothing is held")
    for row in rows:
        average = "" if row["average"] is None else f" at {plain(round(row['average'], 8))}"
        mark = "ok  " if row["agrees"] else "DIFF"
        rebuilt = f"{plain(row['rebuilt'])}{average} from {row['fills']} fills"
        put(f"{mark}  {row['instrument']:<10}  {rebuilt}, {plain(row['records'])} held")
