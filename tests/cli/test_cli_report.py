"""`tb report` as text and as JSON: every metric with its unit and its definition, in lines that fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from cli_commands import Run
from several_runs import same_as_recorded

from tb.core.records import Curve, Decision, Fill, Mark
from tb.core.time import DAY, show_instant
from tb.ledger import open_ledger

# what a report of a run has to have, by the design of the metrics
METRICS = """
total_return cagr volatility downside_deviation max_drawdown max_drawdown_money drawdown_duration time_under_water ulcer
var_95 cvar_95 var_99 cvar_99 sharpe sortino calmar omega psr information_ratio alpha beta trades win_rate profit_factor
payoff expectancy expectancy_ratio sqn kelly p_value average_duration median_duration winning_streak losing_streak mfe
mae fees entry_shortfall turnover exposure_time binding_share blocked_notional refused_profit
""".split()


@pytest.mark.parametrize(("name", "more"), [("plain", ()), ("benchmark", ("--benchmark", "BTC-USD"))])
def test_the_text_fits_and_is_as_recorded(
    run: Run, several: Path, monkeypatch: pytest.MonkeyPatch, name: str, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = run("report", "r3", "--format", "text", "--project", several, *more)
    assert (answer.code, answer.err) == (0, "")
    same_as_recorded(f"report-{name}", answer.out, several)
    assert [line for line in answer.out.replace(str(several), "").splitlines() if len(line) > 80] == []


def test_the_text_goes_into_a_file_too(run: Run, several: Path, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "r3.txt"
    answer = run("report", "r3", "--format", "text", "-o", path, "--project", several)
    assert answer.out == f"report of run r3: {path}\n"
    assert path.read_text(encoding="utf-8") == run("report", "r3", "--format", "text", "--project", several).out


def test_json_has_every_metric_with_unit_definition_and_reason(run: Run, several: Path, tmp_path: Path) -> None:
    page = tmp_path / "r3.html"
    said = run("report", "r3", "--benchmark", "BTC-USD", "--json", "-o", page, "--project", several).json
    metrics = {metric["name"]: metric for group in said["metrics"]["groups"] for metric in group["metrics"]}
    assert [name for name in METRICS if name not in metrics] == []
    assert {metric["unit"] for metric in metrics.values()} <= set(said["units"])
    assert all(metric["definition"] for metric in metrics.values())
    assert all(metric["value"] is not None or metric["note"] for metric in metrics.values())
    assert (said["run"], said["benchmark"], said["currency"], said["path"]) == ("r3", "BTC-USD", "USD", str(page))
    assert any("sqrt(365)" in sentence for sentence in said["conventions"])
    summary = next(one for one in run("runs", "--project", several, "--json").json if one["id"] == "r3")["summary"]
    assert metrics["total_return"]["value"] == pytest.approx(summary["total_return"])
    assert metrics["max_drawdown"]["value"] == pytest.approx(summary["max_drawdown"])
    assert metrics["rejected"]["value"] == metrics["refused_followed"]["value"] + metrics["refused_left_out"]["value"] > 0
    assert {"rule", "refused", "binding", "blocked", "what_if"} <= set(said["metrics"]["rules"][0])
    assert {"limit", "highest", "p95"} <= set(said["metrics"]["limits"][0])
    text = page.read_text(encoding="utf-8")
    for metric in metrics.values():
        assert f'id="def-{metric["name"]}"' in text


def test_a_benchmark_is_an_instrument_of_the_data(
    run: Run, several: Path, tmp_path: Path, frames: dict[str, pl.DataFrame]
) -> None:
    said = run("report", "r1", "--benchmark", "ETH-USD", "--json", "-o", tmp_path / "r1.html", "--project", several).json
    found = {metric["name"]: metric["value"] for group in said["metrics"]["groups"] for metric in group["metrics"]}
    closes = frames["ETH-USD"]["close"]
    assert found["benchmark_return"] == pytest.approx(closes[-1] / closes[0] - 1)
    other = run("report", "r1", "--benchmark", "ETH-US", "--project", several)
    assert (other.code, other.out) == (3, "")
    assert "error[TB681]: the data of run r1 has no bars of `ETH-US`; hint: did you mean `ETH-USD`?" in other.err


def test_what_refused_entries_had_made_is_not_told_by_other_bars(
    run: Run, project: Path, frames: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    limits = project / "policy" / "limits.yaml"
    limits.write_text(limits.read_text().replace("max_spread: 60bps", "max_spread: 1bps"))
    assert run("replay", "--project", project, "--data", project / "data").code == 0
    report = ("report", "--format", "text", "--project", project)
    assert "What-if profit" in run(*report).out
    assert "have changed" not in run(*report).out
    frames["BTC-USD"].with_columns(pl.col("volume") * 2).write_parquet(project / "data" / "BTC-USD.parquet")
    lines = [line for line in run(*report).out.splitlines() if line.startswith("  What-if")]
    assert len(lines) == 4
    assert all("n/a  the bars of the run are not there any more, or have changed" in line for line in lines)


def test_text_and_json_exclude_each_other(run: Run, several: Path) -> None:
    answer = run("report", "r1", "--format", "text", "--json", "--project", several)
    assert (answer.code, "exclude each other" in answer.err) == (2, True)


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_a_run_that_ended_early_is_measured_over_what_it_came_to(run: Run, several: Path, tmp_path: Path, how: str) -> None:
    project = tmp_path / "project"
    shutil.copytree(several, project)
    with open_ledger(project / ".tb" / "ledger.sqlite") as ledger:
        whole = ledger.run("r3").run
        cut = whole.first + 31 * DAY
        assert cut < whole.last - 6 * DAY
        records = [one for one in ledger.records("r3") if getattr(one, "exit_at", None) is None and not isinstance(one, Curve)]
        records = [one for one in records if (getattr(one, "at", 0) or getattr(one, "last", 0)) <= cut]
        last = max(one.at for one in records if isinstance(one, Mark | Decision | Fill))
        ended = ledger.start_run(whole)
        ledger.append(ended.id, records)
        if how == "interrupted":
            ledger.finish_run(ended.id, {"interrupted": show_instant(last)})
    said = run("report", ended.id, "--json", "-o", tmp_path / "page.html", "--project", project).json
    metrics = {metric["name"]: metric for group in said["metrics"]["groups"] for metric in group["metrics"]}
    years = (last - whole.first) / (365 * DAY)
    assert metrics["cagr"]["value"] == pytest.approx((1 + metrics["total_return"]["value"]) ** (1 / years) - 1, rel=1e-6)
    text = run("report", ended.id, "--format", "text", "--project", project).out
    assert f"{show_instant(whole.first)} to {show_instant(last)}" in text
