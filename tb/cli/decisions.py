"""`tb decisions`: what was proposed and what the gate said, as a table or as a JSON array, page by page from the ledger."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import reading, run_of
from tb.cli.options import command, instant, json_option, ledger_option, project_option, run_argument
from tb.cli.output import coloured, iso, put, put_json_array, say, width

if TYPE_CHECKING:
    from tb.core.records import Decision, Verdict
    from tb.ledger import Place

VERDICTS = ("approve", "warn", "shrink", "reject", "pause", "halt")
COLOURS = {"approve": "green", "warn": "yellow", "shrink": "yellow", "reject": "red", "pause": "magenta", "halt": "magenta"}


@command(
    "decisions",
    "tb decisions --refused --limit 20",
    "tb decisions r2 --instrument BTC-USD --since 2024-01-01",
    "tb decisions --json | jq '.[] | select(.verdict == \"halt\")'",
)
@run_argument
@click.option("--instrument", metavar="SYMBOL", help="Only decisions about this instrument.")
@click.option("--strategy", metavar="NAME", help="Only decisions of this strategy.")
@click.option("--verdict", type=click.Choice(VERDICTS), help="Only decisions with this verdict.")
@click.option("--refused", is_flag=True, help="Only those of which nothing was approved.")
@click.option("--since", type=instant, metavar="TIME", help="Only decisions at this time or later.")
@click.option("--until", type=instant, metavar="TIME", help="Only decisions before this time.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many, the first ones.")
@ledger_option
@project_option
@json_option
def tb_decisions(
    run: str | None,
    instrument: str | None,
    strategy: str | None,
    verdict: Verdict | None,
    refused: bool,
    since: int | None,
    until: int | None,
    limit: int | None,
    ledger: Place | None,
    project: Path,
    as_json: bool,
) -> None:
    """List the decisions of a run, refusals included.

    RUN defaults to the latest one.
    """
    with reading(project, ledger) as opened:
        name = run_of(opened, run).run.id
        decisions = opened.decisions(
            name,
            instrument=instrument,
            strategy=strategy,
            verdict=verdict,
            since=since,
            until=until,
            limit=limit,
            refused_only=refused,
        )
        if as_json:
            put_json_array(map(as_object, decisions))
        elif not _show(decisions):
            say(f"no such decisions in {name}")


def as_object(decision: Decision) -> dict[str, Any]:
    """A decision for programs; the keys are stable. What it read is in `tb explain ID --json`."""
    return {
        "id": f"d{decision.seq}",
        "at": iso(decision.at),
        "kind": decision.kind,
        "strategy": decision.strategy,
        "instrument": decision.instrument,
        "side": decision.side,
        "verdict": decision.verdict,
        "deciding": list(decision.deciding),
        "shadowed": list(decision.shadowed),
        "proposed": decision.proposed,
        "approved": decision.approved,
        "price": decision.price,
        "stop": decision.stop,
        "target": decision.target,
        "confidence": decision.confidence,
        "row": decision.row,
        "reason": decision.reason,
    }


def _show(decisions: Iterator[Decision]) -> int:
    """Prints the table as pages come; returns how many lines it has below the heads."""
    from tb.cli.table import Column, table

    columns = (
        Column("id"),
        Column("at"),
        Column("instrument"),
        Column("strategy"),
        Column("order"),
        Column("proposed", right=True, drop=2),
        Column("approved", right=True, drop=3),
        Column("price", right=True, drop=4),
        Column("verdict"),
        Column("by"),
        Column("reason", drop=5),
    )
    paint = _painted if coloured(sys.stdout) else None
    count = -1
    for count, line in enumerate(table(columns, map(_cells, decisions), width(), paint, say)):
        if count == 0:
            heads = line
            continue
        if count == 1:
            put(heads)
        put(line)
    return count


def _cells(decision: Decision) -> list[str]:
    from tb.core.encode import plain
    from tb.core.time import show_instant

    return [
        f"d{decision.seq}",
        show_instant(decision.at),
        decision.instrument,
        decision.strategy,
        f"{decision.kind} {decision.side}",
        plain(decision.proposed),
        plain(decision.approved),
        "" if decision.price is None else plain(decision.price),
        decision.verdict,
        ", ".join(decision.deciding),
        decision.reason,
    ]


def _painted(head: str, cell: str) -> str:
    return click.style(cell, fg=COLOURS.get(cell.strip())) if head == "verdict" else cell
