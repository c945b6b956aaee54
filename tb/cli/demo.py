"""`tb demo`: the default project over the simulated sample market, from replay to explanation to report, in one go."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tb.cli.opening import compiled_project
from tb.cli.options import command, json_option, project_option
from tb.cli.output import paint, put, put_json, say, write_file

if TYPE_CHECKING:
    from tb.cli.summary import Played
    from tb.ledger.store import Ledger

SIMULATED = (
    "This is a SIMULATION on simulated prices: six made-up markets that only bear the names of real ones.",
    "What a strategy earns here says nothing about any market.",
)


@command("demo", "tb demo")
@project_option
@json_option
def tb_demo(project: Path, as_json: bool) -> None:
    """Replay and explain a simulated sample market.

    Everything goes into `.tb/demo/` of the project; the next demo starts afresh there. Outside of a project, a small one is
    made in a temporary folder.
    """
    from tb.cli.measured import measured
    from tb.cli.report import report_of
    from tb.cli.summary import as_text, facts_of
    from tb.ledger import open_ledger

    if not as_json:
        for line in SIMULATED:
            put(paint(line, bold=True))
        put("")
    root, folder = _folders(project)
    played = _play(root, folder)
    assert played.ledger is not None
    with open_ledger(played.ledger, create=False, read_only=True) as ledger:
        trade = _telling_trade(ledger, played.run.id)
        explanation = _explained(ledger, played.run.id, root, trade)
        page = folder / "report.html"
        write_file(page, report_of(measured(ledger, ledger.run(played.run.id), root)))
    if as_json:
        put_json({"simulated": True, **facts_of(played), "explained": trade, "report": str(page)})
        return
    put(as_text(played).split("\n\nnext\n")[0])
    if trade is not None:
        put(f"\none trade explained: tb explain {trade} --ledger {played.ledger}")
        sys.stdout.write(explanation)
    put(f"\nreport  {page}")
    put(f"ledger  {played.ledger}")


def _folders(project: Path) -> tuple[Path, Path]:
    """The project that is played and the folder for what it makes."""
    from tb.cli.init import write_project

    if not (project / "tb.yaml").exists():
        root = Path(tempfile.mkdtemp(prefix="tb-demo-"))
        write_project(root, sample=False)
        say(f"`{project}` is no project; a small one is used: {root}")
        project = root
    folder = project / ".tb" / "demo"
    shutil.rmtree(folder, ignore_errors=True)  # what an earlier demo made, nothing else stands there
    return project, folder


def _play(root: Path, folder: Path) -> Played:
    from tb.cli.replay import market_for, play
    from tb.replay.sample import write_sample

    compiled = compiled_project(root)
    say("writing the simulated market")
    write_sample(folder / "data")
    started = time.perf_counter()
    market = market_for(compiled, folder / "data", None, None, None)
    config = {"data_path": str((folder / "data").resolve()), "simulated": "prices too"}
    played = play(compiled, market, folder / "ledger.sqlite", config)
    played.elapsed = time.perf_counter() - started
    return played


def _telling_trade(ledger: Ledger, run: str) -> str | None:
    """A closed trade that the gate made smaller, if there is one; else the first closed one, else any."""
    trades = ledger.trades(run)
    shrunk = {decision.seq for decision in ledger.decisions(run, verdict="shrink")}
    closed = [trade for trade in trades if trade.exit_at is not None]
    best = [trade for trade in closed if trade.decision in shrunk] or closed or trades
    return f"{run}.t{best[0].seq}" if best else None


def _explained(ledger: Ledger, run: str, root: Path, trade: str | None) -> str:
    from tb.cli.explain import Explainer
    from tb.gate.explain import text

    if trade is None:
        return ""
    return text(Explainer(ledger, run, root).named("t", trade.partition(".t")[2]), only_failing=True)
