"""Opens what commands work on: a project, its ledger, one run in it. Refusals are raised and told by `tb.cli.failing`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.output import say, show_findings
from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.core.records import Run
    from tb.core.settings import Settings
    from tb.ledger import Place, RunInfo
    from tb.ledger.store import Ledger
    from tb.runtime.policy import Compiled

_ID = re.compile(r"(?:(r\d+)\.)?(?:([td])(\d+)|([0-9a-f]{20}))", re.ASCII)


def compiled_project(folder: Path) -> Compiled:
    """The project in a folder, ready to run; its warnings are shown."""
    from tb.runtime.policy import compile_project
    from tb.runtime.project import load_project

    compiled = compile_project(load_project(folder))
    show_findings(compiled.findings, folder, compiled.project.texts)
    return compiled


def settings_of(folder: Path) -> Settings:
    """The settings alone: a mistake in a rule does not keep anybody from reading the ledger."""
    from tb.core.settings import parse_settings
    from tb.runtime.project import SETTINGS, load_project

    try:
        settings, findings = parse_settings(SETTINGS, (folder / SETTINGS).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return load_project(folder).settings  # says what is wrong
    if settings is None:
        raise Refused(findings)
    return settings


def ledger_path(folder: Path, ledger: Place | None) -> Place:
    from tb.ledger import place_of

    return ledger if ledger is not None else place_of(settings_of(folder).ledger, folder)


@contextmanager
def reading(folder: Path, ledger: Place | None) -> Iterator[Ledger]:
    """The ledger of a project, or the one named; nothing in it can be changed through this."""
    from tb.ledger import open_ledger

    with open_ledger(ledger_path(folder, ledger), create=False, read_only=True) as found:
        yield found


def run_of(ledger: Ledger, name: str | None) -> RunInfo:
    """The run of that name, or the latest; says so where it is unfinished."""
    if name is not None:
        found = ledger.run(name)
    else:
        latest = ledger.latest_run()
        if latest is None:
            raise Refused([_no_run(ledger.path)])
        found = latest
    if found.unfinished:
        say(f"note: run {found.run.id} is unfinished: it was stopped, or is still going on")
    if found.interrupted:
        say(f"note: run {found.run.id} was interrupted at {found.interrupted}: nothing after it was decided")
    return found


def _no_run(path: Place) -> Diagnostic:
    return error("TB707", "the ledger has no run yet", whole_file(str(path)), "`tb replay` makes one")


def record_name(text: str) -> tuple[str | None, str, str]:
    """The run (None: the latest), the kind (`t`, `d` or `order`) and the number or hash that an id means."""
    found = _ID.fullmatch(text.strip())
    if found is None:
        message = (
            f"`{text}` is not an id; write t3 for a trade, d12 for a decision, r2.t3 for a trade of run r2, or an order's id"
        )
        raise click.BadParameter(message, param_hint="ID")
    run, kind, number, order = found.groups()
    return (run, "order", order) if order else (run, kind, number)


def policy_of(ledger: Ledger, run: Run, folder: Path) -> Compiled:
    """The rules and limits of a run, from the text that the ledger keeps under their hash."""
    from tb.runtime.policy import compile_project, project_of

    texts: Mapping[str, str] = ledger.policy(run.policy_hash)
    return compile_project(project_of(texts, folder))
