"""`tb run` as a person meets it: sessions that run, are stopped, killed and gone on with, and are taken again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from cli_commands import invoke

from tb.ledger import open_ledger
from tb.runtime.gateway.looking import JOURNAL
from tb.runtime.operator import Inbox

HOURS = 240  # more than a pipe holds the lines of, so that a session cannot end unread
SMALL = """universe u on venue
  tier t BTC-USD

strategy s on u every 1h
  enter long when close > close[1]
    size 10% of equity
    stop 10% below entry
  hold at most 3h
  cool down 6h after exit
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with hourly bars that rise and fall."""
    for folder in ("rules", "policy", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tb.yaml").write_text(
        "name: small\naccount: {currency: USD, equity: 10_000 USD}\n"
        "instruments: {default: {tick: 0.01, lot: 0.001, minimum: 1 USD}}\n"
        "venue: {fee: 10bps, slippage: 5bps, spread: 0%, depth: 1B USD}\n"
    )
    (tmp_path / "rules" / "s.tb").write_text(SMALL)
    (tmp_path / "policy" / "p.tb").write_text("limit gross  after.gross <= 100% of equity\n")
    rows = ["time,open,high,low,close,volume"]
    for hour in range(HOURS):
        price = 100 + (hour * 7) % 11
        rows.append(f"2024-01-{1 + hour // 24:02d}T{hour % 24:02d}:00Z,{price},{price + 1},{price - 1},{price + 0.5},10")
    (tmp_path / "data" / "BTC-USD.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def run(project: Path, *more: str, mode: str = "paper") -> list[dict]:  # type: ignore[type-arg]
    done = invoke("run", "--mode", mode, "--data", str(project / "data"), "--project", str(project), "--json", *more)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_paper_session_taken_again_decides_the_same_byte_for_byte(project: Path) -> None:
    *cycles, summary = run(project)
    assert len(cycles) == HOURS
    assert summary["finished"]
    assert summary["trades"] > 5
    again = invoke("replay", "--inputs", "r1", "--project", str(project), "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["decision_log_hash"] == summary["decision_log_hash"]
    compared = invoke("parity", "r1", "r2", "--project", str(project))
    assert compared.code == 0
    assert "parity 100%" in compared.out
    assert "the same decision log" in compared.out


def test_a_session_is_reported_and_compared_up_to_its_newest_close(project: Path) -> None:
    run(project, "--to", "2024-01-04")
    run(project, "--once", "--new")  # one that is not over
    known = json.loads(invoke("runs", "--project", str(project), "--json").out)
    assert [(one["mode"], one["finished"], one["last"]) for one in known][:1] == [("paper", True, "2024-01-04T00:00Z")]
    for of in ("r1", "r2"):
        reported = invoke("report", of, "--format", "text", "--project", str(project))
        assert reported.code == 0, reported.err
    assert "2024-01-01T01:00Z to 2024-01-04T00:00Z" in invoke("report", "r1", "--format", "text", "--project", str(project)).out
    assert invoke("compare", "r1", "r2", "--project", str(project)).code == 0


def test_a_paper_session_decides_what_a_replay_of_its_bars_does(project: Path) -> None:
    summary = run(project)[-1]
    (folder,) = (project / ".tb" / "ledger.sessions").iterdir()
    replayed = invoke("replay", "--data", str(folder), "--project", str(project), "--json")
    assert replayed.code == 0, replayed.err
    assert json.loads(replayed.out)["decision_log_hash"] == summary["decision_log_hash"]


def test_a_session_says_why_it_did_not_trade(project: Path) -> None:
    *cycles, _ = run(project)
    codes = {cycle["no_trade_reason"]["code"] for cycle in cycles if cycle["no_trade_reason"] is not None}
    assert codes == {"not_ready", "no_signal", "busy", "cooling_down"}
    assert any(cycle["entries"] and cycle["no_trade_reason"] is None for cycle in cycles)


def test_a_dry_run_sends_nothing(project: Path) -> None:
    *cycles, summary = run(project, mode="dry-run")
    assert summary["approved"] > 5
    assert summary["trades"] == 0
    assert all(cycle["positions"] == 0 for cycle in cycles)


def test_a_session_that_was_killed_goes_on_as_if_it_never_had_been(project: Path, tmp_path: Path) -> None:
    data = str(project / "data")
    arguments = [sys.executable, "-m", "tb", "run", "--mode", "paper", "--data", data, "--project", str(project), "--json"]
    seen: list[str] = []
    # killed after its twentieth close: in the middle of whatever it does then
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line)
            if len(seen) == 20:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    *rest, summary = run(project)
    assert summary["run"] == "r1"
    assert summary["finished"]
    assert 1 <= len(rest) <= HOURS - 20
    never = run(project, "--ledger", str(tmp_path / "never.sqlite"))[-1]
    assert summary["decision_log_hash"] == never["decision_log_hash"]
    assert summary["final_equity"] == never["final_equity"]
    assert invoke("ledger", "verify", "--project", str(project)).code == 0


def test_orders_to_an_account_that_trades_live_are_heard_on_paper_and_left_to_it(project: Path) -> None:
    inbox, journal = Inbox(project / ".tb" / "live"), project / ".tb" / "live" / JOURNAL
    invoke("flatten", "--by", "ann", "--reason", "leaving", "--project", str(project))
    journal.touch()
    run(project, "--once", "--from", "2024-01-01T05:00")
    assert [(word.kind, word.by) for word in inbox.waiting()] == [("flatten", "ann")]
    halted = json.loads(invoke("status", "--project", str(project), "--json").out)["halts"]
    assert [one["reason"] for one in halted] == ["flatten: leaving"]
    journal.unlink()
    run(project)
    assert inbox.waiting() == []


def test_what_waits_for_the_live_account_was_ended_by_a_resume_and_is_not_done_on_paper(project: Path) -> None:
    inbox, journal = Inbox(project / ".tb" / "live"), project / ".tb" / "live" / JOURNAL
    journal.parent.mkdir(parents=True)
    journal.touch()
    run(project, "--once", "--from", "2024-01-01T05:00")
    invoke("flatten", "--by", "ann", "--reason", "leaving", "--project", str(project))
    invoke("resume", "--by", "bob", "--reason", "back", "--project", str(project))
    run(project)
    assert [word.kind for word in inbox.waiting()] == ["flatten", "resume"]
    shown = json.loads(invoke("status", "--project", str(project), "--json").out)
    assert shown["halts"] == []
    assert shown["positions"]


def test_another_policy_does_not_go_on_with_a_session(project: Path) -> None:
    run(project, "--once", "--from", "2024-01-01T05:00")
    (project / "policy" / "p.tb").write_text("limit gross  after.gross <= 90% of equity\n")
    done = invoke("run", "--mode", "paper", "--data", str(project / "data"), "--project", str(project))
    assert done.code == 3
    assert "TB863" in done.err
    assert "--new" in done.err
    assert run(project, "--new")[-1]["run"] == "r2"


def test_a_session_whose_inputs_are_gone_does_not_begin_anew_by_itself(project: Path) -> None:
    run(project, "--once", "--from", "2024-01-01T05:00")
    for path in (project / ".tb" / "ledger.sessions").glob("*/inputs.jsonl"):
        path.unlink()
    done = invoke("run", "--mode", "paper", "--data", str(project / "data"), "--project", str(project))
    assert done.code == 3
    assert "TB860" in done.err


def test_once_goes_on_close_by_close(project: Path) -> None:
    first = run(project, "--once", "--from", "2024-01-01T05:00")
    second = run(project, "--once", "--from", "2024-01-01T06:00")
    assert [line["at"] for line in (first[0], second[0])] == ["2024-01-01T05:00Z", "2024-01-01T06:00Z"]
    assert first[-1]["run"] == second[-1]["run"] == "r1"


def test_a_begin_after_all_bars_is_refused_and_begins_no_run(project: Path) -> None:
    done = invoke("run", "--mode", "paper", "--data", str(project / "data"), "--from", "2031-01-01", "--project", str(project))
    assert done.code == 3
    assert "TB657" in done.err
    assert "no bar closes after --from: the last one does at 2024-01-11T00:00Z" in done.err
    assert invoke("runs", "--project", str(project), "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "live", "--once"), "leave out --once"),
        (("--mode", "paper", "--speed", "2x"), "add --data"),
        (("--mode", "live", "--data", "data"), "recorded bars cannot be traded live"),
    ],
)
def test_what_cannot_be_meant_is_said(project: Path, arguments: tuple[str, ...], words: str) -> None:
    done = invoke("run", *arguments, "--project", str(project))
    assert done.code == 2
    assert words in done.err


def test_why_not_speaks_of_a_close_at_which_nothing_could_be_risked(project: Path) -> None:
    """It ran at five, and again a day later: what held between was proposed by nobody."""
    run(project, "--once", "--from", "2024-01-01T05:00")
    run(project, "--from", "2024-01-02T00:00")  # nobody was running for nineteen closes
    told = invoke("why-not", "BTC-USD", "--at", "2024-01-01T10:00", "--project", str(project))
    assert told.code == 0, told.err
    assert "nobody was running then" in told.out
    spanned = invoke("why-not", "--since", "2024-01-01", "--project", str(project))
    assert spanned.code == 0, spanned.err


def test_what_the_settings_say_of_the_gateway_is_what_it_does(project: Path) -> None:
    """Each setting of `live` that is a term of the gateway; a term that nobody can set is not."""
    from tb.cli.live import terms_of
    from tb.cli.opening import settings_of

    text = "live: {cancel_on_disconnect: false, protect_within: 20s, tolerance: 50bps}\n"
    settings = project / "tb.yaml"
    settings.write_text(settings.read_text() + text)
    found = terms_of(settings_of(project), 2.0)
    assert (found.cancel_on_disconnect, found.protect_within, float(found.tolerance)) == (False, 40_000, 0.005)


def test_status_says_whether_a_session_runs_and_shows_that_one(project: Path) -> None:
    at = ("--project", str(project))
    run(project, "--once")
    assert invoke("status", *at).out.startswith("run r1: paper, stopped: `tb run --mode paper` goes on with it\n")
    assert json.loads(invoke("status", *at, "--json").out)["running"] is False
    with open_ledger(project / ".tb" / "ledger.sqlite") as ledger, ledger.hold("paper"):  # as `tb run` does
        replayed = invoke("replay", "--data", str(project / "data"), *at)
        assert replayed.code == 0, replayed.err
        shown = invoke("status", *at)
        assert shown.out.startswith(f"run r1: paper, runs (process {os.getpid()} of ")
        assert json.loads(invoke("status", *at, "--json").out)["running"] is True
        assert invoke("status", "r2", *at).out.startswith("run r2: replay, finished\n")
    assert invoke("status", *at).out.startswith("run r2: replay, finished\n")


def test_a_session_whose_process_is_gone_does_not_run(project: Path) -> None:
    from tb.ledger.holding import lock_path

    run(project, "--once")
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    gone = {"process": int(ended.stdout), "host": socket.gethostname(), "user": "ann", "since": 1_700_000_000_000}
    lock = lock_path(project / ".tb" / "ledger.sqlite", "paper")
    lock.write_text(json.dumps(gone))
    assert "paper, stopped: " in invoke("status", "--project", str(project)).out
    lock.write_text(json.dumps(gone | {"host": "elsewhere"}))  # nobody knows here
    assert "paper, runs (process " in invoke("status", "--project", str(project)).out


def test_a_live_session_is_taken_again_with_what_its_account_began_with(project: Path) -> None:
    run(project)
    with open_ledger(project / ".tb" / "ledger.sqlite") as ledger:
        began = msgspec.structs.replace(ledger.run("r1").run, mode="live", initial_equity=Decimal(5_000))
        ledger.start_run(began)
    again = invoke("replay", "--inputs", "r2", "--project", str(project), "--json")
    assert again.code == 0, again.err
    assert 4_500 < float(json.loads(again.out)["final_equity"]) < 5_500
    assert "filled on the simulated venue" in invoke("replay", "--inputs", "r2", "--project", str(project)).err
