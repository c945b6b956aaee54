"""TB112: a decision table without `otherwise` that leaves some values to no row.

Where no row fits, the table is unknown: a size or limit that reads it then denies. Where columns read the same values, or a
bound is no constant, it may be that nothing is left over, and the finding says that it is undecided.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.analysis.tables import cases_of, inside, tables_in
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.dsl import checked_cases

CODE = "TB112"
_MOST = 3
_EDIT = "add a row for it, or end the table with `otherwise | RESULT`"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for table in tables_in(subject):
        if all(row.condition is not None for row in table.rows):
            yield from _gaps(subject, table)


def _gaps(subject: Subject, table: checked_cases.Table) -> Iterable[Diagnostic]:
    place = subject.head(table.span)
    cases = cases_of(subject, table)
    if cases is None:
        message = f"undecided whether the rows of `{table.name}` cover everything: a bound is not a constant"
        yield Diagnostic(CODE, Severity.HINT, message, place, "end the table with `otherwise | RESULT`")
        return
    left = frozenset(case for case, rows in cases.fitting.items() if not rows)
    for _ in range(_MOST):
        if not left:
            return
        low, high = cases.box(min(left), left)
        left -= inside(low, high)
        words = cases.words(low, high)
        if cases.related:
            message = f"undecided whether a row of `{table.name}` is missing: none fits {words}, if that can be"
            yield Diagnostic(CODE, Severity.HINT, message, place, _EDIT)
        else:
            yield error(CODE, f"no row of `{table.name}` fits {words}", place, _EDIT)


RULE = Rule(CODE, "gap-in-table", "correctness", "intervals", Severity.ERROR, check)
