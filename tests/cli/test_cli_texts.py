"""Commands that look at texts: init, lint, fmt, graph, compile, schema, version."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from cli_commands import Run, contents, invoke
from click.testing import CliRunner

from tb.cli import tb
from tb.runtime.project import load_project


def test_a_new_project_lints_clean_is_laid_out_and_trades(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    answer = run("init", folder, "--sample")
    assert answer.code == 0
    assert answer.out == f"next\n  cd {folder}\n  tb lint\n  tb test\n  tb replay --data data\n"
    assert run("lint", "--project", folder, "--strict", "--data", folder / "data").code == 0
    assert run("fmt", "--project", folder, "--check").code == 0
    said = run("replay", "--project", folder, "--data", folder / "data", "--json").json
    assert said["trades"] > 10
    assert said["bars"] == 6 * 120 * 24


@pytest.mark.parametrize(
    "name", ["desk-2", "my desk", "no", "2026", "1e3", "null", "börse", "a: b", "#1", "it's", 'say "x"', "~"]
)
def test_init_names_the_project_as_its_folder(run: Run, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    assert run("init", folder).code == 0
    assert load_project(folder).settings.name == name
    assert run("lint", "--project", folder).code == 0


def test_init_overwrites_nothing(run: Run, project: Path, tmp_path: Path) -> None:
    then = contents(project)
    answer = run("init", project)
    assert answer.code == 3
    assert "tb.yaml:1:1: error[TB667]" in answer.err
    assert contents(project) == then
    partly = tmp_path / "partly"
    (partly / "rules").mkdir(parents=True)
    (partly / "rules" / "triggers.tb").write_text("mine")
    assert run("init", partly, "--json").json["findings"][0]["file"].endswith("triggers.tb")
    assert contents(partly) == {"rules/triggers.tb": "mine"}
    file = tmp_path / "file"
    file.write_text("x")
    assert "is a file, not a folder" in run("init", file).err
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "notes.md").write_text("mine")
    (beside / ".gitignore").write_text("mine")
    said = run("init", beside, "--json").json
    rules = ["rules/momentum.tb", "rules/triggers.tb"]
    assert said["written"] == ["tb.yaml", *rules, "policy/limits.tb", "policy/limits.yaml", "tests/limits.tb"]
    assert (beside / "notes.md").read_text() == (beside / ".gitignore").read_text() == "mine"


# lint


def test_lint_of_a_sound_project(run: Run, project: Path) -> None:
    assert run("lint", "--project", project) == run("lint", "--project", project, "--format", "plain")
    answer = run("lint", "--project", project)
    assert (answer.code, answer.out, answer.err) == (0, "", "no findings in 6 files\n")
    assert run("lint", "--project", project, "--format", "human").out == "no findings in 6 files\n"
    assert run("lint", "--project", project, "--json").json == {
        "findings": [],
        "errors": 0,
        "warnings": 0,
        "hints": 0,
        "files": 6,
    }


def test_warnings_fail_only_where_strict(run: Run, project: Path) -> None:
    rules = project / "rules" / "triggers.tb"
    rules.write_text(rules.read_text() + "\nlet nobody_uses = close\n")
    answer = run("lint", "--project", project, "--json")
    assert answer.code == 0
    assert (answer.json["warnings"], answer.json["errors"]) == (1, 0)
    assert answer.json["findings"][0]["file"] == "rules/triggers.tb"
    assert run("lint", "--project", project, "--strict").code == 1


def test_an_exception_that_has_ended_is_an_error_as_of_that_day(run: Run, project: Path) -> None:
    policy = next((project / "policy").glob("*.tb"))
    said = 'owner "risk desk"  until 2026-03-31  because "index rebalance"'
    added = f"\nlimit two  order.notional <= 2% of equity\n\nexception desk to two\n  loosens to 3% of equity  {said}\n"
    policy.write_text(policy.read_text() + added)
    assert run("lint", "--project", project, "--as-of", "2026-03-31T23:59").code == 0
    answer = run("lint", "--project", project, "--as-of", "2026-04-01", "--json")
    assert (answer.code, [finding["code"] for finding in answer.json["findings"]]) == (1, ["TB503"])


def test_lint_shows_the_line(run: Run, project: Path) -> None:
    rules = project / "rules" / "momentum.tb"
    rules.write_text(rules.read_text().replace("trend > 0%", "tred > 0%"))
    plain = run("lint", "--project", project)
    assert plain.code == 1
    assert plain.out.startswith("rules/momentum.tb:12:")
    assert plain.err == "1 error in 1 file\n"
    human = run("lint", "--project", project, "--format", "human")
    assert "12 |   enter long when volume_spike and tred > 0%\n" in human.out
    assert "^^^^" in human.out
    assert human.out.endswith("1 error in 1 file\n")


def test_lint_goes_on_without_settings(run: Run, project: Path) -> None:
    (project / "tb.yaml").write_text("name: x\nacount: {}\n")
    rules = project / "rules" / "momentum.tb"
    rules.write_text(rules.read_text() + "\nlet = 3\n")
    found = run("lint", "--project", project, "--json")
    assert found.code == 1
    assert {"tb.yaml", "rules/momentum.tb"} <= {finding["file"] for finding in found.json["findings"]}


def test_lint_of_no_project(run: Run, tmp_path: Path) -> None:
    answer = run("lint", "--project", tmp_path)
    assert (answer.code, answer.out.split()[1]) == (1, "error[TB660]:")
    assert run("lint", "--project", tmp_path / "gone", "--json").json["errors"] == 1


def test_lint_compares_look_backs_with_the_data(run: Run, project: Path, tmp_path: Path) -> None:
    import polars as pl

    short = tmp_path / "short"
    short.mkdir()
    for path in (project / "data").iterdir():
        pl.read_parquet(path).head(50).write_parquet(short / path.name)
    answer = run("lint", "--project", project, "--data", short, "--json")
    assert "TB205" in [finding["code"] for finding in answer.json["findings"]]
    gone = run("lint", "--project", project, "--data", tmp_path / "gone", "--json")
    assert gone.code == 1
    assert [finding["code"] for finding in gone.json["findings"]] == ["TB640"]


# fmt


def untidy(project: Path) -> Path:
    """A file that `tb fmt` would change; what it is changed to is in `rules/triggers.tb` of the recorded project."""
    path = project / "rules" / "triggers.tb"
    before = path.read_text()
    path.write_text(re.sub(r"let trend +=", "let  trend   =", before))
    assert path.read_text() != before
    return path


def test_fmt_writes_and_keeps_comments_and_permissions(run: Run, project: Path) -> None:
    tidy = (project / "rules" / "triggers.tb").read_text()
    path = untidy(project)
    path.write_text("# why\n" + path.read_text())
    path.chmod(0o640)
    answer = run("fmt", "--project", project)
    assert answer.code == 0
    assert "laid out rules/triggers.tb" in answer.err
    assert path.read_text() == "# why\n" + tidy
    assert path.stat().st_mode & 0o777 == 0o640
    assert run("fmt", "--project", project, "--check").code == 0
    assert sorted(p.name for p in path.parent.iterdir()) == ["momentum.tb", "triggers.tb"]


def test_fmt_checks_without_writing(run: Run, project: Path) -> None:
    path = untidy(project)
    before = path.read_text()
    answer = run("fmt", "--project", project, "--check", "--diff")
    assert answer.code == 1
    assert "-let  trend   =" in answer.out
    assert "+let trend " in answer.out
    assert path.read_text() == before
    said = run("fmt", "--project", project, "--check", "--json")
    assert said.code == 1
    assert said.json == {"findings": [], "files": 4, "changed": ["rules/triggers.tb"], "written": False}


def test_fmt_leaves_a_broken_file_and_lays_out_the_others(run: Run, project: Path) -> None:
    path = untidy(project)
    broken = project / "rules" / "momentum.tb"
    broken.write_text(broken.read_text() + "\nlet = 3\n")
    before = broken.read_text()
    assert run("fmt", "--project", project, "--check").code == 1
    answer = run("fmt", "--project", project)
    assert answer.code == 3
    assert "rules/momentum.tb:" in answer.err
    assert broken.read_text() == before
    assert "let trend " in path.read_text()
    assert run("fmt", "--project", project, "--json").json["findings"][0]["file"] == "rules/momentum.tb"


def test_fmt_of_single_files_and_folders(run: Run, project: Path, tmp_path: Path) -> None:
    path = untidy(project)
    assert run("fmt", "--check", project / "policy").code == 0
    assert run("fmt", "--check", path).code == 1
    assert run("fmt", project / "rules").code == 0
    assert run("fmt", "--check", path).code == 0
    assert "TB663" in run("fmt", tmp_path / "gone.tb").err
    (tmp_path / "bytes.tb").write_bytes(b"let a = close # caf\xe9\n")
    answer = run("fmt", tmp_path / "bytes.tb")
    assert answer.code == 3
    assert "TB664" in answer.err


def test_fmt_as_a_filter() -> None:
    runner = CliRunner()
    result = runner.invoke(tb, ["fmt", "-"], input="let   a=close\n")
    assert (result.exit_code, result.stdout) == (0, "let a = close\n")
    result = runner.invoke(tb, ["fmt", "-"], input="let   a=\n")
    assert (result.exit_code, result.stdout) == (3, "let   a=\n")


# graph, compile, schema, version


@pytest.mark.parametrize(("form", "starts"), [("text", "strategy momentum on majors"), ("dot", "digraph"), ("svg", "<svg ")])
def test_graph_in_every_form(run: Run, project: Path, tmp_path: Path, form: str, starts: str) -> None:
    answer = run("graph", "--project", project, "--format", form)
    assert answer.code == 0
    assert answer.out.startswith(starts)
    file = tmp_path / f"graph.{form}"
    assert run("graph", "--project", project, "--format", form, "-o", file).out == ""
    assert file.read_text(encoding="utf-8") == answer.out
    alone = run("graph", "--project", project, "--format", form, "--strategy", "momentum")
    assert len(alone.out) < len(answer.out)


def test_graph_for_programs(run: Run, project: Path) -> None:
    said = run("graph", "--project", project, "--json").json
    nodes = {node["id"]: node for node in said["nodes"]}
    assert {read for node in nodes.values() for read in node["reads"]} <= set(nodes)
    assert all(node["places"] for node in nodes.values())
    alone = run("graph", "--project", project, "--json", "--strategy", "momentum").json
    assert [part["title"].split(" on ")[0] for part in alone["parts"]] == ["strategy momentum"]
    assert {"label", "node"} == set(alone["parts"][0]["roots"][0])


def test_compile_shows_the_function_with_its_lines(run: Run, project: Path) -> None:
    answer = run("compile", "--project", project)
    assert answer.code == 0
    assert re.match(r"compiled \w+: 1 strategy, \d+ constraints, ", answer.out)
    shown = run("compile", "--project", project, "--show").out
    assert "def judge(x):" in shown
    assert "policy/limits.tb:3 " in shown
    said = run("compile", "--project", project, "--show", "--json").json
    function = said["functions"][0]
    assert (said["strategies"], function["period"]) == (1, "1h")
    assert len(function["lines"]) == len(function["source"].splitlines())
    judged = [line for line in function["lines"] if line is not None and line["file"] == "policy/limits.tb"]
    assert {line["line"] for line in judged} == set(range(3, 15))
    assert run("compile", "--project", project, "--json").json["functions"] is None


def test_schemas_are_valid_and_fit_the_new_project(run: Run, project: Path, tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    for which in ("limits", "settings"):
        answer = run("schema", which)
        assert answer.code == 0
        Draft202012Validator.check_schema(json.loads(answer.out))
        file = tmp_path / "schema.json"
        assert run("schema", which, "-o", file).code == 0
        assert file.read_text() == answer.out
    assert run("schema", "rules").code == 2


def test_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb.__version__", "9.8.7")  # of the code that runs, not of what was once installed
    said = run("version", "--json").json
    assert set(said) == {"tb", "python", "libraries"}
    assert said["tb"] == "9.8.7"
    assert run("version").out.startswith(f"tb {said['tb']}, Python {said['python']}\n")
    assert run("--version").out == f"tb {said['tb']}\n"


def test_the_demo_says_what_it_is(run: Run, project: Path, tmp_path: Path) -> None:
    answer = run("demo", "--project", project)
    assert answer.code == 0
    assert answer.out.startswith("This is a SIMULATION on simulated prices")
    assert "explanation reproduced: yes" in answer.out
    report = project / ".tb" / "demo" / "report.html"
    assert f"report  {report}\n" in answer.out
    assert "the prices themselves are simulated too" in report.read_text(encoding="utf-8")
    again = run("demo", "--project", project, "--json").json
    assert (again["simulated"], again["run"], again["report"]) == (True, "r1", str(report))
    assert again["trades"] > 10
    assert not (project / ".tb" / "ledger.sqlite").exists()


def test_output_that_is_no_terminal_has_no_colour(run: Run, recorded: Path) -> None:
    for command in (("trades",), ("decisions",), ("runs",), ("lint", "--format", "human"), ("explain", "t1")):
        answer = run(*command, "--project", recorded)
        assert "\x1b" not in answer.out + answer.err


def test_no_color_and_dumb_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    from tb.cli.output import coloured

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured(Terminal())
    assert not coloured(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured(Terminal())


def test_a_demo_outside_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "empty").mkdir()
    answer = invoke("demo", "--project", tmp_path / "empty", "--json")
    assert answer.code == 0
    assert list((tmp_path / "empty").iterdir()) == []
    assert Path(answer.json["report"]).is_file()
