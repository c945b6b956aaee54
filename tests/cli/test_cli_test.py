"""`tb test` as people and build servers meet it: exit codes, forms, coverage, watching."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from threading import Timer

import pytest
from cli_commands import Run, invoke

ROOT = Path(__file__).resolve().parents[2]
WRONG = """
test "the wrong rule"
  given  spread = 80bps
  when   momentum proposes buy 0.008 BTC-USD at 50_000 USD stop 47_500 USD target 55_000 USD
  expect reject by collar

test "read by nothing"
  given  entries(3h) = 5
  when   momentum proposes buy 0.008 BTC-USD at 50_000 USD stop 47_500 USD target 55_000 USD
  expect approve
"""


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A project as `tb init` writes it."""
    folder = tmp_path / "project"
    assert invoke("init", folder).code == 0
    return folder


def add(folder: Path, text: str) -> None:
    (folder / "tests" / "more.tb").write_text(text, encoding="utf-8")


def test_a_project_to_start_from_passes_its_tests(run: Run, started: Path) -> None:
    answer = run("test", "--project", started)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "8 passed of 8 tests\n"


def test_a_failure_is_shown_with_its_place_and_its_reason(run: Run, started: Path) -> None:
    add(started, WRONG)
    answer = run("test", "--project", started)
    assert answer.code == 1
    assert "FAILED  the wrong rule  (tests/more.tb:2)" in answer.out
    assert "expected  reject by collar    (tests/more.tb:5)" in answer.out
    assert "actual    reject by wide" in answer.out
    assert "hint      `collar` passed; edit `collar` (policy/limits.tb:" in answer.out
    assert "flips if spread goes from 0.8% to 0.6%" in answer.out
    assert "nothing reads what is given: `entries(3h) = 5`    (tests/more.tb:8)" in answer.out
    assert answer.out.endswith("8 passed, 1 failed, 1 not run of 10 tests\n")


def test_json_says_what_the_text_says(run: Run, started: Path) -> None:
    add(started, WRONG)
    found = run("test", "--project", started, "--json", "--coverage").json
    assert found["passed"] is False
    assert found["counts"] == {"passed": 8, "failed": 1, "error": 1}
    wrong = next(test for test in found["tests"] if test["status"] == "failed")
    assert (wrong["file"], wrong["line"]) == ("tests/more.tb", 2)
    assert wrong["failures"][0]["expected"] == "reject by collar"
    assert wrong["explanation"].startswith("the order  buy 0.008 BTC-USD")
    assert {rule["name"] for rule in found["coverage"]["rules"] if rule["tested"]} >= {"wide", "position", "volume_spike"}


def test_junit_counts_every_test(run: Run, started: Path) -> None:
    add(started, WRONG)
    file = started / "out" / "test.xml"
    assert run("test", "--project", started, "--junit", file).code == 1
    printed = run("test", "--project", started, "--format", "junit").out
    assert file.read_text(encoding="utf-8") == printed
    suites = ET.fromstring(printed)
    (suite,) = suites
    assert suites.tag == "testsuites"
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "10",
        "failures": "1",
        "errors": "1",
    }
    cases = list(suite)
    assert [case.tag for case in cases] == ["testcase"] * 10
    assert all(case.get("name") and case.get("classname") and case.get("line", "").isdigit() for case in cases)
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "expected reject by collar, got reject by wide"
    assert "tests/more.tb:5: " in (failure.text or "")
    assert len(list(suite.iter("error"))) == 1


def test_a_run_with_no_test_does_not_pass(run: Run, started: Path) -> None:
    nothing = run("test", "--project", started, "-k", "no such")
    assert (nothing.code, nothing.out) == (5, "")
    assert "TB720" in nothing.err
    near = run("test", "--project", started, "-k", "a quiet market is left along")
    assert "did you mean `a quiet market is left alone`?" in near.err
    (started / "tests" / "limits.tb").unlink()
    without = run("test", "--project", started)
    assert without.code == 5
    assert "the project has no test" in without.err
    assert run("test", "--project", started, "--json").json["passed"] is False
    assert run("test", "--project", started, "--coverage-min", "0%").code == 5


def test_names_choose_tests(run: Run, started: Path) -> None:
    assert run("test", "--project", started, "-k", "SPREAD").out == "2 passed of 2 tests\n"
    listed = run("test", "--project", started, "-k", "spread", "--list")
    assert listed.out.splitlines() == [
        "tests/limits.tb:12  a wide spread blocks an entry",
        "tests/limits.tb:17  an unknown spread blocks an entry, too",
    ]
    assert [test["line"] for test in run("test", "--project", started, "--list", "--json").json[2:4]] == [12, 17]


def test_too_little_covered_is_told_apart_from_a_failure(run: Run, started: Path) -> None:
    enough = run("test", "--project", started, "--coverage-min", "20%")
    assert enough.code == 0
    assert "policy/limits.tb:8  no test names limit max_drawdown" in enough.out
    assert "policy/limits.tb:8  never false: drawdown <= limits.max_drawdown_pct" in enough.out
    little = run("test", "--project", started, "--coverage-min", "90%")
    assert little.code == 5
    assert "is covered, and 90% is asked for" in little.err
    assert run("test", "--project", started, "--coverage-min", "lots").code == 2


def test_mistakes_in_tests_are_refused_and_stop_nothing_else(run: Run, started: Path) -> None:
    add(started, WRONG.replace("collar", "colar"))
    answer = run("test", "--project", started)
    assert (answer.code, answer.out) == (3, "")
    assert "did you mean `collar`?" in answer.err
    assert "TB094" in run("lint", "--project", started).out
    assert run("compile", "--project", started).code == 0


def test_tests_are_laid_out_and_part_of_no_policy(run: Run, started: Path) -> None:
    from tb.runtime.project import load_project

    before = load_project(started).texts
    add(started, WRONG.replace("  when   ", "  when "))
    assert load_project(started).texts == before
    assert run("fmt", "--project", started, "--check").code == 1
    assert run("fmt", "--project", started).code == 0
    assert (started / "tests" / "more.tb").read_text(encoding="utf-8") == WRONG.lstrip("\n")


def _heed_control_c() -> None:
    """A process started in the background would ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_watching_runs_again_and_ends_cleanly(started: Path) -> None:
    command = [sys.executable, "-m", "tb", "test", "--watch", "--project", str(started)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heed_control_c,  # noqa: PLW1509 - this process has no other thread yet
    ) as watching:
        assert watching.stdout is not None
        guard = Timer(120, watching.kill)  # so that a word that never comes ends the test
        guard.start()
        seen: list[str] = []

        def until(words: str) -> None:
            for line in watching.stdout or ():
                seen.append(line)
                if words in line:
                    return
            raise AssertionError(f"never said {words!r}: {seen}")

        until("8 passed of 8 tests")
        until("watching")
        add(started, WRONG)
        until("1 failed")
        until("watching")
        add(started, "test\n")  # a mistake is shown and waited out
        until("more.tb:1:")
        until("watching")
        add(started, 'test "one more"\n  given  relative_volume = 2, close = 2 USD, close[1] = 1 USD\n  expect volume_spike\n')
        until("9 passed of 9 tests")
        until("watching")
        watching.send_signal(signal.SIGINT)
        until("stopped watching")
        assert watching.wait() == 0
        guard.cancel()


def test_the_default_project_is_covered_whole(run: Run) -> None:
    answer = run("test", "--project", ROOT, "--coverage-min", "100%")
    assert answer.code == 0, answer.out + answer.err
    assert "coverage 100%" in answer.out
