"""`tb lint`: formats for build servers, levels, the baseline, explanations and fixes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cli_commands import Run

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
