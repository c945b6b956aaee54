"""TB107: a case of `regime`, `size` or a signal, a row of a table, or an `enter`, that the ones above it already cover.

Cases are tried from the top, and one whose condition is unknown ends the search; so where a case holds only together with one
above it, it is never chosen. Of the entries of a strategy the first that holds is proposed, and one that is unknown is passed
over; so an entry is covered only by one that is surely true wherever it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tb.analysis.subject import Rule, Subject, enters
from tb.analysis.tables import cases_of, tables_in
from tb.core.diagnostics import Diagnostic, Label, Severity, error
from tb.core.span import Span
from tb.dsl import checked_cases
from tb.engine.graph import Node

CODE = "TB107"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for node in subject.graph.nodes:
        if node.op == "regime":
            cases = subject.program.regime
            covered = _covered(subject, node.args)
            yield from (_finding("regime", cases[at].name, cases[at].span, cases[by].span) for at, by in covered)
        elif node.op == "signal":
            yield from _signal(subject, node)
    for table in tables_in(subject):
        yield from _rows(subject, table)
    for strategy, at, enter in enters(subject):
        plan = subject.plan.strategy(strategy.name).enters[at]
        conditions = [size.condition for size in plan.sizes]
        known = [condition for condition in conditions if condition is not None]
        if known == conditions[: len(known)]:
            for case, by in _covered(subject, known):
                span = enter.sizes[case].span
                yield _finding("size", subject.words(span), span, enter.sizes[by].span)
    yield from _entries(subject)


def _signal(subject: Subject, node: Node) -> Iterable[Diagnostic]:
    conditions = subject.graph[node.args[0]].args
    for case, by in _covered(subject, conditions):
        for around in subject.places(node):
            spans = [subject.place_in(subject.graph[conditions[at]], around) for at in (case, by)]
            if spans[0] is not None and spans[1] is not None:
                yield _finding("case", subject.words(spans[0]), spans[0], spans[1])


def _entries(subject: Subject) -> Iterable[Diagnostic]:
    for strategy in subject.plan.strategies:
        for at, enter in enumerate(() if strategy.quotes else strategy.enters):
            above = (other for other in strategy.enters[:at] if subject.implications.implies(enter.when, other.when))
            by = next(above, None)
            if by is not None:
                labels = (Label(subject.head(by.span), "this holds in every case in which it does"),)
                message = f"`{strategy.name}` never comes to this entry: the one above it covers it"
                yield error(CODE, message, subject.head(enter.span), "move it up, or drop it", labels)


def _rows(subject: Subject, table: checked_cases.Table) -> Iterable[Diagnostic]:
    """Rows with conditions that fit somewhere and are the first to fit nowhere."""
    cases = cases_of(subject, table)
    if cases is None:
        return
    first = {rows[0] for rows in cases.fitting.values() if rows}
    for at, row in enumerate(table.rows):
        fits = [rows for rows in cases.fitting.values() if at in rows]
        if row.condition is not None and fits and at not in first:
            by = table.rows[max(rows[0] for rows in fits)].span
            yield _finding("row", subject.words(row.span), row.span, by)


def _covered(subject: Subject, conditions: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Cases that never come to be tried with success, each with the last case that is needed to cover it."""
    never = subject.contradictions.never_together
    for at, condition in enumerate(conditions):
        if subject.contradictions.never(condition, True):
            continue  # said already, as a contradiction
        for by in range(at):
            if never([(condition, True), *((earlier, False) for earlier in conditions[: by + 1])]):
                yield at, by
                break


def _finding(what: str, name: str, span: Span, by: Span) -> Diagnostic:
    labels = (Label(by, "it is covered from here"),)
    return error(CODE, f"the {what} `{name}` is never reached: cases above it cover it", span, "move it up, or drop it", labels)


RULE = Rule(CODE, "unreachable-case", "correctness", "intervals", Severity.ERROR, check)
