"""What the operator's commands have in common: who asks, and the place where a session hears it."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import settings_of
from tb.cli.options import Decorator

if TYPE_CHECKING:
    from tb.runtime.operator import Inbox, KillFile


def now() -> int:
    """The wall clock in ms: operators' orders carry it, decisions never."""
    return time.time_ns() // 1_000_000


def me() -> str:
    """The name of whoever is logged in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def posts(project: Path) -> tuple[KillFile, Inbox]:
    """The kill file and the inbox of a project."""
    from tb.runtime.operator import Inbox, KillFile

    live = settings_of(project).live
    return KillFile(project / live.kill_file), Inbox(project / live.state)


def said(_ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """A name or a reason: one line with something in it."""
    text = " ".join(value.split())
    if not text:
        raise click.BadParameter("it is empty; say it in a few words", param=parameter)
    return text


by_option: Decorator = click.option("--by", required=True, metavar="NAME", callback=said, help="Who says so.")
reason_option: Decorator = click.option("--reason", required=True, metavar="TEXT", callback=said, help="Why, in a few words.")
