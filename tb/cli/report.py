"""`tb report`: one self-contained HTML file about one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tb.cli.opening import reading, run_of
from tb.cli.options import command, json_option, ledger_option, out_option, project_option, run_argument
from tb.cli.output import put, put_json, say, write_file

if TYPE_CHECKING:
    from tb.cli.measured import MeasuredRun
    from tb.ledger.store import Ledger
    from tb.replay.data import Market
    from tb.replay.report.thinning import Bars


@command("report", "tb report", "tb report r2 -o r2.html")
@run_argument
@out_option
@ledger_option
@project_option
@json_option
def tb_report(run: str | None, output: Path | None, ledger: Path | None, project: Path, as_json: bool) -> None:
    """Write a report of a run as one HTML file.

    RUN defaults to the latest one. The file opens in any browser, without a network. It has equity, drawdown, trades on
    price, use of each limit, refusals by rule and the metrics with their definitions.
    """
    from tb.cli.measured import measured

    with reading(project, ledger) as opened:
        info = run_of(opened, run)
        page = report_of(opened, measured(opened, info))
        path = output or opened.path.parent / "reports" / f"{info.run.id}.html"
    write_file(path, page)
    if str(path) == "-":
        return
    put_json({"run": info.run.id, "path": str(path)}) if as_json else put(f"report of run {info.run.id}: {path}")


def report_of(ledger: Ledger, found: MeasuredRun) -> str:
    """The page. Remarks about its data are shown on it and on standard error."""
    from tb.replay.report import render_report

    run = found.run
    if found.remark:
        say(f"note: {found.remark}")
    return render_report(
        run=run,
        summary=found.info.summary or {},
        metrics=found.metrics,
        equity=found.equity,
        trades=found.trades,
        decisions=list(ledger.decisions(run.id, refused_only=True)),
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
    if found.info.unfinished:
        notes.append("this run is unfinished: it was stopped, or is still going on")
    reason = (found.info.summary or {}).get("no_trade_reason")
    if reason:
        notes.append(f"no trades: {reason}")
    if found.remark:
        notes.append(found.remark)
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
