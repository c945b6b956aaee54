"""`tb alerts test` against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alert_server import Taking
from cli_commands import Run

from tb.core.redaction import forget_secrets


@pytest.fixture
def server() -> Iterator[Taking]:
    taking = Taking()
    yield taking
    taking.close()
    forget_secrets()


@pytest.fixture
def told(project: Path) -> Path:
    settings = project / "tb.yaml"
    settings.write_text(settings.read_text() + "\nlive: {alerts: 'env:DESK_ALERTS'}\n")
    return project


def test_every_address_is_tried(run: Run, told: Path, server: Taking, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Taking()
    monkeypatch.setenv("DESK_ALERTS", f"{server.address}\n{gone.address}")
    gone.close()
    answer = run("alerts", "test", "--project", told)
    assert answer.code == 1
    first, second = answer.out.splitlines()
    assert first.startswith("address 1 (json): took it (")
    assert second.startswith("address 2 (json): did not take it (")
    assert "nothing happened" in server.messages[0]["message"]
    monkeypatch.setenv("DESK_ALERTS", server.address)
    said = run("alerts", "test", "--project", told, "--json")
    assert (said.code, [one["delivered"] for one in said.json["addresses"]]) == (0, [True])
    for text in (answer.out, answer.err, said.out):
        assert "hook-4711" not in text
        assert "127.0.0.1" not in text


def test_addresses_that_are_nowhere_are_said(run: Run, project: Path, told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_ALERTS", raising=False)
    answer = run("alerts", "test", "--project", told)
    assert answer.code == 3
    assert "TB850" in answer.err
    assert "env:DESK_ALERTS" in answer.err
    monkeypatch.setenv("DESK_ALERTS", "hunter2-is-no-address")
    answer = run("alerts", "test", "--project", told)
    assert (answer.code, "TB881" in answer.err, "hunter2" in answer.err) == (3, True, False)


def test_settings_without_addresses_are_a_usage_error(run: Run, project: Path) -> None:
    answer = run("alerts", "test", "--project", project)
    assert answer.code == 2
    assert "live: {alerts: 'env:TB_ALERTS'}" in answer.err
