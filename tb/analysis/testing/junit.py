"""The result of tests as JUnit XML, which build servers show."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from tb.analysis.testing.model import Failure, Report, TestResult
from tb.core.render.excerpt import visible

_NO_CHARACTERS = str.maketrans({"\ufffe": "\ufffd", "\uffff": "\ufffd"})  # XML has none of these; `visible` sees to the rest


def junit(report: Report) -> str:
    """An XML document: one case for each test, a failure or an error in it where it did not pass."""
    failures, errors = report.count("failed"), report.count("error")
    counts = f'tests="{len(report.results)}" failures="{failures}" errors="{errors}"'
    cases = [_case(result) for result in report.results]
    suite = [f'  <testsuite name="tb test" {counts}>', *cases, "  </testsuite>"]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {counts}>", *suite, "</testsuites>"])


def _case(result: TestResult) -> str:
    name, file = _attribute(result.name), _attribute(result.span.file)
    head = f'    <testcase classname={file} name={name} file={file} line="{result.span.line}"'
    if result.status == "passed":
        return f"{head}/>"
    tag = "error" if result.status == "error" else "failure"
    message = "; ".join(_words(failure) for failure in result.failures)
    lines = [*(f"{failure.span.file}:{failure.span.line}: {_words(failure)}{_hint(failure)}" for failure in result.failures)]
    body = _text("\n".join([*lines, *([result.explanation] if result.explanation else [])]))
    return f"{head}>\n      <{tag} message={_attribute(message)}>{body}</{tag}>\n    </testcase>"


def _words(failure: Failure) -> str:
    return f"expected {failure.expected}, got {failure.actual}" if failure.expected else failure.actual


def _hint(failure: Failure) -> str:
    return f"; hint: {failure.hint}" if failure.hint else ""


def _text(text: str) -> str:
    return escape("\n".join(visible(line) for line in text.split("\n")).translate(_NO_CHARACTERS))


def _attribute(text: str) -> str:
    return quoteattr(visible(text).translate(_NO_CHARACTERS))
