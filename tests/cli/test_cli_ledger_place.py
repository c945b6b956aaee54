"""`ledger:` and `--ledger` as `env:NAME`: every command on a server, and no address anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import postgres_server
import pytest
from cli_commands import Run

from tb.core.redaction import forget_secrets


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The address of the server is no secret of the tests that follow."""
    yield
    forget_secrets()


def timeless(text: str) -> str:
    """Without when a run was made, and what follows from that."""
    return re.sub(r'"started":"[^"]*"|head \d+:[0-9a-f]{64}', "", text)


def test_commands_answer_from_a_server_as_from_a_file(
    run: Run, project: Path, tmp_path: Path, server: postgres_server.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_DB", server.schema_address())
    settings = project / "tb.yaml"
    text = settings.read_text().replace("ledger: .tb/ledger.sqlite", "ledger: env:DESK_DB")
    settings.write_text(text if "env:DESK_DB" in text else f"{text}\nledger: env:DESK_DB\n")
    said = run("replay", "--project", project, "--data", project / "data", "--json")
    assert (said.code, said.json["ledger"]) == (0, "env:DESK_DB")
    file = tmp_path / "ledger.db"
    assert run("replay", "--project", project, "--data", project / "data", "--ledger", file, "--json").code == 0
    seen = [said.out, said.err]
    for command in (("runs", "--json"), ("trades", "--json"), ("decisions", "--json"), ("explain", "d1"), ("ledger", "verify")):
        here, there = (run(*command, "--project", project, *more) for more in ((), ("--ledger", str(file))))
        assert (here.code, timeless(here.out)) == (there.code, timeless(there.out))
        seen += [here.out, here.err]
    report = run("report", "--project", project)
    assert report.code == 0
    assert (project / ".tb" / "reports" / "r1.html").is_file()
    assert run("parity", "r1", "r1", "--ledger", "env:DESK_DB", "--ledger", file, "--project", project).code == 0
    assert postgres_server.PASSWORD not in "".join([*seen, report.out, report.err])


def test_an_address_on_the_command_line_or_in_the_settings_is_refused_and_not_shown(run: Run, project: Path) -> None:
    answer = run("runs", "--project", project, "--ledger", "postgresql://tb:hunter2@h/db")
    assert answer.code == 2
    assert "put it into an environment variable and write `env:NAME`" in answer.err
    settings = project / "tb.yaml"
    kept = settings.read_text().replace("ledger: .tb/ledger.sqlite\n", "")
    for wrong in ("postgresql://tb:hunter2@h/db", "'host=h password=hunter2'", "env:not a name"):
        settings.write_text(f"{kept}\nledger: {wrong}\n")
        answer = run("lint", "--project", project)
        assert answer.code in {1, 3}
        assert "TB604" in answer.err + answer.out
        assert "hunter2" not in answer.err + answer.out


def test_a_variable_that_is_not_set_is_named(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_DB", raising=False)
    answer = run("runs", "--project", project, "--ledger", "env:DESK_DB")
    assert answer.code == 3
    assert "TB884" in answer.err
    assert "env:DESK_DB" in answer.err
