"""The result of tests for a terminal: each failure with what was expected beside what came, the edit, and the explanation."""

from __future__ import annotations

from collections.abc import Iterator

from tb.analysis.testing.coverage import ClauseCover, Covered
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


# coverage

_OUTCOMES = ("true", "false")
_BOUNDARY = ("at", "just below", "just above")


def coverage_text(covered: Covered) -> str:
    """What no test names or has seen, by place, then the counts."""
    lines = [
        f"{rule.span.file}:{rule.span.line}  no test names {rule.kind} {rule.name}" for rule in covered.rules if not rule.tested
    ]
    lines += [line for clause in covered.clauses for line in _clause(clause)]
    thresholds = [clause for clause in covered.clauses if clause.is_threshold]
    counts = [
        f"{covered.rules_tested} of {len(covered.rules)} rules named",
        f"{covered.outcomes_seen} of {2 * len(covered.clauses)} outcomes of clauses seen",
        f"{sum(len(clause.sides) for clause in thresholds)} of {3 * len(thresholds)} sides of thresholds tried",
    ]
    return "\n".join([*lines, f"coverage {percent(covered)}: {', '.join(counts)}"])


def percent(covered: Covered) -> str:
    """Rounded down, so that 100% means all."""
    return f"{int(covered.share * 1000) / 10:g}%"


def _clause(clause: ClauseCover) -> Iterator[str]:
    place = f"{clause.span.file}:{clause.span.line}"
    never = [outcome for outcome in _OUTCOMES if outcome not in clause.outcomes]
    if never:
        yield f"{place}  never {' or '.join(never)}: {clause.text}"
    untried = [side for side in _BOUNDARY if side not in clause.sides]
    if untried and clause.is_threshold and not never:
        yield f"{place}  not tried {', '.join(untried)}: {clause.text}"
