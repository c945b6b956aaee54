"""Pages that are run from top to bottom as a newcomer would, what is printed compared: tutorial, explanations, comparisons.

A block `tb write PATH` is a file to save. A block `console` is a session: a line `$ COMMAND`, then lines that it prints, in
this order; `...` stands for others. `console exit 1` says with which code its commands end.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def steps(page: str) -> list[tuple[list[str], str]]:
    """The words behind the fence and the text of each block, in order."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [(words.split(), text) for words, text in found]


@pytest.mark.parametrize(("page", "least"), [("tutorial.md", 10), ("explain.md", 9), ("comparing.md", 5)])
def test_the_page_works_word_for_word(tmp_path: Path, page: str, least: int) -> None:
    here = tmp_path
    commands = 0
    for words, text in steps(page):
        if words[:2] == ["tb", "write"]:
            (here / words[2]).write_text(text, encoding="utf-8")
        elif words[:1] == ["console"]:
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                if command.startswith("cd "):
                    here = here / command.removeprefix("cd ")
                    continue
                commands += 1
                done = subprocess.run(
                    [sys.executable, "-m", *shlex.split(command)],
                    cwd=here,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                    env={**os.environ, "COLUMNS": "160"},  # wide enough for every column of a table
                )
                assert done.returncode == (int(words[2]) if "exit" in words else 0), (command, done.stdout)
                _compare(command, shown.splitlines(), done.stdout.splitlines())
    assert commands >= least


def _compare(command: str, shown: list[str], printed: list[str]) -> None:
    """Every line that is shown is printed, in this order; where nothing is left out by `...`, no other line between."""
    at = 0
    may_skip = True
    for line in shown:
        if line == "...":
            may_skip = True
            continue
        found = printed.index(line, at) if line in printed[at:] else -1
        assert found >= 0, f"`{command}` does not print `{line}`\n" + "\n".join(printed)
        assert may_skip or found == at, f"`{command}` prints `{printed[at]}` before `{line}`"
        at, may_skip = found + 1, False
