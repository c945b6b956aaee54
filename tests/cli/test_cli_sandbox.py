"""`tb sandbox`: a server of its own process, and commands to it."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_commands import Run

from tb.connectors.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Running:
    """A sandbox that was started by the command."""

    process: subprocess.Popen[str]
    said: Any

    def stop(self, how: int = signal.SIGTERM) -> str:
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err
        return err


def started(*args: str | Path) -> Running:
    command = [sys.executable, "-m", "tb", "sandbox", "coinbase", "--port", "0", "--json", *(str(arg) for arg in args)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith('{"url"'):
        raise AssertionError(line + "".join(process.communicate(timeout=30)))
    return Running(process, json.loads(line))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, recorded: Path) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("sandbox")
    faults = folder / "faults.yaml"
    faults.write_text("- {fault: slow, chance: 0.5, times: 0, on: edit}\n- {fault: gap}\n")
    asked = ("--project", recorded, "--data", recorded / "data", "--speed", "step", "--key-file", folder / "key.json")
    found = started(*asked, "--faults", faults)
    yield found
    found.stop()


def test_it_says_where_it_is_and_keeps_its_key_to_itself(running: Running) -> None:
    said = running.said
    assert said["url"].startswith("http://127.0.0.1:")
    assert said["balances"] == {"USD": "10000"}
    assert "BTC-USD" in said["products"]
    key = Path(said["key_file"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = json.loads(key.read_text())["privateKey"]
    assert secret not in json.dumps(said)


def test_commands_to_it(running: Running, run: Run) -> None:
    url = running.said["url"]
    assert run("sandbox", "fault", "--list", "--url", url, "--json").json["armed"] == [
        {"fault": "slow", "on": "edit", "left": 0},
        {"fault": "gap", "on": "", "left": 1},
    ]
    assert run("sandbox", "fault", "--clear", "--url", url).out == "armed: nothing\n"
    assert (
        run("sandbox", "fault", "drop-reply", "--on", "orders", "--url", url).out == "armed: drop-reply on orders (1 times)\n"
    )
    assert (
        run("sandbox", "fault", "slow", "--times", "0", "--seconds", "2", "--url", url, "--json").json["armed"][1]["left"] == 0
    )
    listed = run("sandbox", "fault", "--list", "--url", url).out
    assert "late-fill " in listed
    assert listed.endswith("armed: drop-reply on orders (1 times), slow (until cleared)\nstruck: 0\n")
    assert run("sandbox", "fault", "drop-rply", "--url", url).code == 2
    assert "did you mean `drop-reply`?" in run("sandbox", "fault", "drop-rply", "--url", url).err
    assert run("sandbox", "fault", "--url", url).code == 2
    before = run("sandbox", "clock", "--url", url, "--json").json["now"]
    assert run("sandbox", "clock", "--bars", "3", "--url", url, "--json").json["now"] == before + 3 * 3_600_000
    assert run("sandbox", "clock", "--by", "soon", "--url", url).code == 2
    assert run("sandbox", "clock", "--speed", "60x", "--url", url, "--json").json["speed"] == 60
    assert run("sandbox", "clock", "--speed", "step", "--url", url).out.endswith("standing still\n")
    state = run("sandbox", "state", "--url", url)
    assert "positions    none\n" in state.out
    assert run("sandbox", "state", "--url", url, "--json").json["orders"] == []


def test_it_ends_with_a_word_on_control_c(project: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    found = started("--project", project, "--data", project / "data", "--tls", certificate, "--now", "--key-kind", "EdDSA")
    assert found.said["url"].startswith("https://")
    assert Path(found.said["key_file"]) == project / ".tb" / "sandbox-key.json"
    answer = subprocess.run(
        [sys.executable, "-m", "tb", "sandbox", "state", "--url", found.said["url"], "--ca", str(certificate), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert abs(json.loads(answer.stdout)["now"] - certificate.stat().st_mtime * 1_000) < 60_000
    assert "0 orders, 0 fills, 0 faults struck" in found.stop(signal.SIGINT)


def test_where_none_runs_and_what_cannot_be_started(run: Run, project: Path, tmp_path: Path) -> None:
    assert "TB822" in run("sandbox", "state", "--url", "http://127.0.0.1:9").err
    assert "not on this machine" in run("sandbox", "state", "--url", "https://example.org:80").err
    data = ("--project", project, "--data", project / "data")
    key = tmp_path / "key.json"
    key.write_text('{"name": "real", "privateKey": "real"}')
    answer = run("sandbox", "coinbase", *data, "--key-file", key)
    assert (answer.code, "TB820" in answer.err, json.loads(key.read_text())["name"]) == (3, True, "real")
    faults = tmp_path / "faults.yaml"
    for text, words in (
        ("- {fault: slo}", "fault 1: there is no fault `slo`"),
        ("{", "is not YAML"),
        ("- 3", "fault 1: a fault is"),
    ):
        faults.write_text(text)
        answer = run("sandbox", "coinbase", *data, "--faults", faults)
        assert (answer.code, words in answer.err) == (3, True), answer.err
    assert "cannot be read" in run("sandbox", "coinbase", *data, "--faults", tmp_path / "none.yaml").err
    for wrong in (("--speed", "fast"), ("--balance", "ten USD"), ("--start", "1999-01-01"), ("--port", "70000")):
        assert run("sandbox", "coinbase", *data, *wrong).code == 2
    assert run("sandbox", "coinbase", "--project", tmp_path).code == 2
    from tb.connectors.sandbox.recording import series_of

    with Sandbox({"BTC-USD": series_of("BTC-USD", 60_000, 0, [(1, 1, 1, 1, 1.0)])}) as other:
        taken = run("sandbox", "coinbase", *data, "--port", other.port)
        assert (taken.code, "TB824" in taken.err) == (3, True)


def test_settings_of_the_project_are_those_of_the_venue(project: Path) -> None:
    from decimal import Decimal

    from tb.cli.sandbox_market import balances_of, costs, products_for, settings_if_any

    settings = settings_if_any(project)
    assert settings is not None
    product = products_for(["BTC-USD"], settings)["BTC-USD"]
    spec = settings.instrument("BTC-USD")
    assert spec is not None
    assert (product.tick, product.lot, product.quote_min) == (spec.tick, spec.lot, spec.minimum_notional)
    assert costs(settings)["taker"] == settings.venue.fee
    assert balances_of((), settings) == {"USD": settings.account.equity}
    assert balances_of(("1_000 EUR", "0.5 BTC"), settings) == {"EUR": 1_000, "BTC": Decimal("0.5")}
    assert settings_if_any(project / "nowhere") is None
    assert costs(None) == {}
