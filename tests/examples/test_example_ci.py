"""examples/ci: files for build servers that parse, and whose commands exist and pass on a new project."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner

from tb.cli import tb

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "examples" / "ci"
TARGET = ">"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands_of_the_workflow() -> list[str]:
    steps = read(CI / "workflow.yml")["jobs"]["policy"]["steps"]
    return [step["run"] for step in steps if step.get("run", "").startswith("tb ")]


def commands_of_hooks() -> list[str]:
    return [hook["entry"] for hook in read(ROOT / ".pre-commit-hooks.yaml")]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, and its folder the present one."""
    assert CliRunner().invoke(tb, ["init", str(tmp_path / "project")]).exit_code == 0
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def run(command: str) -> tuple[int, str]:
    """A command line of tb, with its output to a file where it says so."""
    program, *words = shlex.split(command)
    assert program == "tb"
    target = words[words.index(TARGET) + 1] if TARGET in words else None
    words = words[: words.index(TARGET)] if TARGET in words else words
    answer = CliRunner().invoke(tb, words)
    if target is not None:
        Path(target).write_text(answer.stdout, encoding="utf-8")
    return answer.exit_code, answer.output


def test_every_command_passes_on_a_new_project(started: Path) -> None:
    commands = [*commands_of_the_workflow(), *commands_of_hooks()]
    assert {command.split()[1] for command in commands} == {"fmt", "lint", "test"}
    for command in commands:
        assert run(command)[0] == 0, command
    assert json.loads((started / "tb-lint.sarif").read_text())["version"] == "2.1.0"
    assert ET.parse(started / "tb-test.xml").getroot().tag == "testsuites"


def test_every_kind_of_command_fails_on_a_mistake(started: Path) -> None:
    limits = started / "policy" / "limits.tb"
    text = limits.read_text().replace("after.gross", "after.grooss").replace("limit   gross ", "limit gross ")
    limits.write_text(text)
    commands = [*commands_of_the_workflow(), *commands_of_hooks()]
    assert [command for command in commands if run(command)[0] == 0] == []
    results = json.loads((started / "tb-lint.sarif").read_text())["runs"][0]["results"]
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "policy/limits.tb"


def test_a_new_rule_is_told_with_help_in_sarif(started: Path) -> None:
    settings = started / "tb.yaml"
    settings.write_text(settings.read_text().replace(", max_quantity: 1000", "").replace(", max_quantity: 100", ""))
    assert run("tb lint --format sarif > out.sarif")[0] == 1
    (rule,) = json.loads((started / "out.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert rule["id"] == "TB304"
    assert "`max_quantity`" in rule["help"]["text"]


def test_results_are_kept_where_they_are_written() -> None:
    steps = read(CI / "workflow.yml")["jobs"]["policy"]["steps"]
    given = {value for step in steps for value in step.get("with", {}).values()}
    assert {"tb-lint.sarif", "tb-test.xml"} <= given
    assert all("uses" in step or "run" in step for step in steps)


def test_the_hooks_that_are_named_exist() -> None:
    (repository,) = read(CI / "pre-commit-config.yaml")["repos"]
    hooks = read(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in hooks]
    assert all({"id", "name", "entry", "language", "files"} <= hook.keys() for hook in hooks)


def test_the_page_names_every_file() -> None:
    page = (CI / "README.md").read_text(encoding="utf-8")
    for file in CI.iterdir():
        assert file.name == "README.md" or f"`{file.name}`" in page
