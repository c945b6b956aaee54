"""The unit and the image of `deploy/`: what systemd says of the unit, what stands in both, and that neither holds a secret."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tb.cli import tb
from tb.core.redaction import redacted

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "tb.service").read_text(encoding="utf-8")
IMAGE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def settings() -> dict[str, list[str]]:
    """What the unit says, by name; the same name may be said again."""
    found: dict[str, list[str]] = {}
    for line in UNIT.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is on this machine in place of the installed one."""
    path = tmp_path / "tb.service"
    text = re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", UNIT, flags=re.MULTILINE)
    path.write_text(re.sub(r"^Documentation=.*$", "", text, flags=re.MULTILINE), encoding="utf-8")
    return path


def analyse(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    command = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = analyse("verify", unit)
    if "Failed to" in done.stderr and "manager" in done.stderr:
        pytest.skip("systemd-analyze cannot verify units here")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_exposes_little(unit: Path) -> None:
    done = analyse("security", "--offline=true", "--no-pager", unit)
    level = re.search(r"Overall exposure level for tb\.service: ([0-9.]+)", done.stdout)
    if level is None:
        pytest.skip("this systemd-analyze cannot judge a unit that is not loaded")
    assert float(level[1]) < 2.0  # of 10


def test_the_unit_has_a_watchdog_that_the_loop_feeds() -> None:
    said = settings()
    assert (said["Type"], said["NotifyAccess"], said["KillSignal"]) == (["notify"], ["main"], ["SIGTERM"])
    assert said["WatchdogSec"]
    assert said["Restart"] == ["on-failure"]
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "PrivateDevices", "RestrictNamespaces"):
        assert said[name] == ["yes"]
    assert said["CapabilityBoundingSet"] == [""]
    assert said["User"] == ["tb"]


@pytest.mark.parametrize("text", [UNIT, IMAGE], ids=["unit", "image"])
def test_what_is_run_is_a_command_that_there_is(text: str) -> None:
    said = re.search(r"^ExecStart=\S*/tb (.*)$", text, re.MULTILINE)
    words = said[1].split() if said else re.findall(r'"([^"]+)"', text.rsplit("CMD", 1)[1])
    name, options = words[0], [word for word in words[1:] if word.startswith("--")]
    command = tb.get_command(None, name)  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    assert [option for option in options if option not in known] == []


def test_the_image_checks_what_it_installs_and_runs_as_nobody_special() -> None:
    installs = [line for line in IMAGE.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert "--no-deps" in installs[1]
    assert "--no-index" in installs[1]
    last = IMAGE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert last.index("USER ") < last.index("ENTRYPOINT ")
    assert "HEALTHCHECK" in last
    for name in re.findall(r"^COPY (?!--from)(.*) \S+$", IMAGE, re.MULTILINE):
        assert [one for one in name.split() if not (ROOT / one).exists()] == []
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"  # what is not named does not get into the image


def test_neither_holds_a_secret() -> None:
    for text in (UNIT, IMAGE):
        assert redacted(text) == text
