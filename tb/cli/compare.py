"""`tb compare`: the metrics of several runs side by side, and their curves over each other as one HTML file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.options import command, json_option, project_option, run_name
from tb.cli.output import progress, put_json, say, width, write_file
from tb.cli.several import ledgers_option, opened_runs, texts_of

if TYPE_CHECKING:
    from tb.ledger import Place


@command(
    "compare",
    "tb compare r1 r2",
    "tb compare r1 r2 r3 --html runs.html",
    "tb compare r1 r2 --all",
    "tb compare r1 r2 --json | jq '.rows[] | select(.name == \"sharpe\")'",
)
@click.argument("runs", type=run_name, nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--html", "page", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with their curves too.")
@click.option("--all", "everything", is_flag=True, help="Show every metric, not the chief ones.")
@ledgers_option
@project_option
@json_option
def tb_compare(
    runs: tuple[str, ...], page: Path | None, everything: bool, ledgers: tuple[Place, ...], project: Path, as_json: bool
) -> None:
    """Put runs side by side.

    Every metric of each run with its difference to the first, the best marked; what differs in their policy, settings and
    data. Warns where runs cannot be compared in full: another span, capital or data.
    """
    from tb.cli.measured import Markets, measured
    from tb.replay.comparing import Measured, compare, render_comparison, text

    if len(runs) < 2:
        raise click.UsageError("name two runs or more")
    if page is not None and str(page) == "-":
        raise click.UsageError("--html needs a file: standard output has the table")
    found, markets = [], Markets()
    with opened_runs(runs, ledgers, project) as opened, progress("measure") as told:
        for done, one in enumerate(opened, 1):
            run = measured(one.ledger, one.info, project, markets=markets)
            if run.remark:
                say(f"note: {run.remark}")
            finished = not one.info.unfinished
            found.append(Measured(one.label, one.run, run.metrics, run.equity, texts_of(one), finished))
            if told is not None:
                told(done, len(runs))
    comparison = compare(found)
    if page is not None:
        write_file(page, render_comparison(comparison, found))
    put_json(comparison) if as_json else sys.stdout.write(text(comparison, width(), everything=everything))
    if page is not None:
        say(f"written: {page}")
