"""TB113: two rows of a decision table that both fit some values, with different results, neither of them inside the other.

The first row decides, so the order of the rows decides, which is easily lost when rows are moved. A general row below a special
one is meant so, and rows that meet in one point, as `1%..3%` and `3%..5%` do, are told apart by their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tb.analysis.subject import Rule, Subject
from tb.analysis.tables import Case, Cases, cases_of, tables_in
from tb.core.diagnostics import Diagnostic, Label, Severity, warning
from tb.dsl import checked_cases

CODE = "TB113"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for table in tables_in(subject):
        cases = cases_of(subject, table)
        if cases is not None and not cases.related:
            yield from _overlaps(table, cases)


def _overlaps(table: checked_cases.Table, cases: Cases) -> Iterable[Diagnostic]:
    fits = [frozenset(case for case, rows in cases.fitting.items() if at in rows) for at in range(len(table.rows))]
    for below, row in enumerate(table.rows):
        for above in range(below):
            both = fits[above] & fits[below]
            same = table.rows[above].outcome == row.outcome
            if same or both in (frozenset(), fits[above], fits[below]) or _only_touch(cases, both):
                continue
            witness = min(both, key=lambda case: (_points(cases, case), case))
            labels = (Label(table.rows[above].span, "this row decides there"),)
            words = cases.words(witness, witness)
            message = f"two rows of `{table.name}` with different results fit {words}"
            hint = "narrow one of the rows, or write a row for what they share above both"
            yield warning(CODE, message, row.span, hint, labels)
            break


def _only_touch(cases: Cases, both: Iterable[Case]) -> bool:
    """Whether the rows share, in some column of numbers, single points and nothing between."""
    shared: list[Sequence[bool]] = [_are_points(cases, case) for case in both]
    return any(all(column) for column in zip(*shared, strict=True))


def _are_points(cases: Cases, case: Case) -> Sequence[bool]:
    return [parts[at].is_point for parts, at in zip(cases.parts, case, strict=True)]


def _points(cases: Cases, case: Case) -> int:
    return sum(_are_points(cases, case))


RULE = Rule(CODE, "overlap-in-table", "correctness", "intervals", Severity.WARNING, check)
