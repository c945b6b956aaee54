"""The result of tests as plain values, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tb.analysis.testing import Covered, Failure, Report
    from tb.core.span import Span


def facts(report: Report, covered: Covered | None) -> dict[str, Any]:
    """Tests in the order of their files; `coverage` only where it was asked for."""
    found: dict[str, Any] = {
        "passed": report.passed,
        "counts": {status: report.count(status) for status in ("passed", "failed", "error")},
        "tests": [
            {
                "name": result.name,
                **_place(result.span),
                "status": result.status,
                "expectations": result.expectations,
                "failures": [_failure(failure) for failure in result.failures],
                "explanation": result.explanation,
            }
            for result in report.results
        ],
    }
    return found if covered is None else {**found, "coverage": _coverage(covered)}


def _failure(failure: Failure) -> dict[str, Any]:
    return {"expected": failure.expected, "actual": failure.actual, "hint": failure.hint, **_place(failure.span)}


def _coverage(covered: Covered) -> dict[str, Any]:
    return {
        "share": float(covered.share),
        "rules": [{"kind": r.kind, "name": r.name, **_place(r.span), "tested": r.tested} for r in covered.rules],
        "clauses": [
            {
                "clause": clause.text,
                **_place(clause.span),
                "outcomes": clause.outcomes,
                **({"sides": clause.sides} if clause.is_threshold else {}),
            }
            for clause in covered.clauses
        ],
    }


def _place(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line}
