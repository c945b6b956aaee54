"""TB114: a column of a decision table that changes no result: whatever it says, the other columns decide."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.analysis.tables import Cases, cases_of, tables_in
from tb.core.diagnostics import Diagnostic, Severity
from tb.dsl import checked, checked_cases

CODE = "TB114"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for table in tables_in(subject):
        cases = cases_of(subject, table)
        if cases is None or len(table.columns) < 2:
            continue
        for at, column in enumerate(table.columns):
            if _is_idle(table, cases, at):
                message = f"the column `{column.text}` of `{table.name}` changes no result"
                yield Diagnostic(CODE, Severity.HINT, message, subject.head(table.span), "remove the column")


def _is_idle(table: checked_cases.Table, cases: Cases, at: int) -> bool:
    """Whether cases that differ in this column alone have one result, which impossible ones cannot tell."""
    found: dict[tuple[int, ...], checked.Expr | None] = {}
    for case, rows in cases.fitting.items():
        rest = (*case[:at], *case[at + 1 :])
        outcome = table.rows[rows[0]].outcome if rows else None
        if found.setdefault(rest, outcome) != outcome:
            return False
    return True


RULE = Rule(CODE, "idle-column", "correctness", "intervals", Severity.HINT, check)
