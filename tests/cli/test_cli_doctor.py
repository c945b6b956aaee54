"""`tb doctor` against a sandbox: all well, and each thing that keeps live trading from starting."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from cli_commands import Run
from click.testing import CliRunner

from tb.cli import tb
from tb.connectors.sandbox.keys import write_key
from tb.connectors.sandbox.recording import series_of
from tb.connectors.sandbox.server import Sandbox
from tb.core.records import Run as RunRecord
from tb.runtime.gateway.breaker import Breaker
from tb.runtime.gateway.looking import BREAKER
from tb.runtime.operator import Inbox
from tb.runtime.secrets import hash_pin, new_salt

PIN = "a pin for tests"

HOUR = 3_600_000
START = 1_700_000_000_000 // HOUR * HOUR
BARS = [(100.0 + i, 103.0 + i, 98.0 + i, 101.0 + i, 10.0) for i in range(100)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    series = {symbol: series_of(symbol, HOUR, START, BARS) for symbol in ("BTC-USD", "ETH-USD", "SOL-USD")}
    with Sandbox(series, start=START + 50 * HOUR + 60_000) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, approved, that trades at the sandbox."""
    folder = tmp_path / "desk"
    assert run("init", folder).code == 0
    write_key(sandbox.key, tmp_path / "key.json")
    monkeypatch.setenv("TB_TEST_KEY", str(tmp_path / "key.json"))
    monkeypatch.setenv("TB_TEST_ALERTS", "json://127.0.0.1:9/nobody")
    settings = folder / "tb.yaml"
    live = f"""
live:
  venue: coinbase
  credentials: env:TB_TEST_KEY
  alerts: env:TB_TEST_ALERTS
  read_only: false
  pin: env:TB_TEST_PIN
  url: {sandbox.base_url}
  market_url: {sandbox.ws_url}
  user_url: {sandbox.ws_url}
"""
    settings.write_text(settings.read_text().replace("tick: 0.001", "tick: 0.01") + live)  # ticks of the sandbox
    monkeypatch.setenv("TB_TEST_PIN", hash_pin(PIN, new_salt()))
    approve = ("approve", "--by", "ann", "--reason", "reviewed", "--project", str(folder))
    assert CliRunner().invoke(tb, approve, input=f"{PIN}\n").exit_code == 0
    return folder


def failed(run: Run, desk: Path, *more: str) -> dict[str, str]:
    """The checks that failed, with what they say."""
    answer = run("doctor", "--clock", "venue", "--project", desk, "--json", *more)
    found = {one["name"]: one["words"] for one in answer.json["checks"] if not one["passed"]}
    assert answer.code == bool(found)
    assert answer.json["passed"] is not bool(found)
    return found


def test_where_all_is_well_it_says_so(desk: Path, run: Run) -> None:
    assert failed(run, desk) == {}
    shown = run("doctor", "--clock", "venue", "--project", desk)
    assert shown.code == 0
    assert shown.err.endswith("all checks pass: `tb run --mode live --clock venue` may start\n")
    lines = shown.out.splitlines()
    assert all(line.startswith("ok    ") for line in lines)
    assert [line.split()[1] for line in lines][:4] == ["breaker", "halts", "account", "policy"]
    assert "coinbase answers and trades all 3 instruments" in shown.out


def test_an_edit_after_the_approval_is_told(desk: Path, run: Run) -> None:
    limits = desk / "policy" / "limits.yaml"
    limits.write_text(limits.read_text() + "# looser\n")
    assert list(failed(run, desk)) == ["policy"]


def test_a_halt_that_nobody_has_heard_of_is_told(desk: Path, run: Run) -> None:
    run("halt", "--reason", "fat finger", "--by", "ann", "--project", desk)
    assert failed(run, desk)["halts"].startswith("ann: fat finger")
    (desk / ".tb" / "KILL").unlink()
    assert failed(run, desk) == {"halts": "ann ordered a halt: fat finger"}
    resume = ("resume", "--reason", "looked at it", "--by", "bob", "--project", str(desk))
    assert CliRunner().invoke(tb, resume, input=f"{PIN}\n").exit_code == 0
    assert failed(run, desk) == {}


