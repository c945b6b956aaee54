"""`tb test --watch`: the tests again whenever a file that they could depend on changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

from tb.cli.output import say, show_findings
from tb.core.diagnostics import Refused

_EVERY = 0.3  # seconds between two looks
_SEEN = (".tb", ".yaml", ".yml")

State = tuple[tuple[str, int, int], ...]


def watch_project(project: Path, run: Callable[[], int]) -> None:
    """Runs at once and after each change, until Ctrl-C. Mistakes in the files are shown, and waited out."""
    try:
        while True:
            before = _state(project)
            _tell(run, project)
            say("watching; Ctrl-C ends it")
            while _state(project) == before:
                time.sleep(_EVERY)
            say("")
    except KeyboardInterrupt:
        say("stopped watching")


def _tell(run: Callable[[], int], project: Path) -> None:
    try:
        run()
    except Refused as refused:
        show_findings(refused.findings, project)
    except click.exceptions.Exit:
        pass  # no test yet: what was said stands


def _state(project: Path) -> State:
    """Name, time of change and size of every file that decides: those of the project's folder and one level below."""
    found = []
    for path in (*project.glob("*"), *project.glob("*/*")):
        if path.suffix in _SEEN and not path.name.startswith("."):
            try:
                status = path.stat()
            except OSError:
                continue  # gone between two looks
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(sorted(found))
