"""`tb replay` and what reads its records: trades, decisions, runs, explain, why-not, report, ledger."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_commands import Run

from tb.core.records import Run as RunRecord

KEYS = (
    "run bars instruments decisions proposals approved shrunk rejected trades final_equity policy_hash decision_log_hash "
    "elapsed_s bars_per_s decisions_per_s first last period data warnings halts open_positions total_return max_drawdown "
    "no_trade_reason "
).split()
BARS = 3 * 40 * 24


def test_json_has_what_programs_are_promised(run: Run, project: Path) -> None:
    answer = run("replay", "--project", project, "--data", project / "data", "--json")
    assert (answer.code, answer.err) == (0, "")
    said = answer.json
    assert [key for key in KEYS if key not in said] == []
    assert said["run"] == "r1"
    assert said["bars"] == BARS
    assert said["instruments"] == ["BTC-USD", "ETH-USD", "SOL-USD"]
    assert said["proposals"] == said["approved"] + said["shrunk"] + said["rejected"]
    assert said["trades"] > 5
    assert (said["first"], said["last"], said["period"]) == ("2024-01-01T01:00Z", "2024-02-10T00:00Z", "1h")
    assert said["total_return"] == pytest.approx(float(said["final_equity"]) / 10_000 - 1)


def test_the_same_twice_gives_the_same_log_with_and_without_a_ledger(run: Run, project: Path) -> None:
    common = ("replay", "--project", project, "--data", project / "data", "--json")
    first, second = run(*common).json, run(*common).json
    unrecorded, in_pieces = run(*common, "--no-ledger").json, run(*common, "--chunk", "37").json
    told = {"run", "elapsed_s", "bars_per_s", "decisions_per_s", "ledger"}
    for other in (second, unrecorded, in_pieces):
        assert {k: v for k, v in other.items() if k not in told} == {k: v for k, v in first.items() if k not in told}
    assert (first["run"], second["run"], unrecorded["run"]) == ("r1", "r2", None)
    assert unrecorded["ledger"] is None


def test_the_summary_says_what_to_do_next(run: Run, recorded: Path, project: Path) -> None:
    answer = run("replay", "--project", project, "--data", project / "data")
    assert answer.code == 0
    assert answer.out.startswith("run r1: simulation on recorded bars\n")
    for line in ("tb trades r1", "tb explain r1.t1", "tb report r1"):
        assert f"  {line}\n" in answer.out
    assert run("trades", "r1", "--project", project).code == 0
    assert run("explain", "r1.t1", "--project", project).code == 0


def test_a_span_and_a_choice_of_instruments(run: Run, project: Path) -> None:
    data = ("replay", "--project", project, "--data", project / "data", "--json", "--no-ledger")
    said = run(*data, "--from", "2024-01-05", "--to", "2024-01-07T12:00", "--instruments", "BTC-USD").json
    assert (said["first"], said["last"], said["bars"]) == ("2024-01-05T01:00Z", "2024-01-07T12:00Z", 60)
    assert said["instruments"] == ["BTC-USD"]
    assert said["warnings"] == []


def test_no_trades_are_explained_in_a_sentence(run: Run, project: Path) -> None:
    said = run("replay", "--project", project, "--data", project / "data", "--to", "2024-01-03", "--json").json
    assert said["trades"] == 0
    reason = r"no entry condition was true at any bar \(momentum: false at \d+, unknown at \d+ of 144 bars\)"
    assert re.fullmatch(reason, said["no_trade_reason"])
    human = run("replay", "--project", project, "--data", project / "data", "--to", "2024-01-03")
    assert "  tb why-not --run r2\n  tb why-not BTC-USD --at 2024-01-03T00:00Z" in human.out


def test_rules_that_look_back_further_than_the_data_are_a_reason() -> None:
    from tb.cli.summary import UNKNOWN, _why_no_proposal

    assert _why_no_proposal({"momentum": Counter({UNKNOWN: 7})}) == (
        "no entry condition was true at any bar (momentum: unknown at 7 of 7 bars); unknown at every bar: the data is shorter "
        "than what the rules look back, or lacks a value they need"
    )


def test_of_many_rules_that_refused_the_most_frequent_are_named() -> None:
    from tb.cli.summary import _most

    refused = Counter(gross=9, net=8, spread=7, age=6, rate=5)
    assert _most(refused) == "gross 9, net 8, spread 7, age 6 and 1 more rule"
    assert _most(refused + Counter(halted=1)).endswith(" and 2 more rules")
    assert _most(refused, 5) == "gross 9, net 8, spread 7, age 6, rate 5"


def test_refusals_are_a_reason_for_no_trades(run: Run, project: Path) -> None:
    limits = project / "policy" / "limits.yaml"
    limits.write_text(limits.read_text().replace("max_spread: 60bps", "max_spread: 1bps"))
    said = run("replay", "--project", project, "--data", project / "data", "--json").json
    assert said["trades"] == 0
    assert said["rejected"] == said["proposals"] > 0
    assert re.fullmatch(r"every proposal was refused: \d+ by wide", said["no_trade_reason"])


def test_data_may_stand_in_the_settings(run: Run, project: Path) -> None:
    settings = project / "tb.yaml"
    settings.write_text(settings.read_text().replace("replay:\n", "replay:\n  data: data\n"))
    assert run("replay", "--project", project, "--json").json["bars"] == BARS


def test_a_missing_value_is_a_warning_and_no_reason_to_stop(run: Run, project: Path, frames: dict[str, pl.DataFrame]) -> None:
    holed = frames["ETH-USD"].with_columns(
        pl.when(pl.int_range(pl.len()) == 200).then(None).otherwise(pl.col("close")).alias("close")
    )
    holed.write_parquet(project / "data" / "ETH-USD.parquet")
    answer = run("replay", "--project", project, "--data", project / "data", "--json")
    assert answer.code == 0
    assert "ETH-USD.parquet:201:1: warning[TB648]: row 201: `close` is missing" in answer.err
    assert any("row 201" in warning for warning in answer.json["warnings"])


def test_data_without_an_instrument_is_a_warning_that_names_it(run: Run, project: Path) -> None:
    (project / "data" / "SOL-USD.parquet").unlink()
    answer = run("replay", "--project", project, "--data", project / "data", "--json")
    assert answer.code == 0
    assert "warning[TB656]: no data of `SOL-USD`, which `momentum` would trade" in answer.err


def test_counts_of_refusing_rules_that_exceed_the_refused_are_explained(run: Run, project: Path) -> None:
    policy = project / "policy" / "limits.tb"
    replay = ("replay", "--project", project, "--data", project / "data", "--no-ledger")
    for name, several in (("first", False), ("second", True)):
        with policy.open("a", encoding="utf-8") as file:
            file.write(f"\nforbid {name} when order.notional > 20 USD\n")
        told = " ".join(run(*replay).out.split())
        assert " refused refused by first " in told
        assert ("(one may be refused by several)" in told) == several
        assert ("by second (one may be refused by several)" in told) == several


# what reads the records


def test_trades_as_a_table_and_as_json(run: Run, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trades = run("trades", "--project", recorded, "--json").json
    assert [trade["id"] for trade in trades] == [f"t{number}" for number in range(1, len(trades) + 1)]
    assert {trade["entry_at"][-1] for trade in trades} == {"Z"}
    closed = [trade for trade in trades if trade["exit_at"] is not None]
    assert closed
    heads = "id opened held instrument strategy side quantity entry exit cause R profit".split()
    for columns in (80, 100, 120, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        answer = run("trades", "--project", recorded)
        table = answer.out.splitlines()
        gone = [head for head in heads if head not in table[0].split()]
        said = f"left out, as {columns} columns have no room: {', '.join(gone)}; a terminal of "
        assert (said in answer.err) == bool(gone)
        assert ("left out" in answer.err) == bool(gone)
        assert len(table) == len(trades) + 1
        assert max(map(len, table)) <= columns
        assert table[1].split()[:2] == ["t1", trades[0]["entry_at"]]
    only = run("trades", "r1", "--project", recorded, "--instrument", "BTC-USD", "--limit", "2", "--json").json
    assert only == [trade for trade in trades if trade["instrument"] == "BTC-USD"][:2]


def test_decisions_can_be_narrowed(run: Run, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything: list[dict[str, Any]] = run("decisions", "--project", recorded, "--json").json
    assert {d["kind"] for d in everything} == {"enter", "exit"}
    middle = everything[len(everything) // 2]["at"]
    cases: list[tuple[tuple[str, ...], Any]] = [
        (("--refused",), lambda d: d["approved"] == 0),
        (("--verdict", "approve"), lambda d: d["verdict"] == "approve"),
        (("--instrument", "ETH-USD"), lambda d: d["instrument"] == "ETH-USD"),
        (("--strategy", "momentum"), lambda d: d["strategy"] == "momentum"),
        (("--since", middle), lambda d: d["at"] >= middle),
        (("--until", middle), lambda d: d["at"] < middle),
    ]
    for options, keeps in cases:
        assert run("decisions", "--project", recorded, "--json", *options).json == [d for d in everything if keeps(d)]
    assert run("decisions", "--project", recorded, "--json", "--limit", "3").json == everything[:3]
    monkeypatch.setenv("COLUMNS", "90")
    table = run("decisions", "--project", recorded).out.splitlines()
    assert len(table) == len(everything) + 1
    assert max(map(len, table)) <= 90
    assert "left out, as 90 columns have no room: " in run("decisions", "--project", recorded).err
    nothing = run("decisions", "--project", recorded, "--instrument", "XRP-USD")
    assert "left out" not in nothing.err
    assert (nothing.code, nothing.out) == (0, "")


def test_runs_are_listed(run: Run, recorded: Path) -> None:
    runs = run("runs", "--project", recorded, "--json").json
    assert [(r["id"], r["finished"]) for r in runs] == [("r1", True), ("r2", True)]
    assert runs[0]["config"] == {"data_path": str(recorded / "data")}
    assert runs[0]["summary"]["decision_log_hash"] == runs[1]["summary"]["decision_log_hash"]
    table = run("runs", "--project", recorded).out.splitlines()
    assert [line.split()[0] for line in table] == ["run", "r1", "r2"]


@pytest.mark.parametrize("ledger", ["trades", "decisions", "runs"])
def test_another_ledger_can_be_named_without_a_project(run: Run, recorded: Path, tmp_path: Path, ledger: str) -> None:
    answer = run(ledger, "--project", tmp_path, "--ledger", recorded / ".tb" / "ledger.sqlite", "--json")
    assert answer.code == 0
    assert len(answer.json) > 1


def test_a_trade_a_decision_and_an_order_have_one_explanation(run: Run, recorded: Path) -> None:
    trade = run("trades", "--project", recorded, "--json").json[0]
    by_trade = run("explain", "t1", "--project", recorded, "--json")
    by_decision = run("explain", f"r2.{trade['decision']}", "--project", recorded, "--json")
    assert by_trade.code == 0
    assert by_trade.json == by_decision.json
    assert by_trade.json["reproduced"] is True
    assert by_trade.json["outcome"][0].startswith("trade r2.t1: long ")
    order = _order_of(recorded, trade["decision"])
    assert run("explain", order, "--run", "r2", "--project", recorded, "--json").json == by_trade.json


def _order_of(recorded: Path, decision: str) -> str:
    from tb.ledger import open_ledger

    with open_ledger(recorded / ".tb" / "ledger.sqlite", read_only=True) as ledger:
        return next(order.id for order in ledger.orders("r2") if f"d{order.decision}" == decision)


def test_an_explanation_in_every_form(run: Run, recorded: Path, tmp_path: Path) -> None:
    text = run("explain", "t1", "--project", recorded)
    assert "explanation reproduced: yes" in text.out
    short = run("explain", "t1", "--project", recorded, "--only-failing", "--depth", "1")
    assert len(short.out) < len(text.out)
    page = tmp_path / "deep" / "t1.html"
    answer = run("explain", "t1", "--project", recorded, "--format", "html", "-o", page)
    assert (answer.code, answer.out) == (0, "")
    assert page.read_text().startswith("<!DOCTYPE html>") or page.read_text().startswith("<!doctype html>")


def test_every_decision_of_a_run_is_reproduced(run: Run, recorded: Path, tmp_path: Path) -> None:
    said = run("explain", "--all", "--run", "r1", "--project", recorded, "--json").json
    decisions = run("decisions", "r1", "--project", recorded, "--json").json
    assert said["all_reproduced"] is True
    assert said["decisions"] == said["reproduced"] == len(decisions)
    assert said["refusals"] == sum(d["approved"] == 0 and d["kind"] == "enter" for d in decisions)
    assert said["differences"] == {}
    assert "decisions reproduced" in run("explain", "--all", "--project", recorded).out
    written = tmp_path / "all.json"
    assert run("explain", "--all", "--project", recorded, "--json", "-o", written).code == 0
    import json

    explanations = json.loads(written.read_text())
    assert [e["id"] for e in explanations] == [f"r2.{d['id']}" for d in decisions]


def test_an_explanation_that_differs_from_the_record_says_so(run: Run, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    from tb.gate import explain as room

    true_explain = room.explain

    def forged(plan: Any, gate: Any, settings: Any, decision: Any, **more: Any) -> Any:
        return true_explain(plan, gate, settings, msgspec.structs.replace(decision, failed=decision.failed ^ 1), **more)

    monkeypatch.setattr(room, "explain", forged)
    answer = run("explain", "t1", "--project", recorded)
    assert answer.code == 1
    assert "explanation reproduced: NO" in answer.out
    said = run("explain", "--all", "--project", recorded, "--json")
    assert said.code == 1
    assert said.json["all_reproduced"] is False
    assert len(said.json["differences"]) == said.json["decisions"]


def test_why_not_names_failing_clauses(run: Run, recorded: Path) -> None:
    decided = {d["at"] for d in run("decisions", "--project", recorded, "--json").json}
    at = next(f"2024-01-{day:02d}T12:00Z" for day in range(15, 31) if f"2024-01-{day:02d}T12:00Z" not in decided)
    answer = run("why-not", "BTC-USD", "--at", at, "--project", recorded)
    assert answer.code == 0
    assert answer.out.startswith(f"BTC-USD at {at}")
    assert "strategy momentum, enter long" in answer.out
    said = run("why-not", "BTC-USD", "--at", at, "--project", recorded, "--json").json
    assert said["answers"][0]["failing"]
    assert said["answers"][0]["agrees"] is True
    fresh = run("why-not", "BTC-USD", "--at", at, "--project", recorded, "--data", recorded / "data", "--json").json
    assert [f["clause"] for f in fresh["answers"][0]["failing"]] == [f["clause"] for f in said["answers"][0]["failing"]]


@pytest.mark.parametrize(
    ("instrument", "at", "says"),
    [
        ("BTC-USB", "2024-01-15", "no strategy covers `BTC-USB`; hint: did you mean `BTC-USD`?"),
        ("BTC-USD", "2025-01-15", "no bar of `BTC-USD` had closed just before 2025-01-15T00:00Z"),
        ("BTC-USD", "2023-01-15", "its bars close from 2024-01-01T01:00Z to 2024-02-10T00:00Z"),
    ],
)
def test_why_not_refuses_what_has_no_answer(run: Run, recorded: Path, instrument: str, at: str, says: str) -> None:
    answer = run("why-not", instrument, "--at", at, "--project", recorded)
    assert answer.code == 3
    assert says in answer.err


def test_why_not_over_a_span(run: Run, recorded: Path, tmp_path: Path) -> None:
    answer = run("why-not", "ETH-USD", "--since", "friday", "--project", recorded, "--html", tmp_path / "why.html")
    assert answer.code == 0
    assert answer.out.startswith("run r2: ETH-USD, 2024-02-09T00:00Z to 2024-02-10T00:00Z")
    assert "24 bars: the entry held at" in answer.out
    assert "relative_volume > spike" in answer.out
    assert answer.err == f"written: {tmp_path / 'why.html'}\n"
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert page.count('<div class="lane">') >= 4
    assert "<script" not in page
    assert run("why-not", "ETH-USD", "--since", "friday", "--project", recorded, "--html", "-").out == page
    said = run("why-not", "--project", recorded, "--json").json
    assert (said["first"], said["last"]) == ("2024-01-01T00:00Z", "2024-02-10T00:00Z")
    assert said["instruments"] == ["BTC-USD", "ETH-USD", "SOL-USD"]
    decided = run("decisions", "--project", recorded, "--json").json
    proposals = sum(sum(entry["proposals"].values()) for entry in said["entries"])
    assert proposals == sum(decision["kind"] == "enter" for decision in decided)
    fresh = run("why-not", "--project", recorded, "--data", recorded / "data", "--strategy", "momentum", "--json").json
    assert fresh["run"] == ""
    same = ("clause", "times", "alone", "closest", "streak")
    assert [[c[k] for k in same] for c in fresh["entries"][0]["clauses"]] == [
        [c[k] for k in same] for c in said["entries"][0]["clauses"]
    ]


def test_why_not_over_a_span_without_bars(run: Run, recorded: Path) -> None:
    answer = run("why-not", "--from", "2025-01-01", "--project", recorded)
    assert answer.code == 3
    assert "TB657" in answer.err
    assert "its bars close from 2024-01-01T01:00Z to 2024-02-10T00:00Z" in answer.err


def test_a_report_is_one_file(run: Run, with_ledger: Path, tmp_path: Path) -> None:
    answer = run("report", "--project", with_ledger, "--json")
    assert answer.code == 0
    path = Path(answer.json["path"])
    assert (answer.json["run"], path) == ("r2", with_ledger / ".tb" / "reports" / "r2.html")
    page = path.read_text(encoding="utf-8")
    assert "a year has 365 days" in page
    assert "SIMULATION" in page
    named = tmp_path / "r1.html"
    assert run("report", "r1", "--project", with_ledger, "-o", named).out == f"report of run r1: {named}\n"
    assert run("report", "r1", "--project", with_ledger, "-o", "-").out == named.read_text(encoding="utf-8")


def test_data_that_changed_or_went_away_is_said(run: Run, with_ledger: Path, frames: dict[str, pl.DataFrame]) -> None:
    # the runs name the folder that they were made from, so a run of this copy is needed
    assert run("replay", "--project", with_ledger, "--data", with_ledger / "data").code == 0
    changed = frames["BTC-USD"].with_columns(pl.col("volume") * 2)
    changed.write_parquet(with_ledger / "data" / "BTC-USD.parquet")
    said = f"the data in `{with_ledger / 'data'}` has changed since run r3"
    answer = run("report", "--project", with_ledger, "-o", "-")
    assert said in answer.err
    assert "has changed since run r3" in answer.out
    assert said in run("why-not", "BTC-USD", "--at", "2024-01-15", "--project", with_ledger).err
    (with_ledger / "data").rename(with_ledger / "moved")
    answer = run("report", "--project", with_ledger)
    assert answer.code == 0
    assert "the data of run r3 cannot be read any more" in answer.err
    assert run("why-not", "BTC-USD", "--at", "2024-01-15", "--project", with_ledger).code == 3


def test_a_run_is_explained_under_the_policy_that_made_it(run: Run, with_ledger: Path) -> None:
    before = run("explain", "t1", "--project", with_ledger).out
    for file in ("rules/momentum.tb", "policy/limits.tb"):
        (with_ledger / file).write_text("nonsense here\n")
    assert run("explain", "t1", "--project", with_ledger).out == before
    assert run("trades", "--project", with_ledger).code == 0


def test_the_ledger_is_verified_with_its_head(run: Run, recorded: Path) -> None:
    answer = run("ledger", "verify", "--project", recorded, "--json")
    assert answer.code == 0
    assert (answer.json["ok"], answer.json["findings"], answer.json["runs"]) == (True, [], 2)
    head = answer.json["head"]
    human = run("ledger", "verify", "--project", recorded, "--head", head)
    assert human.code == 0
    assert human.out.endswith(f"head {head}\n")
    number, _, _ = head.partition(":")
    other = run("ledger", "verify", "--project", recorded, "--head", f"{number}:{'0' * 64}")
    assert other.code == 1
    assert "TB711" in other.err
    assert f"entry {number} is not the one that was noted" in other.err
    assert run("ledger", "verify", "--project", recorded, "--head", "12").code == 2


def test_an_interrupted_run_stays_unfinished_and_readable(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tb.replay import run as room

    true_mark = room._last_mark

    def stop(*args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "_last_mark", stop)
    answer = run("replay", "--project", project, "--data", project / "data")
    assert answer.code == 130
    assert "stopped" in answer.err
    monkeypatch.setattr(room, "_last_mark", true_mark)
    assert [r["finished"] for r in run("runs", "--project", project, "--json").json] == [False]
    answer = run("trades", "--project", project)
    assert answer.code == 0
    assert "run r1 is unfinished" in answer.err
    assert run("ledger", "verify", "--project", project).code == 0
    assert run("replay", "--project", project, "--data", project / "data", "--json").json["run"] == "r2"


def test_weekends_decide_how_many_days_a_year_has() -> None:
    from decimal import Decimal

    import numpy as np

    from tb.cli.recorded import days_per_year
    from tb.core.time import DAY, HOUR
    from tb.engine.bars import Bars
    from tb.replay.data import Market

    hours = np.arange(1_704_067_200_000, 1_704_067_200_000 + 56 * DAY, HOUR, dtype=np.int64)  # a Monday
    weekdays = hours[(hours // DAY + 3) % 7 < 5]

    def market(*times: Any) -> tuple[Market, RunRecord]:
        bars = {}
        for number, time in enumerate(times):
            ones = np.ones(len(time))
            symbol = f"A{number}-USD"
            bars[symbol] = Bars(
                symbol, HOUR, time, ones, ones, ones, ones, ones, None, None, rows=np.arange(len(time)), source=f"{symbol}.csv"
            )
        made = Market("data", bars, HOUR, (), "")
        record = RunRecord(
            id="r1",
            mode="replay",
            started=0,
            policy_hash="",
            data="data",
            data_hash="",
            first=made.first,
            last=made.last,
            instruments=tuple(bars),
            period=HOUR,
            initial_equity=Decimal(1),
            currency="USD",
            config={},
            version="0",
        )
        return made, record

    assert days_per_year(*market(weekdays)) == 252
    assert days_per_year(*market(weekdays, weekdays)) == 252
    assert days_per_year(*market(weekdays, hours)) == 365
    assert days_per_year(*market(hours)) == 365
    assert days_per_year(*market(weekdays[:60])) == 365
