"""`tb lint`: formats for build servers, levels, the baseline, explanations and fixes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_commands import Run

from tb.analysis.baseline import BASELINE
from tb.core.codes import CODES

UNUSED = "\nlet nobody_uses = close\n"


@pytest.fixture
def untidy(project: Path) -> Path:
    """The project with a definition that nothing uses, a warning."""
    rules = project / "rules" / "triggers.tb"
    rules.write_text(rules.read_text() + UNUSED)
    return project


# formats and levels


def test_formats_name_files_from_here(run: Run, untidy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(untidy.parent)
    for named in (Path("project"), untidy):
        result = run("lint", "--project", named, "--format", "sarif").json["runs"][0]["results"][0]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "project/rules/triggers.tb"
        rows = json.loads(run("lint", "--project", named, "--format", "gitlab").out)
        assert [row["location"]["path"] for row in rows] == ["project/rules/triggers.tb"]
        github = run("lint", "--project", named, "--format", "github").out
        assert github.startswith("::warning file=project/rules/triggers.tb,line=")
        suite = ET.fromstring(run("lint", "--project", named, "--format", "junit").out)
        assert {case.get("file") for case in suite.iter("testcase")} >= {"project/rules/triggers.tb", "project/tb.yaml"}


def test_what_fails_in_junit_is_what_fails_the_command(run: Run, untidy: Path) -> None:
    for options, code, failures in (((), 0, "0"), (("--strict",), 1, "1")):
        answer = run("lint", "--project", untidy, "--format", "junit", *options)
        assert (answer.code, ET.fromstring(answer.out).get("failures")) == (code, failures)


def test_nothing_found_prints_nothing_for_github(run: Run, project: Path) -> None:
    assert run("lint", "--project", project, "--format", "github").out == ""


def test_levels_in_the_settings(run: Run, untidy: Path) -> None:
    settings = untidy / "tb.yaml"
    text = settings.read_text()
    settings.write_text(text + "\nlint:\n  levels: {hygiene: error}\n")
    assert run("lint", "--project", untidy).code == 1
    settings.write_text(text + "\nlint:\n  levels: {hygiene: off, TB999: error, TB101: hint}\n")
    answer = run("lint", "--project", untidy, "--json")
    assert [finding["code"] for finding in answer.json["findings"]] == ["TB610", "TB610"]
    assert answer.code == 0


# explanations


@pytest.mark.parametrize("code", ["TB104", "tb104"])
def test_a_rule_is_explained_by_its_programs(run: Run, code: str, root: Path) -> None:
    answer = run("lint", "--explain", code)
    assert answer.code == 0
    assert answer.out == (root / "docs" / "lint" / "TB104.md").read_text(encoding="utf-8")


def test_every_code_is_explained(run: Run) -> None:
    for code, row in CODES.items():
        answer = run("lint", "--explain", code)
        assert (answer.code, answer.out.splitlines()[0]) == (0, f"# {code} {row.title}")


def test_no_such_code(run: Run) -> None:
    answer = run("lint", "--explain", "TB14")
    assert answer.code == 2
    assert "there is no code `TB14`; did you mean `TB" in answer.err


# the baseline


def agreed(project: Path) -> list[tuple[str, int]]:
    rows = json.loads((project / BASELINE).read_text())["findings"]
    return [(row["code"], row["count"]) for row in rows]


def test_a_finding_of_the_baseline_does_not_fail_and_one_more_does(run: Run, untidy: Path) -> None:
    answer = run("lint", "--project", untidy, "--strict", "--write-baseline")
    assert (answer.code, answer.out) == (0, "")
    assert f"wrote 1 finding to {BASELINE}\n" in answer.err
    assert agreed(untidy) == [("TB509", 1)]
    rules = untidy / "rules" / "triggers.tb"
    rules.write_text("# moved down\n" + rules.read_text())
    answer = run("lint", "--project", untidy, "--strict", "--json")
    assert (answer.code, answer.json["findings"], answer.json["baseline"]) == (0, [], 1)
    rules.write_text(rules.read_text() + "let another = open\n")
    answer = run("lint", "--project", untidy, "--strict")
    assert answer.code == 1
    assert "`another` is never used" in answer.out
    assert "nobody_uses" not in answer.out
    assert "1 finding of the baseline not shown" in answer.err


def test_the_ratchet_writes_down_fewer(run: Run, untidy: Path) -> None:
    run("lint", "--project", untidy, "--write-baseline")
    rules = untidy / "rules" / "triggers.tb"
    text = rules.read_text()
    rules.write_text(text.replace(UNUSED, ""))
    assert f"{BASELINE}: 1 finding gone, 0 left\n" in run("lint", "--project", untidy).err
    assert agreed(untidy) == []
    rules.write_text(text)
    assert run("lint", "--project", untidy, "--strict").code == 1


def test_the_ratchet_waits_while_rules_cannot_look(run: Run, untidy: Path) -> None:
    run("lint", "--project", untidy, "--write-baseline")
    rules = untidy / "rules" / "momentum.tb"
    rules.write_text(rules.read_text().replace("trend > 0%", "tred > 0%"))
    assert run("lint", "--project", untidy).code == 1
    assert agreed(untidy) == [("TB509", 1)]
    answer = run("lint", "--project", untidy, "--write-baseline")
    assert answer.code == 1
    assert "no baseline was written" in answer.err
    assert agreed(untidy) == [("TB509", 1)]


def test_a_damaged_baseline_is_refused_and_can_be_written_anew(run: Run, untidy: Path) -> None:
    for text in ("{", "[]", '{"version": 2, "findings": []}', '{"version": 1, "findings": [{"code": "TB509"}]}'):
        (untidy / BASELINE).write_text(text)
        answer = run("lint", "--project", untidy, "--json")
        assert (answer.code, [finding["code"] for finding in answer.json["findings"]]) == (1, ["TB669"])
    run("lint", "--project", untidy, "--write-baseline")
    assert agreed(untidy) == [("TB509", 1)]
