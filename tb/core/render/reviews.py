"""Findings as the services that review changes want them: GitHub's annotations, GitLab's code quality report."""

from __future__ import annotations

from collections.abc import Iterable
from json import dumps

from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, Severity, in_order
from tb.core.render.excerpt import visible
from tb.core.render.identity import fingerprints

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}
_WEIGHTS = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.HINT: "info"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def github(findings: Iterable[Diagnostic]) -> str:
    """Workflow commands, one line for each finding: GitHub shows them beside the lines of a change."""
    return "\n".join(_command(finding) for finding in in_order(findings))


def _command(finding: Diagnostic) -> str:
    span = finding.span
    place = {"file": span.file, "line": str(span.line), "endLine": str(max(span.line, span.end_line))}
    if span.line == span.end_line:  # columns of a place of several lines are refused
        place |= {"col": str(span.column), "endColumn": str(span.end_column)}
    place["title"] = f"{finding.code} {CODES[finding.code].title}"
    said = ",".join(f"{name}={visible(value).translate(_PROPERTY)}" for name, value in place.items())
    words = [visible(finding.message), *([f"hint: {visible(finding.hint)}"] if finding.hint else [])]
    return f"::{_COMMANDS[finding.severity]} {said}::" + "\n".join(words).translate(_DATA)


def gitlab(findings: Iterable[Diagnostic]) -> str:
    """A code quality report: a JSON array whose fingerprints stay when lines move."""
    ordered = in_order(findings)
    rows = [
        {
            "description": f"{finding.message}; hint: {finding.hint}" if finding.hint else finding.message,
            "check_name": finding.code,
            "fingerprint": mark,
            "severity": _WEIGHTS[finding.severity],
            "location": {
                "path": finding.span.file,
                "lines": {"begin": finding.span.line, "end": max(finding.span.line, finding.span.end_line)},
            },
        }
        for finding, mark in zip(ordered, fingerprints(ordered), strict=True)
    ]
    return dumps(rows, indent=2, ensure_ascii=False)
