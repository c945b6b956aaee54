"""Findings as SARIF 2.1.0, which code scanning services and editors read.

One run of one tool; the rules that found something stand once, in order of code, and each result names its own by number.
Lines and columns count characters from 1, `endColumn` is one past the last, as in `tb.core.span`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import dumps
from typing import Any

from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, Severity, in_order
from tb.core.render.identity import fingerprints
from tb.core.span import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def sarif(findings: Iterable[Diagnostic], *, version: str) -> str:
    """A SARIF log. `version` is that of tb. Paths of files stay relative, to whatever the reader takes as the root."""
    ordered = in_order(findings)
    codes = sorted({finding.code for finding in ordered})
    numbers = {code: number for number, code in enumerate(codes)}
    marks = fingerprints(ordered)
    run = {
        "tool": {"driver": {"name": "tb", "version": version, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, numbers[finding.code], mark) for finding, mark in zip(ordered, marks, strict=True)],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, Any]:
    row = CODES[code]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", row.title)),
        "shortDescription": {"text": row.title},
        "fullDescription": {"text": row.meaning},
        "help": {"text": f"{row.meaning}\n\nhint: {row.example_hint}"},
        "defaultConfiguration": {"level": LEVELS[row.severity]},
    }


def _result(finding: Diagnostic, number: int, mark: str) -> dict[str, Any]:
    hint = f"; hint: {finding.hint}" if finding.hint else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message + hint},
        "locations": [_location(finding.span)],
        "partialFingerprints": {"tb/v1": mark},
    }
    if finding.labels:
        result["relatedLocations"] = [
            {"id": place, **_location(label.span), "message": {"text": label.text}}
            for place, label in enumerate(finding.labels, start=1)
        ]
    if finding.edits:
        result["fixes"] = [_fix(finding)]
    return result


def _fix(finding: Diagnostic) -> dict[str, Any]:
    """The edits of a finding, by file; an empty region is a place to insert at."""
    files = dict.fromkeys(edit.span.file for edit in finding.edits)
    changes = [
        {
            "artifactLocation": {"uri": _address(file)},
            "replacements": [
                {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
                for edit in finding.edits
                if edit.span.file == file
            ],
        }
        for file in files
    ]
    fix: dict[str, Any] = {"artifactChanges": changes}
    return {"description": {"text": finding.hint}, **fix} if finding.hint else fix


def _location(span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": _address(span.file)}, "region": _region(span)}}


def _region(span: Span) -> dict[str, Any]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": max(span.line, span.end_line),
        "endColumn": span.end_column if span.end_line > span.line else max(span.column, span.end_column),
    }


def _address(file: str) -> str:
    """The path as a relative URI: every byte that has a meaning there, or none, is escaped."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in file.encode("utf-8", "replace"))
