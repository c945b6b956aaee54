"""Seeded secrets, one in every place that the settings can name: none of them is anywhere a session leaves something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import postgres_server
import pytest
from alert_server import Taking
from cli_commands import Run
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tampering import rows

from tb.core.redaction import forget_secrets
from tb.ledger import Database
from tb.runtime.secrets import hash_pin

PIN = "seeded-pin-918273"
TOKEN = "seeded-token-of-the-hook"


def key_file() -> tuple[str, list[str]]:
    """A venue's key as it is given out, and what of it must be seen nowhere."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    lines = [line for line in pem.splitlines() if "-----" not in line]
    return json.dumps({"name": "organizations/o/apiKeys/k", "privateKey": pem}), lines


@pytest.fixture
def taking() -> Iterator[Taking]:
    found = Taking()
    yield found
    found.close()
    forget_secrets()


@pytest.fixture
def seeded(
    project: Path, taking: Taking, server: postgres_server.Server, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, list[str]]:
    """A project that names all its secrets in the environment, and what they are."""
    text = "".join(
        line for line in (project / "tb.yaml").read_text().splitlines(keepends=True) if not line.startswith("ledger:")
    )
    live = "live:\n  venue: coinbase\n  credentials: env:SEED_KEY\n  pin: env:SEED_PIN\n  alerts: env:SEED_ALERTS\n"
    live += "  url: http://127.0.0.1:1\n  answer_within: 1s\n"
    (project / "tb.yaml").write_text(f"{text}\nledger: env:SEED_DB\n{live}")
    key, lines = key_file()
    hashed = hash_pin(PIN, b"0123456789abcdef")
    address = taking.address.replace("hook-4711-token", TOKEN)
    database = server.schema_address()
    for name, value in (("SEED_KEY", key), ("SEED_PIN", hashed), ("SEED_ALERTS", address), ("SEED_DB", database)):
        monkeypatch.setenv(name, value)
    return project, [*lines, PIN, hashed.rsplit(":", 1)[1], TOKEN, "wordOfTheRobot", postgres_server.PASSWORD]


def arguments_of_all() -> str:
    """What every process on this machine was started with."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue  # it has ended
    return "\n".join(found)


def test_no_secret_is_left_anywhere(run: Run, seeded: tuple[Path, list[str]], taking: Taking) -> None:
    project, secrets = seeded
    arguments = ["run", "--mode", "paper", "--data", project / "data", "--project", project, "--log-format", "json"]
    command = [sys.executable, "-m", "tb", *map(str, arguments), "--log-level", "debug"]
    seen = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy()) as session:
        while session.poll() is None and len(seen) < 20:
            seen.append(arguments_of_all())
            time.sleep(0.05)
        out, err = session.communicate()
    assert session.returncode == 0, err[-2000:]
    said = [out, err, *seen]
    replayed: tuple[str | Path, ...] = ("replay", "--data", project / "data")
    for more in (
        replayed,
        ("runs",),
        ("status",),
        ("trades",),
        ("report",),
        ("ledger", "verify"),
        ("alerts", "test"),
        ("explain", "d1"),
        ("doctor",),
        ("doctor", "--json"),
        ("lint",),
    ):
        answer = run(*more, "--project", project)
        said += [answer.out, answer.err]
    assert taking.messages, "the test alert has to arrive"
    said += [json.dumps(message) for message in taking.messages]
    files = {path: path.read_bytes().decode("latin-1") for path in project.rglob("*") if path.is_file()}
    assert any("report" in str(path) for path in files)
    entries = rows(Database("SEED_DB"), "SELECT run, kind, payload FROM entries") + rows(
        Database("SEED_DB"), "SELECT * FROM policies"
    )
    assert len(entries) > 10
    said += [*files.values(), *(repr(row) for row in entries)]
    for secret in secrets:
        assert [text[max(0, text.index(secret) - 200) :][:400] for text in said if secret in text] == []


@pytest.mark.parametrize("name", ["SEED_KEY", "SEED_PIN", "SEED_ALERTS", "SEED_DB"])
def test_a_secret_that_cannot_be_used_is_not_shown_by_its_error(
    run: Run, seeded: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project, _ = seeded
    wrong = "hunter2-in-the-wrong-place://u:hunter2@h"
    monkeypatch.setenv(name, wrong)
    for command in (
        ("doctor",),
        ("doctor", "--json"),
        ("alerts", "test"),
        ("pin", "check"),
        ("runs",),
        ("run", "--once", "--mode", "dry-run"),
    ):
        answer = run(*command, "--project", project)
        assert "hunter2" not in answer.out + answer.err, command
