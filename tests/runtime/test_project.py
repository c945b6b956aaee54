"""A project folder is read whole, or refused with words that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.core.diagnostics import Refused
from tb.runtime.project import Project, load_project

SETTINGS = """\
name: demo
account: {currency: USD, equity: 10_000 USD}
instruments: {default: {tick: 0.01, lot: 0.0001}}
venue: {fee: 10bps, slippage: 5bps}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "tb.yaml": SETTINGS,
        "rules/triggers.tb": "let a = close\n",
        "rules/momentum.tb": "use triggers\n",
        "rules/notes.md": "not a rule",
        "rules/.#momentum.tb": "an editor's lock",
        "policy/limits.tb": "limit a\n",
        "policy/limits.yaml": "max_position_pct: 5%\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def said(folder: Path) -> list[str]:
    with pytest.raises(Refused) as refused:
        load_project(folder)
    return [f"{f.span} {f.code} {f.message}" + (f" | {f.hint}" if f.hint else "") for f in refused.value.findings]


def test_a_project_is_read_whole_in_order_of_name(folder: Path) -> None:
    project = load_project(folder)
    assert isinstance(project, Project)
    assert list(project.rules.items()) == [("rules/momentum.tb", "use triggers\n"), ("rules/triggers.tb", "let a = close\n")]
    assert list(project.policy.items()) == [("policy/limits.tb", "limit a\n")]
    assert project.limits.names == ("max_position_pct",)
    assert list(project.texts) == [
        "policy/limits.tb",
        "policy/limits.yaml",
        "rules/momentum.tb",
        "rules/triggers.tb",
        "std/venue.tb",
        "tb.yaml",
    ]
    assert (project.settings.name, project.root, project.warnings) == ("demo", folder, ())
    assert project.ledger == folder / ".tb" / "ledger.sqlite"


def test_folders_may_have_other_names(folder: Path) -> None:
    (folder / "rules").rename(folder / "strategies")
    (folder / "tb.yaml").write_text(SETTINGS + "rules: strategies\n")
    assert list(load_project(folder).rules) == ["strategies/momentum.tb", "strategies/triggers.tb"]


def test_limits_may_be_absent(folder: Path) -> None:
    (folder / "policy/limits.yaml").unlink()
    project = load_project(folder)
    assert len(project.limits) == 0
    assert "policy/limits.yaml" not in project.texts


def test_line_ends_and_a_byte_order_mark_change_nothing(folder: Path) -> None:
    before = load_project(folder).texts
    (folder / "rules/momentum.tb").write_bytes(b"\xef\xbb\xbfuse triggers\r\n")
    assert load_project(folder).texts == before


def test_no_folder(folder: Path) -> None:
    hint = "name the folder that holds `tb.yaml`, or make a project with `tb init`"
    assert said(folder / "none") == [
        f"{folder}/none:1:1 TB660 the project folder `{folder}/none` does not exist | {hint}",
    ]
    assert said(folder / "tb.yaml") == [
        f"{folder}/tb.yaml:1:1 TB660 the project folder `{folder}/tb.yaml` is a file, not a folder | {hint}",
    ]


def test_no_settings(folder: Path) -> None:
    (folder / "tb.yaml").rename(folder / "tb.yml")
    assert said(folder) == [f"tb.yaml:1:1 TB660 no `tb.yaml` in `{folder}` | rename `tb.yml` to `tb.yaml`"]
    (folder / "tb.yml").unlink()
    assert said(folder) == [
        f"tb.yaml:1:1 TB660 no `tb.yaml` in `{folder}` | make a project with `tb init`, or name one with `--project`"
    ]


def test_no_rules_and_no_policy(folder: Path) -> None:
    for name in ("rules/momentum.tb", "rules/triggers.tb", "policy/limits.tb"):
        (folder / name).unlink()
    assert said(folder) == [
        "policy:1:1 TB662 the folder `policy` has no `.tb` file | put hard limits into `policy/limits.tb`",
        "rules:1:1 TB662 the folder `rules` has no `.tb` file | put a rule file such as `rules/momentum.tb` there",
    ]


def test_a_folder_that_is_missing_or_a_file(folder: Path) -> None:
    (folder / "policy").rename(folder / "limits")
    (folder / "tb.yaml").write_text(SETTINGS + "rules: tb.yaml\n")
    assert said(folder) == [
        "policy:1:1 TB661 the folder `policy` does not exist | make it, or name another in `tb.yaml`: `policy: FOLDER`",
        "tb.yaml:1:1 TB661 the folder `tb.yaml` is not a folder | make it, or name another in `tb.yaml`: `rules: FOLDER`",
    ]


def test_all_files_are_judged_in_one_run(folder: Path) -> None:
    (folder / "policy/limits.yaml").write_text("max_position_pct: 5\n")
    (folder / "rules/momentum.tb").write_bytes(b"# caf\xe9\n")
    (folder / "rules/triggers.tb").write_bytes(b"#" * 2_000_001)
    (folder / "rules/folder.tb").mkdir()
    assert said(folder) == [
        "policy/limits.yaml:1:19 TB624 `max_position_pct` must be a ratio with `%` or `bps`, not `5` | write `5%`",
        "rules/folder.tb:1:1 TB663 `rules/folder.tb` cannot be read: it is a folder",
        "rules/momentum.tb:1:6 TB664 `rules/momentum.tb` is not UTF-8 text: byte 0xe9 | save the file as UTF-8",
        (
            "rules/triggers.tb:1:1 TB665 `rules/triggers.tb` has 2.0 MB, more than the 2 MB that are read"
            " | move what does not belong to it elsewhere"
        ),
    ]


def test_limits_under_another_name_are_not_passed_over(folder: Path) -> None:
    (folder / "policy/limits.yaml").rename(folder / "policy/limits.yml")
    assert said(folder) == ["policy/limits.yml:1:1 TB666 `policy/limits.yml` is not read | rename it to `limits.yaml`"]


def test_bad_settings_are_refused_with_their_lines(folder: Path) -> None:
    (folder / "tb.yaml").write_text(SETTINGS.replace("10bps", "10"))
    assert said(folder) == ["tb.yaml:4:14 TB604 `venue.fee` must be a ratio with `%` or `bps`, not `10` | write `10bps`"]
