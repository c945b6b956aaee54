"""The project speaks only of itself: no registry hosts, no paths of one machine, no word on who typed it and how.

The patterns are put together from pieces, so that this file does not hold what it forbids.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

HOSTS = ("py" + "pi.org", "python" + "hosted", "npm" + "js", "deb." + "debian", "conda." + "anaconda", "crates" + ".io")
# at the start of a path: `network/root/...` is harmless, a path that begins there is not
FOLDERS = ("/wo" + "rk/", "/ro" + "ot/", "/opt/" + "pypi", "/opt/" + "wheels", "/Us" + "ers/", "/ho" + "me/")
OUTSIDE = ("shared/" + "design", "shared/" + "reference", "shared/" + "hooks")
AUTHORS = ("anthro" + "pic", "clau" + "de", "chat" + "gpt", "copi" + "lot", "sub" + "agent", "sub-" + "agent")
PHRASES = ("ai-" + "generated", "ai " + "assistant", "coding " + "assistant", "coding " + "agent", "large language " + "model")

FORBIDDEN = re.compile(
    "|".join(
        [
            *(re.escape(text) for text in (*HOSTS, *OUTSIDE, *PHRASES)),
            *(rf"(?<![\w.~}})>-]){re.escape(text)}" for text in FOLDERS),
            *(rf"(?<![a-z]){re.escape(text)}" for text in AUTHORS),
        ]
    ),
    re.IGNORECASE,
)


def public_files() -> list[Path]:
    """Every file that is tracked or would be: what git lists, ignored ones left out."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git clone to know which files are public")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return sorted({ROOT / name for name in listed.split("\0") if name})


def test_no_file_names_what_is_not_the_projects() -> None:
    found = []
    for path in public_files():
        if not path.is_file():
            continue  # deleted, and not yet committed as such
        name = path.relative_to(ROOT).as_posix()
        lines = [name, *path.read_bytes().decode("utf-8", errors="replace").splitlines()]
        found += [f"{name}:{number}: {hit.group()}" for number, line in enumerate(lines) if (hit := FORBIDDEN.search(line))]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        *(f"see https://{host}/simple" for host in HOSTS),
        *(f"read {folder}data first" for folder in FOLDERS),
        *(f'path = "{folder}x"' for folder in FOLDERS),
        *(f"as ../{folder} says" for folder in OUTSIDE),
        *(f"written by {name.title()}" for name in AUTHORS),
        *PHRASES,
    ],
)
def test_the_pattern_sees(text: str) -> None:
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "the ledger is a chain from one root to the last entry",
        "framework/roots, network/root/cause and square root/2",
        "../shared/data/crypto_1h",
        "an advisor is a model or a person",
        "a market of six agents",
    ],
)
def test_the_pattern_leaves_alone(text: str) -> None:
    assert not FORBIDDEN.search(text)
