"""The result of tests for a terminal: each failure with what was expected beside what came, the edit, and the explanation."""

from __future__ import annotations

from collections.abc import Iterator

from tb.analysis.testing.model import Failure, Report, TestResult

_SHOWN = {"failed": "FAILED", "error": "ERROR"}


def text(report: Report) -> str:
    """Failures first, in the order of the files, then the count."""
    lines = [line for result in report.results if result.status != "passed" for line in _result(result)]
    return "\n".join([*lines, summary(report)])


def summary(report: Report) -> str:
    """`12 passed, 1 failed of 13 tests`."""
    counts = {"passed": report.count("passed"), "failed": report.count("failed"), "not run": report.count("error")}
    said = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    total = len(report.results)
    return f"{said} of {total} {'test' if total == 1 else 'tests'}"


def _result(result: TestResult) -> Iterator[str]:
    yield f"{_SHOWN[result.status]}  {result.name}  ({result.span.file}:{result.span.line})"
    for failure in result.failures:
        yield from _failure(failure)
    if result.explanation:
        yield ""
        yield from (f"  | {line}".rstrip() for line in result.explanation.rstrip().splitlines())
    yield ""


def _failure(failure: Failure) -> Iterator[str]:
    place = f"{failure.span.file}:{failure.span.line}"
    if failure.expected:
        yield f"  expected  {failure.expected}    ({place})"
        yield f"  actual    {failure.actual}"
    else:
        yield f"  {failure.actual}    ({place})"
    if failure.hint:
        yield f"  hint      {failure.hint}"
