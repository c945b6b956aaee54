"""`tb data fetch`: recorded bars from a venue, into the files that replays read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from tb.cli.failing import INTERRUPTED
from tb.cli.options import Command, debug_option, instant, json_option, names
from tb.cli.output import iso, paint, progress, put, put_json, say
from tb.core.time import parse_duration, parse_since, show_duration, show_instant

if TYPE_CHECKING:
    from tb.connectors.fetching import Fetched, Gap

SHOWN_GAPS = 5
EXAMPLES = (
    "tb data fetch --instrument BTC-USD --period 1h --since 2024-01-01 --to data",
    "tb data fetch --instrument BTC-USD,ETH-USD --period 5m --since 30d --to data/5m",
    "tb data fetch --instrument BTC-USD --since 2024-01-01 --until 2024-07-01 --to data --json | jq '.[].gaps'",
)


def _period(text: str) -> int:
    found = parse_duration(text)
    if not found:
        raise click.BadParameter(f"`{text}` is not a period; write `1h` or `5m`")
    return found


@click.group("data")
def tb_data() -> None:
    """Get recorded market data."""


@tb_data.command("fetch", cls=Command, examples=EXAMPLES)
@click.option("--venue", type=click.Choice(["coinbase"]), default="coinbase", show_default=True, help="Where to ask.")
@click.option("--instrument", "instruments", type=names, multiple=True, required=True, metavar="A,B", help="Of which.")
@click.option("--period", type=_period, default="1h", show_default=True, metavar="TIME", help="Length of a bar.")
@click.option("--since", required=True, metavar="TIME", help="From bars that begin then: 2024-01-31, or 90d back.")
@click.option("--until", type=instant, metavar="TIME", help="To bars that begin before then (default: the last closed one).")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    metavar="FOLDER",
    help="Where the files go.",
)
@click.option("--base-url", metavar="URL", help="Another address than the venue's own, such as that of a sandbox.")
@json_option
@debug_option
def tb_data_fetch(
    venue: str,
    instruments: tuple[tuple[str, ...], ...],
    period: int,
    since: str,
    until: int | None,
    folder: Path,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Fetch bars of a venue into FOLDER/SYMBOL.parquet, for `tb replay --data FOLDER`.

    No key is needed. What is in the files already is not fetched again, and Ctrl-C loses nothing: the same command goes on
    where it was. A bar in which nobody traded does not exist at the venue; such gaps are told.
    """
    from tb.connectors.coinbase import GRANULARITIES, connect
    from tb.connectors.fetching import fetch
    from tb.connectors.stored_bars import Origin

    if period not in GRANULARITIES:
        known = ", ".join(show_duration(known) for known in GRANULARITIES)
        raise click.BadParameter(f"{venue} has no bars of {show_duration(period)}, but of {known}", param_hint="--period")
    end = time.time_ns() // 1_000_000 if until is None else until
    start = parse_since(since, end, ZoneInfo("UTC"))
    if start is None:
        raise click.BadParameter(f"`{since}` is not a time; write 2024-01-31, or `90d`", param_hint="--since")
    if start >= end:
        raise click.UsageError("--since has to be earlier than --until")
    adapter = connect(None) if base_url is None else connect(None, base_url=base_url)
    done: list[Fetched] = []
    try:
        for name in dict.fromkeys(name for several in instruments for name in several):
            origin = Origin(venue, adapter.address, name, period)
            with progress(name) as told:
                done.append(fetch(adapter, origin, (start, end), folder, told=told))
            if not as_json:
                put(_as_text(done[-1]))
    except KeyboardInterrupt:
        say("stopped; what came is kept, and the same command goes on from there")
        raise click.exceptions.Exit(INTERRUPTED) from None
    finally:
        adapter.close()
    if as_json:
        put_json([_facts(one) for one in done])


def _as_text(done: Fetched) -> str:
    if not done.bars:
        return f"{done.origin.instrument}: no bars from {show_instant(done.first)} to {show_instant(done.last)}"
    what = f"{done.bars:,} bars of {show_duration(done.origin.period)}"
    span = f"{show_instant(done.first)} to {show_instant(done.last)}"
    lines = [
        f"{paint(done.origin.instrument, bold=True)}: {what}, {span}, in {done.path}",
        f"  {done.new:,} fetched now, {done.bars - done.new:,} were there",
    ]
    missing = sum(gap.bars for gap in done.gaps)
    if missing:
        longest = sorted(done.gaps, key=lambda gap: (-gap.bars, gap.first))[:SHOWN_GAPS]
        shown = ", ".join(map(_gap, sorted(longest, key=lambda gap: gap.first)))
        more = "" if len(done.gaps) <= SHOWN_GAPS else f"; the longest of {len(done.gaps)} gaps"
        lines.append(f"  {missing:,} bars are not there, since nobody traded: {shown}{more}")
    return "\n".join(lines)


def _gap(gap: Gap) -> str:
    return f"{show_instant(gap.first)} to {show_instant(gap.last)} ({gap.bars:,})"


def _facts(done: Fetched) -> dict[str, Any]:
    def gaps(found: Sequence[Gap]) -> list[dict[str, Any]]:
        return [{"from": iso(gap.first), "to": iso(gap.last), "bars": gap.bars} for gap in found]

    return {
        "venue": done.origin.venue,
        "instrument": done.origin.instrument,
        "period": show_duration(done.origin.period),
        "file": str(done.path) if done.bars else None,
        "from": iso(done.first),
        "to": iso(done.last),
        "bars": done.bars,
        "fetched": done.new,
        "gaps": gaps(done.gaps),
    }
