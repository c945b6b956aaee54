"""Runs commands in this process and keeps what they came to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tb.cli import tb

DAYS = 40
Run = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def invoke(*args: str | Path) -> Answer:
    result: Result = CliRunner().invoke(tb, [str(arg) for arg in args])
    return Answer(result.exit_code, result.stdout, result.stderr)


def contents(folder: Path) -> dict[str, str]:
    """The bytes of every file below a folder, as text that shows them."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode("latin-1") for path in found}
