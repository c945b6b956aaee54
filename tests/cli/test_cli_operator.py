"""Commands of the operator: halt, resume and the PIN."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_commands import Run
from click.testing import CliRunner

from tb.cli import tb
from tb.runtime.operator import Inbox, KillFile


@pytest.fixture
def desk(tmp_path: Path, run: Run) -> Path:
    folder = tmp_path / "desk"
    assert run("init", folder).code == 0
    return folder


def with_pin(folder: Path) -> str:
    """The PIN's hash, in the settings by the name of a variable."""
    settings = folder / "tb.yaml"
    settings.write_text(settings.read_text() + "\nlive: {pin: 'env:TB_TEST_PIN'}\n")
    made = CliRunner().invoke(tb, ["pin", "set", "--project", str(folder)], input="seeded-4711\nseeded-4711\n")
    assert made.exit_code == 0
    assert "4711" not in made.output
    name, _, kept = made.stdout.strip().partition("=")
    assert name == "TB_TEST_PIN"
    return kept.strip("'")


def test_halt_works_without_a_session_and_resume_undoes_it(desk: Path, run: Run) -> None:
    answer = run("halt", "--reason", "prices  look\nwrong", "--by", "ann", "--project", desk)
    assert (answer.code, answer.out) == (0, "halted by ann: prices look wrong\n")
    assert KillFile(desk / ".tb" / "KILL").stands()
    answer = run("resume", "--by", "bob", "--reason", "they were right", "--project", desk, "--json")
    told = {"resumed": True, "by": "bob", "reason": "they were right", "kill_file_removed": True, "flatten_ordered": None}
    assert answer.json == told
    assert not KillFile(desk / ".tb" / "KILL").stands()
    words = Inbox(desk / ".tb" / "live").waiting()
    assert [(word.kind, word.by) for word in words] == [("halt", "ann"), ("resume", "bob")]


@pytest.mark.parametrize("missing", ["--by", "--reason"])
def test_nobody_resumes_without_a_name_and_a_reason(desk: Path, run: Run, missing: str) -> None:
    given = {"--by": "ann", "--reason": "x"}
    run("halt", "--reason", "x", "--project", desk)
    for other in ({}, {missing: "  "}):
        asked = {name: text for name, text in given.items() if name != missing} | other
        answer = run("resume", *(part for pair in asked.items() for part in pair), "--project", desk)
        assert answer.code == 2
        assert missing in answer.err
    assert KillFile(desk / ".tb" / "KILL").stands()


def test_resume_asks_for_the_pin_where_there_is_one(desk: Path, run: Run) -> None:
    kept = with_pin(desk)
    run("halt", "--reason", "x", "--project", desk)
    asked = ["resume", "--by", "ann", "--reason", "y", "--project", str(desk)]
    wrong = CliRunner(env={"TB_TEST_PIN": kept}).invoke(tb, asked, input="seeded-4712\n")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "4712" not in wrong.output
    unset = CliRunner(env={"TB_TEST_PIN": ""}).invoke(tb, asked, input="seeded-4711\n")
    assert unset.exit_code == 3
    assert "TB850" in unset.stderr
    assert KillFile(desk / ".tb" / "KILL").stands()
    right = CliRunner(env={"TB_TEST_PIN": kept}).invoke(tb, asked, input="seeded-4711\n")
    assert right.exit_code == 0
    assert not KillFile(desk / ".tb" / "KILL").stands()


def test_a_pin_that_is_too_short_or_repeated_otherwise_is_refused(desk: Path) -> None:
    settings = desk / "tb.yaml"
    asked = ["pin", "set", "--project", str(desk)]
    nowhere = CliRunner().invoke(tb, asked)
    assert nowhere.exit_code == 2
    assert "tb.yaml does not say where the PIN's hash is kept" in nowhere.stderr
    settings.write_text(settings.read_text() + "\nlive: {pin: 'env:TB_TEST_PIN'}\n")
    short = CliRunner().invoke(tb, asked, input="1234\n1234\n")
    assert short.exit_code == 2
    assert "at least 6 characters" in short.stderr
    assert CliRunner().invoke(tb, asked, input="abcdef\nabcdeg\n").exit_code == 1


# approving the policy


def test_a_policy_is_approved_by_its_exact_text(desk: Path, run: Run) -> None:
    shown = run("approve", "--show", "--project", desk, "--json")
    assert (shown.code, shown.json["approved"], shown.json["approval"]) == (1, False, None)
    answer = run("approve", "--by", "ann", "--reason", "reviewed", "--project", desk)
    assert answer.code == 0
    assert answer.out.endswith(" approved by ann: reviewed\n")
    assert run("approve", "--show", "--project", desk, "--json").json["approved"] is True
    limits = desk / "policy" / "limits.yaml"
    limits.write_text(limits.read_text() + "# looser\n")
    edited = run("approve", "--show", "--project", desk)
    assert edited.code == 1
    assert "the policy as it stands is another" in edited.out