def test_an_open_breaker_is_told(desk: Path, run: Run) -> None:
    breaker = Breaker(desk / ".tb" / "live" / BREAKER)
    breaker.begin(START)
    assert failed(run, desk) == {}
    breaker.open(START, "gateway", "the venue has 2 BTC, 1 are known")
    assert failed(run, desk) == {"breaker": "open, by gateway: the venue has 2 BTC, 1 are known"}
    breaker.path.write_bytes(b"{}\n")
    assert failed(run, desk) == {"breaker": "open, by tb: the file of the breaker is damaged"}


def test_alerts_that_nobody_would_hear_are_told(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TB_TEST_ALERTS")
    assert failed(run, desk) == {"alerts": "the list of addresses for alerts is not in `env:TB_TEST_ALERTS`"}


def test_a_pin_that_nobody_can_be_asked_for_is_told(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TB_TEST_PIN", "271828")
    assert failed(run, desk) == {"permission": "what is kept as the PIN's hash is none that `tb pin` makes"}
    monkeypatch.delenv("TB_TEST_PIN")
    assert failed(run, desk) == {"permission": "the hash of the operator's PIN is not in `env:TB_TEST_PIN`"}
    shown = run("doctor", "--clock", "venue", "--project", desk).out
    assert "-> set the variable `TB_TEST_PIN` to what `tb pin set` prints\n" in shown


def test_a_limit_that_is_missing_is_told(desk: Path, run: Run) -> None:
    limits = desk / "policy" / "limits.tb"
    kept = [line for line in limits.read_text().splitlines(keepends=True) if "otherwise halt" not in line]
    limits.write_text("".join(kept))
    found = failed(run, desk)
    assert set(found) == {"policy", "limits"}
    assert found["limits"] == "no constraint stops trading when losses mount"


def test_the_real_clock_is_far_from_a_simulated_one(desk: Path, run: Run) -> None:
    answer = run("doctor", "--project", desk, "--json")
    assert {"clock", "data"} <= {one["name"] for one in answer.json["checks"] if not one["passed"]}


def test_a_venue_that_does_not_answer_fails_every_check_that_asks_it(desk: Path, run: Run) -> None:
    settings = desk / "tb.yaml"
    settings.write_text(re.sub(r"  url: .*", "  url: http://127.0.0.1:1", settings.read_text()))
    answer = run("doctor", "--project", desk, "--json")
    names = {one["name"] for one in answer.json["checks"] if not one["passed"]}
    asking = {"connectivity", "clock", "balances", "reconciliation", "orders", "data"}
    assert names == {*asking, "policy"}
    assert set(failed(run, desk)) == {*asking, "policy"}  # also where its clock is to count


def test_without_a_venue_every_check_is_made_and_says_what_to_write(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "plain"
    run("init", folder)
    answer = run("doctor", "--project", folder, "--json")
    found = {one["name"]: one for one in answer.json["checks"] if not one["passed"]}
    asking = {"key", "connectivity", "clock", "balances", "reconciliation", "orders", "data"}
    assert answer.code == 1
    assert set(found) == {"policy", "permission", "alerts", *asking}
    assert all("`tb.yaml` names no venue" in found[name]["words"] and found[name]["hint"] for name in asking)


def test_without_a_key_every_other_check_is_made(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TB_TEST_KEY")
    monkeypatch.delenv("TB_TEST_ALERTS")
    monkeypatch.delenv("TB_TEST_PIN")
    found = failed(run, desk)
    assert set(found) == {"key", "alerts", "permission", "balances", "reconciliation", "orders"}
    assert found["key"] == "the venue's key is not in `env:TB_TEST_KEY`"
    settings = desk / "tb.yaml"
    settings.write_text(settings.read_text().replace("  credentials: env:TB_TEST_KEY\n", ""))
    assert failed(run, desk)["key"] == "`tb.yaml` does not say where the venue's key is"
    assert "--clock" not in run("doctor", "--clock", "venue", "--project", desk).out


def test_halts_and_numbers_of_earlier_runs_are_told_and_do_not_keep_it_from_starting(desk: Path, run: Run) -> None:
    from tb.core.records import Latch
    from tb.ledger import open_ledger

    with open_ledger(desk / ".tb" / "ledger.sqlite") as ledger:
        policy = ledger.put_policy({"tb.yaml": "name: x"})
        made = ledger.start_run(live_run(policy))
        latch = Latch(at=START, rule="deep", verdict="halt", until=None, lifted=False, by="policy", reason="drawdown")
        ledger.append(made.id, [latch])
    assert failed(run, desk) == {}
    shown = run("doctor", "--clock", "venue", "--project", desk).out
    assert "in force, nothing is entered: halt deep since 2023-11-14T22:00Z, until a person lifts it: drawdown" in shown
    assert "entries today 0, trades closed today 0, of them at a loss 0" in shown
    run("flatten", "--by", "bob", "--reason", "leaving", "--project", desk)
    assert failed(run, desk) == {}  # else no session could begin to do it
    shown = run("doctor", "--clock", "venue", "--project", desk).out
    assert "in force, nothing is entered: bob ordered a flatten, which the session does first: leaving; halt deep" in shown
    settings = desk / "tb.yaml"
    settings.write_text(settings.read_text().replace("timezone: UTC", "timezone: Europe/Paris"))
    run("approve", "--by", "ann", "--reason", "reviewed", "--project", desk)
    assert "since run r1, and it is to be `Europe/Paris`" in failed(run, desk)["account"]


def test_an_account_that_a_session_trades_already_is_told(desk: Path, run: Run) -> None:
    from tb.ledger import open_ledger

    with open_ledger(desk / ".tb" / "ledger.sqlite") as ledger:
        ledger.start_run(live_run(ledger.put_policy({"tb.yaml": "name: x"})))
        with ledger.hold("coinbase"):
            during = run("doctor", "--clock", "venue", "--project", desk)
    assert during.code == 0
    assert f"a session trades already (process {os.getpid()} " in during.err
    assert "may start" not in during.err
    assert "may start" in run("doctor", "--clock", "venue", "--project", desk).err


def live_run(policy: str) -> RunRecord:
    return RunRecord(
        id="r0",
        mode="live",
        started=START,
        policy_hash=policy,
        data="coinbase",
        data_hash="",
        first=START,
        last=START,
        instruments=("BTC-USD",),
        period=HOUR,
        initial_equity=Decimal(10_000),
        currency="USD",
        config={"timezone": "UTC"},
        version="0",
    )


def test_a_breaker_that_somebody_resumed_lets_the_session_begin_that_closes_it(desk: Path, run: Run) -> None:
    breaker = Breaker(desk / ".tb" / "live" / BREAKER)
    breaker.begin(START)
    breaker.drain(START + 1, "ann", "leaving")
    assert list(failed(run, desk)) == ["breaker"]
    Inbox(desk / ".tb" / "live").put("resume", at=START, by="bob", reason="back")
    assert failed(run, desk) == {}
    shown = run("doctor", "--clock", "venue", "--project", desk).out
    assert "draining, by ann: leaving; bob resumed it: it closes when the session begins" in shown
    run("halt", "--reason", "no", "--by", "ann", "--project", desk)
    (desk / ".tb" / "KILL").unlink()
    assert set(failed(run, desk)) == {"breaker", "halts"}


def test_a_session_on_bars_of_the_venue_does_not_go_on_with_recorded_ones(desk: Path, run: Run, tmp_path: Path) -> None:
    began = run("run", "--mode", "paper", "--once", "--clock", "venue", "--project", desk)
    assert began.code == 0, began.err
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    rows = [f"2023-11-{day:02d}T{hour:02d}:00:00Z,100,101,99,100,1000" for day in (14, 15) for hour in range(24)]
    for symbol in run("runs", "--project", desk, "--json").json[0]["instruments"]:
        (recorded / f"{symbol}.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    mixed = run("run", "--mode", "paper", "--data", recorded, "--project", desk)
    assert mixed.code == 3
    assert f"TB863]: session r1 has bars from coinbase, and now they are to be {recorded}" in mixed.err
    assert run("run", "--mode", "paper", "--data", recorded, "--new", "--project", desk).out.startswith("2023-")
