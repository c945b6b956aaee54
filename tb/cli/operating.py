"""What the operator's commands have in common: who asks, and the place where a session hears it."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import settings_of
from tb.cli.options import Decorator
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.core.settings import Settings
    from tb.runtime.operator import Inbox, KillFile
    from tb.runtime.ports.exchange import Exchange


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


def waiting_flatten(inbox: Inbox) -> str | None:
    """The newest order to close everything that no session has heard of yet, in words. Raises Refused TB853 where the orders
    cannot be read."""
    found = [word for word in inbox.waiting() if word.kind == "flatten"]
    return f"{found[-1].by} ordered a flatten, which the session does first: {found[-1].reason}" if found else None


def said(_ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """A name or a reason: one line with something in it."""
    text = " ".join(value.split())
    if not text:
        raise click.BadParameter("it is empty; say it in a few words", param=parameter)
    return text


clock_option: Decorator = click.option(
    "--clock",
    type=click.Choice(["machine", "venue"]),
    default="machine",
    show_default=True,
    help="Whose time counts; `venue` follows a sandbox that runs faster than time (only with `live.url`).",
)


def clock_of(choice: str, settings: Settings, exchange: Exchange) -> Callable[[], int]:
    """What time it is, in ms. Raises Refused TB855 where the venue's counts and it does not say, or is a real one."""
    if choice == "machine":
        return now
    if settings.live.url is None:
        raise _no_clock("only a sandbox keeps time for everybody", "leave out `--clock venue`, or set `live.url` to a sandbox")

    def theirs() -> int:
        found = exchange.clock()
        if not isinstance(found, int):
            raise _no_clock(f"the venue does not say what time it is: {found.why}", "check that the sandbox runs")
        return found

    return theirs


def _no_clock(message: str, hint: str) -> Refused:
    return Refused([error("TB855", message, whole_file("tb.yaml"), hint)])


by_option: Decorator = click.option("--by", required=True, metavar="NAME", callback=said, help="Who says so.")
reason_option: Decorator = click.option("--reason", required=True, metavar="TEXT", callback=said, help="Why, in a few words.")
