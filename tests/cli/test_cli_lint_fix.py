"""`tb lint --fix` on disk: one step a file, nothing written in a dry run, and the exit codes of the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_commands import Run, contents

from tb.cli import lint_fix


@pytest.fixture
def untidy(project: Path) -> Path:
    """The project with a line out of its layout, and with Windows' line ends in that file."""
    rules = project / "rules" / "triggers.tb"
    text = rules.read_text().replace("  when ", "  when   ", 1)
    rules.write_bytes(text.replace("\n", "\r\n").encode())
    return project


def test_a_dry_run_shows_the_edit_and_writes_nothing(run: Run, untidy: Path) -> None:
    before = contents(untidy)
    answer = run("lint", "--project", untidy, "--fix", "--dry-run")
    assert answer.code == 1
    assert answer.out.startswith("--- a/rules/triggers.tb\n+++ b/rules/triggers.tb\n@@")
    assert "would mend TB508 in rules/triggers.tb" in answer.err
    assert contents(untidy) == before
    as_json = run("lint", "--project", untidy, "--fix", "--dry-run", "--json").json
    assert (as_json["written"], [row["code"] for row in as_json["fixed"]]) == (False, ["TB508"])
    assert as_json["diff"].startswith("--- a/rules/triggers.tb")
    assert [finding["code"] for finding in as_json["findings"]] == ["TB508"]


def test_fix_writes_and_a_second_run_finds_nothing_to_do(run: Run, untidy: Path, project: Path) -> None:
    before = contents(untidy)
    answer = run("lint", "--project", untidy, "--fix")
    assert (answer.code, answer.out) == (0, "")
    assert "mended TB508 in rules/triggers.tb" in answer.err
    now = contents(untidy)
    assert {name for name in now if now[name] != before[name]} == {"rules/triggers.tb"}
    assert now["rules/triggers.tb"] == before["rules/triggers.tb"].replace("  when   ", "  when ", 1)
    again = run("lint", "--project", untidy, "--fix", "--dry-run")
    assert (again.code, again.out) == (0, "")
    assert contents(untidy) == now


def test_what_cannot_be_read_is_left_and_the_rest_mended(run: Run, untidy: Path) -> None:
    broken = untidy / "rules" / "broken.tb"
    broken.write_text("let a = (close\nlet  b=clse\n")
    answer = run("lint", "--project", untidy, "--fix")
    assert answer.code == 1
    assert broken.read_text() == "let a = (close\nlet  b=clse\n"


def test_errors_that_no_edit_mends_fail(run: Run, untidy: Path) -> None:
    rules = untidy / "rules" / "triggers.tb"
    rules.write_text(rules.read_text() + "\nlet spare = clse\nlet wrong = close > 5%\n")  # the first can be mended
    answer = run("lint", "--project", untidy, "--fix")
    assert answer.code == 1
    assert "TB101" in answer.out
    assert "let spare = close" in rules.read_text()


def test_a_file_that_changes_meanwhile_is_not_written(run: Run, untidy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules, seen = untidy / "rules" / "triggers.tb", []
    read = lint_fix._read

    def meanwhile(path: Path) -> str:
        seen.append(path)
        if path == rules and seen.count(rules) == 2:
            rules.write_text("# somebody's new work\n")
        return read(path)

    monkeypatch.setattr(lint_fix, "_read", meanwhile)
    answer = run("lint", "--project", untidy, "--fix")
    assert answer.code == 1
    assert "TB668" in answer.out
    assert rules.read_text() == "# somebody's new work\n"


def test_a_folder_that_refuses_loses_nothing(run: Run, untidy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lint_fix, "replace_file", refuses)
    before = contents(untidy)
    answer = run("lint", "--project", untidy, "--fix")
    assert answer.code == 1
    assert "cannot be written: no space left on device" in answer.out
    assert contents(untidy) == before


def test_a_dry_run_without_fix_is_a_mistake_of_use(run: Run, project: Path) -> None:
    assert run("lint", "--project", project, "--dry-run").code == 2


def test_sarif_carries_the_edits(run: Run, untidy: Path) -> None:
    result = run("lint", "--project", untidy, "--format", "sarif").json["runs"][0]["results"][0]
    change = result["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"].endswith("rules/triggers.tb")
    assert change["replacements"][0]["insertedContent"]["text"].startswith("  when ")
    assert change["replacements"][0]["deletedRegion"]["startColumn"] == 1
