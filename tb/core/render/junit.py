"""Findings as JUnit XML, which build servers show as tests: each finding is one, and so is each file without any.

A finding that makes the command fail is a failed test; any other passes and is written beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, Severity, in_order
from tb.core.render.excerpt import visible

_NO_CHARACTERS = str.maketrans({"\ufffe": "\ufffd", "\uffff": "\ufffd"})  # XML has none of these; `visible` sees to the rest


def junit(findings: Iterable[Diagnostic], files: Iterable[str], *, failing: Severity = Severity.ERROR) -> str:
    """An XML document. `files` are all that were looked at; findings of severity `failing` and above are failures."""
    ordered = in_order(findings)
    cases = [_case(finding, is_failure=finding.severity >= failing) for finding in ordered]
    clean = sorted(set(files) - {finding.span.file for finding in ordered})
    cases += [f'    <testcase classname="tb lint" name={_attribute(file)} file={_attribute(file)}/>' for file in clean]
    failures = sum(finding.severity >= failing for finding in ordered)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    suite = [f'  <testsuite name="tb lint" {counts}>', *cases, "  </testsuite>"]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>", *suite, "</testsuites>"])


def _case(finding: Diagnostic, *, is_failure: bool) -> str:
    span, title = finding.span, CODES[finding.code].title
    name = _attribute(f"{span}: {finding.code} {title}")
    hint = f"; hint: {finding.hint}" if finding.hint else ""
    words = _text(f"{span}: {finding.severity}[{finding.code}]: {finding.message}{hint}")
    said = (
        f"<failure type={_attribute(finding.code)} message={_attribute(finding.message)}>{words}</failure>"
        if is_failure
        else f"<system-out>{words}</system-out>"
    )
    head = f'    <testcase classname="tb lint" name={name} file={_attribute(span.file)} line="{span.line}">'
    return f"{head}\n      {said}\n    </testcase>"


def _text(text: str) -> str:
    return escape(visible(text).translate(_NO_CHARACTERS))


def _attribute(text: str) -> str:
    return quoteattr(visible(text).translate(_NO_CHARACTERS))
