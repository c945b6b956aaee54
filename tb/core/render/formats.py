"""Lays findings out: for a person at a terminal, one line each, or as JSON.

`human` puts the message first, then the place, the source with what is meant underlined, other places that matter, and the
edit to make; it closes with the count. Colour adds escape sequences and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json import dumps
from typing import Any

from tb.core.diagnostics import Diagnostic, Severity, in_order
from tb.core.render.excerpt import Row, excerpt, gutter, visible
from tb.core.span import Span

BOLD, BLUE, RESET = "\x1b[1m", "\x1b[1;34m", "\x1b[0m"
SEVERITY_COLOUR = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.HINT: "\x1b[1;36m"}


def human(findings: Iterable[Diagnostic], sources: Mapping[str, str], colour: bool = False) -> str:
    """Findings with their source lines, and a closing count. `sources` is the text of each file by the name spans use; a
    finding in a file that is not among them is shown without an excerpt. Ends without a newline."""
    ordered = in_order(findings)
    blocks = [_block(finding, sources, colour) for finding in ordered]
    closing = summary(ordered, files=len(sources))
    worst = max((finding.severity for finding in ordered), default=None)
    return "\n\n".join([*blocks, _painted(closing, SEVERITY_COLOUR[worst] if worst else BOLD, colour)])


def plain(findings: Iterable[Diagnostic]) -> str:
    """`rules/x.tb:12:8: error[TB101]: message; hint: the edit`, one line for each finding."""
    return "\n".join(_plain_line(finding) for finding in in_order(findings))


def json(findings: Iterable[Diagnostic]) -> str:
    """A JSON array with one object for each finding. Names and order of the fields are stable; lines and columns count from 1,
    `end_column` is one past the last character."""
    return dumps([_object(finding) for finding in in_order(findings)], indent=2, ensure_ascii=False)


def summary(findings: Iterable[Diagnostic], files: int | None = None) -> str:
    """`2 errors, 1 warning in 3 files`, the files being those with findings; without findings the number of all `files`."""
    ordered = in_order(findings)
    if not ordered:
        return f"no findings in {_count(files, 'file')}" if files else "no findings"
    counts = {severity: sum(finding.severity is severity for finding in ordered) for severity in reversed(Severity)}
    said = ", ".join(_count(number, str(severity)) for severity, number in counts.items() if number)
    return f"{said} in {_count(len({finding.span.file for finding in ordered}), 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _painted(text: str, sequence: str, colour: bool) -> str:
    return f"{sequence}{text}{RESET}" if colour and text else text


def _block(finding: Diagnostic, sources: Mapping[str, str], colour: bool) -> str:
    paint = SEVERITY_COLOUR[finding.severity]
    head = _painted(f"{finding.severity}[{finding.code}]", paint, colour)
    rows = excerpt(finding, sources)
    space = gutter(rows)
    lines = [f"{head}: {_painted(visible(finding.message), BOLD, colour)}"]
    for place, row in enumerate(rows):
        follows_place = place > 0 and rows[place - 1].kind == "place" and row.kind != "place"
        if follows_place:
            lines.append(_painted(" " * space + " |", BLUE, colour))
        lines.append(_row(row, space, paint, colour))
    if finding.hint:
        sign = _painted(" " * space + " =", BLUE, colour)
        lines.append(f"{sign} hint: {visible(finding.hint)}")
    return "\n".join(lines)


def _row(row: Row, space: int, paint: str, colour: bool) -> str:
    match row.kind:
        case "place":
            sign, _, where = row.text.partition(" ")
            return f"{' ' * space}{_painted(sign, BLUE, colour)} {where}"
        case "gap":
            return _painted(row.text, BLUE, colour)
        case "source":
            edge = _painted(f"{row.number:>{space}} |", BLUE, colour)
            return f"{edge} {row.text}".rstrip()
        case _:
            edge = _painted(" " * space + " |", BLUE, colour)
            left = len(row.text) - len(row.text.lstrip())
            mark = _painted(row.text[left:], paint if row.kind == "primary" else BLUE, colour)
            return f"{edge} {row.text[:left]}{mark}"


def _plain_line(finding: Diagnostic) -> str:
    hint = f"; hint: {finding.hint}" if finding.hint else ""
    return visible(f"{finding.span}: {finding.severity}[{finding.code}]: {finding.message}{hint}")


def _object(finding: Diagnostic) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "message": finding.message,
        **_place(finding.span),
        "hint": finding.hint,
        "labels": [{"message": label.text, **_place(label.span)} for label in finding.labels],
        **({"edits": [{"text": edit.text, **_place(edit.span)} for edit in finding.edits]} if finding.edits else {}),
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
