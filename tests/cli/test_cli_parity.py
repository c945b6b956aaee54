"""`tb parity` over runs of one project that differ in one thing each, its output as recorded beside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_commands import Run
from several_runs import same_as_recorded

from tb.core.time import show_instant
from tb.ledger import open_ledger
from tb.replay.parity.model import percent


@pytest.mark.parametrize("other", ["r2", "r3", "r4", "r5", "r6", "r7"])
def test_the_text_fits_and_is_as_recorded(run: Run, several: Path, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = run("parity", "r1", other, "--project", several)
    assert answer.err == ""
    assert answer.code == (0 if other == "r2" else 1)
    same_as_recorded(f"parity-{other}", answer.out, several)
    assert [line for line in answer.out.replace(str(several), "").splitlines() if len(line) > 80] == []


def test_the_same_run_twice_is_the_same_log(run: Run, several: Path) -> None:
    said = run("parity", "r1", "r2", "--project", several, "--json")
    assert said.code == 0
    found = said.json
    decisions = len(run("decisions", "r1", "--project", several, "--json").json)
    assert (found["score"], found["same"], found["same_log"], found["first"]) == (1.0, True, True, None)
    assert found["decisions"] == {"same": decisions, "value": 0, "verdict": 0, "only_a": 0, "only_b": 0}
    assert [aspect["name"] for aspect in found["origins"]] == ["mode", "policy", "settings", "data", "code"]
    assert all(aspect["same"] for aspect in found["origins"])


@pytest.mark.parametrize(
    ("other", "aspect", "what", "cause"),
    [
        ("r3", "policy", "policy/limits.yaml: max_gross_pct", "limits.max_gross_pct is 20% in r1 and 6% in r3"),
        ("r4", "settings", "venue.fee", "had a fee of "),
        ("r5", "policy", "rules/triggers.tb:3", "the entry condition is false: spike is 1.8 in r1 and 2.4 in r5"),
        ("r6", "data", "bars", "row "),
        ("r7", "data", "first close", "in r7 the data goes from 2024-01-10T01:00Z"),
    ],
)
def test_the_first_divergence_names_what_was_changed(
    run: Run, several: Path, other: str, aspect: str, what: str, cause: str
) -> None:
    said = run("parity", "r1", other, "--project", several, "--json")
    found = said.json
    assert said.code == 1
    assert found["same"] is False
    assert [one["name"] for one in found["origins"] if not one["same"]] == [aspect]
    assert what in [change["what"] for one in found["origins"] for change in one["changes"]]
    assert cause in found["first"]["cause"]
    counts = found["decisions"]
    assert found["score"] <= counts["same"] / sum(counts.values()) < 1


def test_both_directions_say_the_same_of_each_other(run: Run, several: Path) -> None:
    one, other = (run("parity", *names, "--project", several, "--json").json for names in (("r1", "r5"), ("r5", "r1")))
    assert one["score"] == other["score"]
    assert one["decisions"]["only_a"] == other["decisions"]["only_b"]
    assert one["decisions"]["only_b"] == other["decisions"]["only_a"]
    assert (one["first"]["a"], one["first"]["b"]) == (other["first"]["b"], other["first"]["a"])
    assert [(line["a"], line["b"]) for line in one["first"]["inputs"]] == [
        (line["b"], line["a"]) for line in other["first"]["inputs"]
    ]


def test_counts_add_up_to_the_decisions_of_each_run(run: Run, several: Path) -> None:
    for other in ("r3", "r5", "r7"):
        counts = run("parity", "r1", other, "--project", several, "--json").json["decisions"]
        both = counts["same"] + counts["value"] + counts["verdict"]
        for name, more in (("r1", counts["only_a"]), (other, counts["only_b"])):
            assert both + more == len(run("decisions", name, "--project", several, "--json").json)


def test_only_the_time_in_common(run: Run, several: Path) -> None:
    whole = run("parity", "r1", "r7", "--project", several, "--json").json
    common = run("parity", "r1", "r7", "--common", "--project", several, "--json").json
    assert common["decisions"]["only_a"] < whole["decisions"]["only_a"]
    assert common["same_log"] is None
    assert common["first"]["at"] >= "2024-01-10T01:00Z"


def test_of_a_run_that_was_stopped_the_time_in_common_ends_with_it(run: Run, several: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(several, project)
    with open_ledger(project / ".tb" / "ledger.sqlite") as ledger:
        whole = ledger.run("r1").run
        decisions = list(ledger.decisions("r1"))
        cut = decisions[len(decisions) // 2].at
        kept = [one for one in decisions if one.at <= cut]
        stopped = ledger.start_run(whole)
        ledger.append(stopped.id, kept)
        ledger.finish_run(stopped.id, {"interrupted": show_instant(cut)})
    whole_time = run("parity", "r1", stopped.id, "--project", project, "--json")
    assert whole_time.json["decisions"]["only_a"] == len(decisions) - len(kept) > 0
    common = run("parity", "r1", stopped.id, "--common", "--project", project, "--json")
    assert common.json["decisions"] == {"same": len(kept), "value": 0, "verdict": 0, "only_a": 0, "only_b": 0}
    assert (common.code, common.json["first"]) == (0, None)


def test_no_time_in_common_is_refused(run: Run, project: Path) -> None:
    for span in (("--to", "2024-01-10"), ("--from", "2024-01-11")):
        assert run("replay", "--project", project, "--data", project / "data", *span).code == 0
    answer = run("parity", "r1", "r2", "--common", "--project", project)
    assert answer.code == 3
    assert "runs r1 and r2 have no time in common" in answer.err


def test_runs_of_two_ledgers(run: Run, several: Path, tmp_path: Path) -> None:
    here, there = several / ".tb" / "ledger.sqlite", tmp_path / "there.sqlite"
    shutil.copy(here, there)
    common = ("parity", "--project", tmp_path, "--ledger", here, "--ledger", there)
    same = run(*common, "r1", "r1", "--json")
    assert (same.code, same.json["a"], same.json["b"]) == (0, "A:r1", "B:r1")
    other = run(*common, "r1", "r3")
    assert other.code == 1
    assert "limits.max_gross_pct is 20% in r1 and 6% in r3" in other.out
    three = run(*common, "r1", "r3", "--ledger", there)
    assert (three.code, "name one ledger, or 2" in three.err) == (2, True)


def test_runs_without_a_decision_are_the_same_and_said_to_be_empty(run: Run, project: Path) -> None:
    for _ in range(2):
        assert run("replay", "--project", project, "--data", project / "data", "--to", "2024-01-03").code == 0
    answer = run("parity", "r1", "r2", "--project", project)
    assert answer.code == 0
    assert answer.out.startswith("parity 100%  r1 and r2: the same decision log\nnote: neither run decided anything\n")
    compared = run("compare", "r1", "r2", "--project", project)
    assert "the best" not in compared.out
    assert "in brackets" not in compared.out


def test_a_run_that_is_not_there(run: Run, several: Path) -> None:
    answer = run("parity", "r1", "r99", "--project", several)
    assert answer.code == 3
    assert "there is no run `r99`" in answer.err


def test_a_score_below_one_never_reads_as_one() -> None:
    assert [percent(score) for score in (1.0, 1 - 1e-9, 0.5, 0.0)] == ["100%", "99.99%", "50.00%", "0.00%"]


def test_a_run_that_was_killed_is_not_said_to_have_kept_what_it_held(run: Run, several: Path, tmp_path: Path) -> None:
    from tb.core.records import Decision
    from tb.ledger import open_ledger

    project = tmp_path / "project"
    shutil.copytree(several, project)
    with open_ledger(project / ".tb" / "ledger.sqlite") as ledger:
        records = list(ledger.records("r1"))
        # killed just before the first exit was decided
        at = next(at for at, record in enumerate(records) if isinstance(record, Decision) and record.kind == "exit")
        killed = ledger.start_run(ledger.run("r1").run)
        ledger.append(killed.id, records[:at])
        last = max(record.at for record in records[:at] if isinstance(record, Decision))
        first = records[at]
    assert isinstance(first, Decision)
    assert first.at > last
    found = run("parity", "r1", killed.id, "--project", project, "--json").json["first"]
    assert found["a"] == f"r1.d{first.seq}"
    assert found["cause"].startswith(f"in {killed.id} it was stopped: its records end at ")
