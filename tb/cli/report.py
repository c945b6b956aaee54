"""`tb report`: one self-contained HTML file about one run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import reading, run_of
from tb.cli.options import command, json_option, ledger_option, out_option, project_option, run_argument
from tb.cli.output import put, put_json, say, width, write_file

if TYPE_CHECKING:
    from tb.cli.measured import MeasuredRun
    from tb.ledger import Place
    from tb.replay.data import Market
    from tb.replay.report.thinning import Bars


@command(
    "report",
    "tb report",
    "tb report r2 -o r2.html",
    "tb report --format text          # every metric in the terminal",
    "tb report --benchmark BTC-USD",
    "tb report --json | jq '.metrics.groups[].metrics[] | select(.name == \"sharpe\")'",
)
@run_argument
@click.option("--format", "form", type=click.Choice(["html", "text"]), default="html", help="A page, or text (default: html).")
@click.option("--benchmark", metavar="SYMBOL", help="Set returns against holding this instrument of the run's data.")
@out_option
@ledger_option
@project_option
@json_option
def tb_report(
    run: str | None,
    form: str,
    benchmark: str | None,
    output: Path | None,
    ledger: Place | None,
    project: Path,
    as_json: bool,
) -> None:
    """Write a report of a run as one HTML file.

    RUN defaults to the latest one. The file opens in any browser, without a network. It has equity, drawdown, trades on
    price, use of each limit, refusals by rule and the metrics with their definitions. --json prints the metrics too.
    """
    from tb.cli.measured import measured

    if as_json and form == "text":
        raise click.UsageError("--json and --format text exclude each other")
    with reading(project, ledger) as opened:
        found = measured(opened, run_of(opened, run), project, benchmark=benchmark)
        path = output or (None if form == "text" else _beside(opened.path, project) / "reports" / f"{found.run.id}.html")
    if found.remark:
        say(f"note: {found.remark}")
    if path is None:
        sys.stdout.write(_text(found, width()))
        return
    write_file(path, _text(found, width()) if form == "text" else report_of(found))
    if str(path) == "-":
        return
    put_json(_as_object(found, path)) if as_json else put(f"report of run {found.run.id}: {path}")


def _beside(place: Place, project: Path) -> Path:
    """The folder of a ledger's file, or where it would be."""
    return place.parent if isinstance(place, Path) else project / ".tb"


def _text(found: MeasuredRun, columns: int) -> str:
    from tb.replay.report import text

    return text(found.run, found.metrics, _notes(found), columns)


def _as_object(found: MeasuredRun, path: Path) -> dict[str, Any]:
    """The metrics for programs: percentages are fractions, durations milliseconds, instants milliseconds since 1970 UTC."""
    from tb.replay.conventions import UNITS, conventions

    run = found.run
    return {
        "run": run.id,
        "path": str(path),
        "currency": run.currency,
        "benchmark": found.benchmark or None,
        "notes": _notes(found),
        "conventions": conventions(found.metrics.days_per_year, run.currency),
        "units": UNITS,
        "metrics": found.metrics,
    }


def report_of(found: MeasuredRun) -> str:
    """The page of a run."""
    from tb.replay.report import render_report

    run = found.run
    return render_report(
        run=run,
        summary=found.info.summary or {},
        metrics=found.metrics,
        equity=found.equity,
        trades=found.trades,
        decisions=found.refused,
        latches=found.latches,
        bars=_bars(found.market),
        notes=_notes(found),
    )


def _notes(found: MeasuredRun) -> list[str]:
    run, notes = found.run, []
    if run.mode == "replay":
        notes.append("a simulation: the rules over recorded bars, with the fee and slippage of the settings; nobody traded")
    if run.data_hash and "simulated" in run.config:
        notes.append("the prices themselves are simulated too: what a strategy earns on them says nothing about any market")
    if found.info.interrupted:
        notes.append(f"this run was interrupted at {found.info.interrupted}: nothing after it was decided")
    if found.info.unfinished:
        notes.append("this run is unfinished: it was stopped, or is still going on")
    reason = (found.info.summary or {}).get("no_trade_reason")
    if reason:
        notes.append(f"no trades: {reason}")
    if found.remark:
        notes.append(found.remark)
    if found.benchmark:
        notes.append(f"the benchmark is holding {found.benchmark}, at its closes, without costs")
    notes.append(
        "the instruments trade every day: a year has 365 days"
        if found.metrics.days_per_year == 365
        else "the instruments do not trade at weekends: a year has 252 days"
    )
    if any(latch.lifted and latch.by == "simulated operator" for latch in found.latches):
        notes.append("halts were lifted by a simulated operator, as the settings say; each time the drawdown limit starts anew")
    return notes


def _bars(market: Market | None) -> dict[str, Bars]:
    if market is None:
        return {}
    return {s: (b.time, b.open, b.high, b.low, b.close) for s, b in market.bars.items()}
