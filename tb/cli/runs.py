"""`tb runs`: what the ledger holds, run by run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb.cli.opening import reading
from tb.cli.options import command, json_option, ledger_option, project_option
from tb.cli.output import iso, put, put_json_array, say, width

if TYPE_CHECKING:
    from tb.ledger import Place, RunInfo


@command("runs", "tb runs")
@ledger_option
@project_option
@json_option
def tb_runs(ledger: Place | None, project: Path, as_json: bool) -> None:
    """List the runs of the ledger, first to last."""
    with reading(project, ledger) as opened:
        runs = opened.runs()
    if as_json:
        put_json_array(map(as_object, runs))
    elif runs:
        _show(runs)
    else:
        say("the ledger has no run yet; `tb replay` makes one")


def as_object(info: RunInfo) -> dict[str, Any]:
    """A run for programs; `summary` is null for an unfinished one."""
    run = info.run
    return {
        "id": run.id,
        "mode": run.mode,
        "started": iso(run.started),
        "finished": not info.unfinished,
        "interrupted": info.interrupted,
        "first": iso(run.first),
        "last": iso(run.last),
        "instruments": list(run.instruments),
        "data": run.data,
        "data_hash": run.data_hash,
        "policy_hash": run.policy_hash,
        "config": run.config,
        "initial_equity": run.initial_equity,
        "currency": run.currency,
        "version": run.version,
        "summary": info.summary,
    }


def _show(runs: list[RunInfo]) -> None:
    from tb.cli.table import Column, table

    columns = (
        Column("run"),
        Column("mode"),
        Column("started", drop=2),
        Column("from"),
        Column("to"),
        Column("instruments", right=True, drop=3),
        Column("trades", right=True),
        Column("return", right=True),
        Column("policy", drop=1),
        Column("state"),
        Column("data", drop=4),
    )
    for line in table(columns, map(_cells, runs), width(), left_out=say):
        put(line)


def _cells(info: RunInfo) -> list[str]:
    from tb.core.time import show_instant

    run, summary = info.run, info.summary or {}
    gained = summary.get("total_return")
    return [
        run.id,
        run.mode,
        show_instant(run.started // 60_000 * 60_000),
        show_instant(run.first)[:10],
        show_instant(run.last)[:10],
        str(len(run.instruments)),
        str(summary.get("trades", "")),
        f"{gained:+z.2%}" if isinstance(gained, float) else "",
        run.policy_hash[:8],
        "unfinished" if info.unfinished else "interrupted" if info.interrupted else "finished",
        run.data,
    ]
