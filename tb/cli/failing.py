"""What a command says when it cannot go on, and the exit code it says it with.

Refused input: its findings, 3. A broken pipe: nothing, 141. Ctrl-C: one line, 130. Anything else is a bug in tb: one line, 3,
and the traceback only where it was asked for. With `--json` findings are one JSON object on standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from tb.cli.output import say, show_findings, write_findings
from tb.core.diagnostics import Refused
from tb.core.redaction import redacted

REFUSED, INTERRUPTED, NO_READER = 3, 130, 141


@contextmanager
def failures_told(ctx: click.Context) -> Iterator[None]:
    """Runs a command; turns what it raises into words and an exit code."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # here and not when the interpreter ends, where nobody could tell of a broken pipe
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Refused as refused:
        if ctx.meta.get("tb.json"):
            write_findings(refused.findings)
        else:
            show_findings(refused.findings, Path(ctx.meta.get("tb.project", ".")))
        raise click.exceptions.Exit(REFUSED) from None
    except KeyboardInterrupt:
        say("stopped; a run that was being recorded stays in the ledger as unfinished")
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _let_go_of_stdout()
        raise click.exceptions.Exit(NO_READER) from None
    except Exception as bug:
        _tell_bug(bug, with_traceback=bool(ctx.meta.get("tb.debug")))
        raise click.exceptions.Exit(REFUSED) from None


def _let_go_of_stdout() -> None:
    """Keeps the interpreter from writing to the closed pipe once more when it ends."""
    with suppress(OSError, ValueError):  # where it is not a stream of the system
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_bug(bug: Exception, *, with_traceback: bool) -> None:
    if with_traceback:
        import traceback

        say(redacted("".join(traceback.format_exception(bug)).rstrip()))
    what = redacted(f"{type(bug).__name__}: {bug}".splitlines()[0].rstrip(": "))
    hint = "" if with_traceback else "; run it again with --debug to see where"
    say(f"error: this is a bug in tb, not in your files ({what}){hint}")
