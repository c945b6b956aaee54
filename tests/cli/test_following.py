"""Following a replay: the same decisions, on the simulated clock, with keys, and a readable ledger however it ends."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from cli_commands import DAYS, Run

from tb.cli.following import Follower, speed
from tb.core.records import Decision, Quiet, Record
from tb.core.time import HOUR, parse_instant
from tb.ledger import open_ledger
from tb.replay.data import load_market
from tb.replay.run import Outcome, replay_market
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project


@dataclass
class Typed:
    """Keys at given looks, and the clock that they are pressed by: it moves on by as long as somebody waits."""

    at_looks: dict[int, str] = field(default_factory=dict)
    now: float = 0.0
    looks: int = 0

    def pressed(self, seconds: float) -> str:
        self.now += max(seconds, 0.0)
        self.looks += 1
        return self.at_looks.get(self.looks, "")

    def clock(self) -> float:
        return self.now


@dataclass
class Told:
    """Keeps what is told, and what the clock showed meanwhile; may press keys after so many decisions."""

    typed: Typed
    after: dict[int, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    paused_after: list[int] = field(default_factory=list)

    @property
    def decisions(self) -> list[Decision]:
        return [record for record in self.records if isinstance(record, Decision)]

    def tell(self, record: Record) -> None:
        self.records.append(record)
        if isinstance(record, Decision) and len(self.decisions) in self.after:
            self.typed.at_looks[self.typed.looks + 1] = self.after[len(self.decisions)]

    def show_clock(self, at: int, *, is_paused: bool) -> None:
        if is_paused:
            count = len(self.decisions)
            if not self.paused_after or self.paused_after[-1] != count:
                self.paused_after.append(count)
                # somebody looks for a while, and steps on; in the end stops
                self.typed.at_looks[self.typed.looks + 3] = "n" if count < 4 else "q"


def played(project: Path, follower: Follower | None) -> Outcome:
    compiled = compile_project(load_project(project))
    market = load_market(project / "data")
    return replay_market(
        run="r1", plan=compiled.plan, settings=compiled.settings, market=market, policy_hash="0", pace=follower
    )


def follower(typed: Typed, told: Told, fast: float) -> Follower:
    first = parse_instant("2024-01-01")
    assert first is not None
    return Follower(first, fast, told, typed, typed.clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("fast", [math.inf, 1000.0])
def test_a_followed_run_decides_the_same_on_the_simulated_clock(project: Path, fast: float) -> None:
    typed = Typed()
    told = Told(typed)
    plain, paced = played(project, None), played(project, follower(typed, told, fast))
    assert (paced.decision_log_hash, paced.counts, paced.interrupted) == (plain.decision_log_hash, plain.counts, None)
    assert len(told.decisions) == plain.counts["decisions"] > 10
    assert typed.now == pytest.approx(DAYS * 86_400 / fast)


def test_what_is_flushed_while_it_waits_changes_no_hash(recorded: Path, project: Path, run: Run) -> None:
    plain = run("replay", "--project", project, "--data", project / "data", "--json").json
    compiled = compile_project(load_project(project))
    market = load_market(project / "data")
    typed = Typed()
    with open_ledger(project / "other.sqlite") as ledger:
        from tb.cli.replay import _run

        started = ledger.start_run(_run(compiled, market, ledger.put_policy(compiled.project.texts), {}))
        outcome = replay_market(
            run=started.id,
            plan=compiled.plan,
            settings=compiled.settings,
            market=market,
            policy_hash=started.policy_hash,
            ledger=ledger,
            pace=follower(typed, Told(typed), 1000.0),
        )
        assert outcome.decision_log_hash == plain["decision_log_hash"]
        ledger.finish_run(started.id, {"decision_log_hash": outcome.decision_log_hash})
        assert ledger.verify() == []


def test_n_steps_one_decision_and_q_stops(project: Path) -> None:
    typed = Typed({1: " "})  # pauses before anything happens
    told = Told(typed)
    outcome = played(project, follower(typed, told, 1000.0))
    assert told.paused_after == [0, 1, 2, 3, 4]
    assert outcome.interrupted is not None
    assert told.decisions[3].at <= outcome.interrupted
    assert all(d.at <= outcome.interrupted for d in told.decisions)
    market = load_market(project / "data")
    assert outcome.bars == sum(int((bars.closes <= outcome.interrupted).sum()) for bars in market.bars.values()) < market.rows
    quiet = [record for record in told.records if isinstance(record, Quiet)]
    assert quiet == []  # told to nobody: they are written when the run is over


def test_time_stands_still_while_it_is_paused(project: Path) -> None:
    first = parse_instant("2024-01-01")
    assert first is not None
    typed = Typed({2: " ", 102: " "})
    here = Follower(first, 1000.0, None, typed, typed.clock)
    assert here.go_on(first + 10 * HOUR, lambda: None) is None
    assert typed.now == pytest.approx(36.0 + 100 * 0.05)
    assert here.go_on(first + 20 * HOUR, lambda: None) is None
    assert typed.now == pytest.approx(72.0 + 100 * 0.05)


def test_a_stopped_run_ends_where_the_clock_stands() -> None:
    typed = Typed()
    here = Follower(0, 1000.0, None, typed, typed.clock)
    assert here.go_on(10 * HOUR, lambda: None) is None
    typed.at_looks[typed.looks + 201] = "q"  # after ten seconds
    ended = here.go_on(20 * HOUR, lambda: None)
    assert ended is not None
    assert ended == pytest.approx(10 * HOUR + 10_000_000, abs=60_000)


@pytest.mark.parametrize(
    ("text", "fast"), [("1000x", 1000.0), ("60", 60.0), ("0.5x", 0.5), ("1_000X", 1000.0), ("max", math.inf)]
)
def test_speeds(text: str, fast: float) -> None:
    assert speed(text) == fast


@pytest.mark.parametrize("text", ["", "fast", "0", "-1x", "nan", "inf", "x"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a speed"):
        speed(text)


# --- the command --------------------------------------------------------------------------------------------------------


def test_lines_and_json_lines(run: Run, project: Path) -> None:
    data = ("--project", project, "--data", project / "data")
    plain = run("replay", *data, "--json").json
    told = run("replay", *data, "--follow")
    lines = told.out.splitlines()
    assert sum("-> APPROVED" in line or "-> RESIZED" in line for line in lines) > 10
    assert any("  filled  " in line for line in lines)
    assert any(" closed by " in line for line in lines)
    assert f"decision log  {plain['decision_log_hash'][:16]}" in told.out
    said = [json.loads(line) for line in run("replay", *data, "--follow", "--speed", "max", "--json").out.splitlines()]
    assert [one["type"] for one in said].count("decision") == plain["decisions"]
    assert [one["type"] for one in said].count("trade") == plain["trades"] - plain["open_positions"]
    assert said[-1]["type"] == "summary"
    assert said[-1]["decision_log_hash"] == plain["decision_log_hash"]
    instants = [one["at"] for one in said[:-1]]
    assert instants == sorted(instants)


def test_refusals_are_told_with_their_reason(run: Run, project: Path) -> None:
    limits = project / "policy" / "limits.yaml"
    limits.write_text(re.sub("max_trades_per_day: .*", "max_trades_per_day: 1", limits.read_text()))
    told = run("replay", "--project", project, "--data", project / "data", "--follow")
    assert any("-> REJECTED by " in line for line in told.out.splitlines())


@pytest.mark.parametrize(
    ("options", "says"),
    [(("--speed", "10x"), "add --follow"), (("--follow", "--speed", "quick"), "`quick` is not a speed")],
)
def test_usage(run: Run, project: Path, options: tuple[str, ...], says: str) -> None:
    answer = run("replay", "--project", project, "--data", project / "data", *options)
    assert answer.code == 2
    assert says in answer.err


def started(project: Path, *options: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tb", "replay", "--project", str(project), "--data", str(project / "data"), *options]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def check_interrupted(run: Run, project: Path) -> None:
    assert run("ledger", "verify", "--project", project).code == 0
    told = run("runs", "--project", project, "--json").json[-1]
    assert told["finished"]
    assert told["interrupted"] is not None
    decisions = run("decisions", "--project", project, "--json").json
    assert decisions
    assert all(decision["at"] <= told["interrupted"] for decision in decisions)
    assert "interrupted" in run("runs", "--project", project).out
    explained = run("explain", "--all", "--project", project, "--json")
    assert explained.json["all_reproduced"]
    assert "was interrupted at" in explained.err
    span = run("why-not", "--project", project, "--json").json
    assert span["last"] == told["interrupted"]
    assert all(entry["states"]["differing"] == 0 for entry in span["entries"])
    assert run("report", "--project", project, "-o", "-").code == 0


def test_ctrl_c_leaves_a_readable_ledger(run: Run, project: Path) -> None:
    # so fast that a decision comes soon, and so slow that the end is far
    process = started(project, "--follow", "--speed", "500000x")
    assert process.stdout is not None
    assert b" d1 " in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert b", interrupted at 2024-01-" in out
    until = re.search(rb"interrupted at (\S+)", out)
    assert until is not None
    assert re.search(rb"  bars .* to " + until[1] + rb"\n", out)
    check_interrupted(run, project)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_was_decided_is_kept_where_nobody_reads_on(run: Run, project: Path, options: tuple[str, ...]) -> None:
    with started(project, "--follow", "--speed", "500000x", *options) as process:
        assert process.stdout is not None
        assert b"d1" in process.stdout.readline()
        process.stdout.close()
    assert process.returncode == 141
    check_interrupted(run, project)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no terminals of this kind")
def test_keys_at_a_terminal(run: Run, project: Path) -> None:
    import pty

    control, terminal = pty.openpty()
    process = started(project, "--follow", "--speed", "500000x", stdin=terminal)
    assert process.stdout is not None
    assert b" d1 " in process.stdout.readline()
    os.write(control, b"q")
    out, err = process.communicate()
    os.close(control)
    os.close(terminal)
    assert process.returncode == 0, err
    assert b", interrupted at 2024-01-" in out
    assert run("ledger", "verify", "--project", project).code == 0
    assert run("runs", "--project", project, "--json").json[-1]["interrupted"] is not None