def test_nobody_approves_without_a_name_and_a_reason(desk: Path, run: Run) -> None:
    for given in ((), ("--by", "ann"), ("--reason", "x"), ("--by", " ", "--reason", "x")):
        answer = run("approve", *given, "--project", desk)
        assert answer.code == 2
        assert "say who approves, and why" in answer.err
    assert run("approve", "--show", "--project", desk).code == 1


# how a session stands


def test_status_shows_what_was_recorded(recorded: Path, run: Run) -> None:
    shown = run("status", "--project", recorded)
    assert shown.code == 0
    assert shown.out.startswith("run r2: replay, finished\n")
    for part in ("use of limits", "last decisions", "equity"):
        assert part in shown.out
    told = run("status", "r1", "--project", recorded, "--json").json
    assert (told["run"], told["mode"], told["finished"], told["kill_file"], told["halts"]) == ("r1", "replay", True, None, [])
    open_now = [t for t in run("trades", "r1", "--project", recorded, "--json").json if t["exit_at"] is None]
    assert told["positions"] == open_now
    assert [d["id"] for d in told["last_decisions"]] == [f"d{told['decisions'] - back}" for back in range(10)]
    assert {use["limit"] for use in told["limits"]} > {"position", "gross"}


def test_status_tells_of_the_kill_file(with_ledger: Path, run: Run) -> None:
    run("halt", "--reason", "fat finger", "--by", "ann", "--project", with_ledger)
    assert "KILL FILE  ann: fat finger" in run("status", "--project", with_ledger).out
    assert run("status", "--project", with_ledger, "--json").json["kill_file"].startswith("ann: fat finger")


def test_status_tells_of_a_flatten_that_no_session_has_heard_of(with_ledger: Path, run: Run) -> None:
    assert run("status", "--project", with_ledger, "--json").json["flatten_ordered"] is None
    run("flatten", "--reason", "leaving", "--by", "ann", "--project", with_ledger)
    words = "ann ordered a flatten, which the session does first: leaving"
    assert f"  FLATTEN  {words}\n" in run("status", "--project", with_ledger).out
    assert run("status", "--project", with_ledger, "--json").json["flatten_ordered"] == words
    resumed = run("resume", "--reason", "back", "--by", "bob", "--project", with_ledger)
    assert f"{words}; what is held is closed all the same, and halts stay until you resume after that" in resumed.err
    inbox = Inbox(with_ledger / ".tb" / "live")
    inbox.taken(inbox.waiting()[0])
    assert "FLATTEN" not in run("status", "--project", with_ledger).out


def test_status_without_a_ledger_or_a_run_says_so(desk: Path, run: Run) -> None:
    answer = run("status", "--project", desk)
    assert answer.code == 3
    assert "TB701" in answer.err


def test_status_of_a_live_run_shows_its_stops_and_targets_and_what_has_none(desk: Path, run: Run) -> None:
    from ledger_samples import TEXTS, order, run_of, trade

    from tb.core.records import Handling
    from tb.ledger import open_ledger

    details = {"purpose": "protection", "side": "sell", "form": "bracket", "stop": "55200.09", "target": "70000"}
    sent = Handling(
        at=5_000, what="sent", instrument="BTC-USD", order="o1", client="c1", details={**details, "quantity": "0.004"}
    )
    with open_ledger(desk / ".tb" / "ledger.sqlite") as ledger:
        made = ledger.start_run(run_of(ledger.put_policy(TEXTS), mode="live")).id
        ledger.append(made, [order("o1"), trade(1), sent])
    shown = run("status", "--project", desk).out
    assert "\nstops and targets at the venue" in shown
    assert "NO STOP OR TARGET at the venue for 0.006 BTC-USD of t1\n" in shown
    told = run("status", "--project", desk, "--json").json
    guard = {"id": "c1", "trade": "t1", "instrument": "BTC-USD", "strategy": "momentum", "side": "sell", "state": "sent"}
    levels = {"quantity": "0.004", "stop": "55200.09", "target": "70000", "since": "1970-01-01T00:00:05Z"}
    assert told["protection"] == [guard | levels]
    assert told["unprotected"] == [{"trade": "t1", "instrument": "BTC-USD", "quantity": "0.006"}]
