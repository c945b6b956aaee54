"""`tb ledger verify`: walks the whole chain and names the first entry that is not what was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import ledger_path
from tb.cli.options import Command, debug_option, json_option, ledger_option, project_option
from tb.cli.output import progress, put, show_findings, write_findings
from tb.core.diagnostics import Diagnostic, Refused

if TYPE_CHECKING:
    from tb.ledger import Head, Place

DAMAGED = frozenset({"TB703", "TB710", "TB711"})  # what cannot even be opened for this reason is a finding, too


def noted_head(text: str) -> tuple[int, str]:
    """`SEQ:HASH`, as a verification prints it."""
    number, _, name = text.partition(":")
    is_hash = len(name) == 64 and not set(name.lower()) - set("0123456789abcdef")
    if not (number.isascii() and number.isdigit() and is_hash):
        raise click.BadParameter(f"`{text}` is not a head; write it as `tb ledger verify` prints it: 1234:9f3c...")
    return int(number), name.lower()


@click.group("ledger")
def tb_ledger() -> None:
    """Check what was recorded."""


@tb_ledger.command("verify", cls=Command, examples=("tb ledger verify", "tb ledger verify --head 5120:9f3c..."))
@click.option(
    "--head", type=noted_head, metavar="SEQ:HASH", help="A head noted earlier: proves that nothing before it is gone."
)
@ledger_option
@project_option
@json_option
@debug_option
def tb_ledger_verify(head: tuple[int, str] | None, ledger: Place | None, project: Path, as_json: bool) -> None:
    """Check every entry, hash and table. Exit code 1 where something is not as it was written.

    The head that is printed can be noted elsewhere; handed in later, it proves that no entry up to it was cut off or replaced.
    """
    from tb.ledger import Head

    path = ledger_path(project, ledger)
    findings, last, runs = _verified(path, None if head is None else Head(*head))
    if as_json:
        write_findings(findings, ledger=str(path), ok=not findings, **_told(last, runs))
    elif findings:
        show_findings(findings, project, {})
    elif last is not None:
        put(f"the ledger holds: {last.seq:,} entries, {runs} {'run' if runs == 1 else 'runs'}; head {last.seq}:{last.hash}")
    if findings:
        raise click.exceptions.Exit(1)


def _told(last: Head | None, runs: int) -> dict[str, Any]:
    if last is None:
        return {"entries": None, "runs": None, "head": None}
    return {"entries": last.seq, "runs": runs, "head": f"{last.seq}:{last.hash}"}


def _verified(path: Place, anchor: Head | None) -> tuple[list[Diagnostic], Head | None, int]:
    """Findings; without any, the head and the number of runs."""
    from tb.ledger import open_ledger

    try:
        with open_ledger(path, create=False, read_only=True) as ledger, progress("verify") as told:
            findings = ledger.verify(told, anchor=anchor)
            return findings, None if findings else ledger.head(), 0 if findings else len(ledger.runs())
    except Refused as refused:
        if not {finding.code for finding in refused.findings} <= DAMAGED:
            raise
        return list(refused.findings), None, 0
