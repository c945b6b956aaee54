"""Ten mistakes that beginners make, each as `tb lint` answers it: the place, what is wrong, and the edit to make.

A program of tests/language/beginners takes the place of `rules/momentum.tb` in the project that `tb init` writes. What the
command prints stands beside it; `TB_RECORD=1` writes what it prints now, to be reviewed like code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cli_commands import Run, invoke

FOLDER = Path(__file__).resolve().parent.parent / "language" / "beginners"
PROGRAMS = sorted(FOLDER.glob("*.tb"))


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert invoke("init", tmp_path / "project").code == 0
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def test_there_are_ten() -> None:
    assert len(PROGRAMS) == 10


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_beginner_is_told_the_edit(program: Path, begun: Path, run: Run) -> None:
    (begun / "rules" / "momentum.tb").write_bytes(program.read_bytes())
    answer = run("lint")
    assert answer.code == 1
    recorded = program.with_suffix(".out")
    if os.environ.get("TB_RECORD"):
        recorded.write_text(answer.out, encoding="utf-8")
    assert answer.out == recorded.read_text(encoding="utf-8")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_every_error_has_a_hint(program: Path, begun: Path, run: Run) -> None:
    (begun / "rules" / "momentum.tb").write_bytes(program.read_bytes())
    findings = json.loads(run("lint", "--json").out)["findings"]
    errors = [found for found in findings if found["severity"] == "error"]
    assert errors
    assert [found["message"] for found in errors if not found["hint"]] == []
