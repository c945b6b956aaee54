"""TB105: a clause that is true whenever its inputs are known, so that it restricts nothing.

A limit or requirement of which this is true never binds. Choices of tier and regime are left alone: a rule may be shared by
universes that have other tiers. So are clauses about settings alone: they are switches.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.clauses import flat
from tb.analysis.contradiction import NUMERIC
from tb.analysis.edits import without_clause
from tb.analysis.lint.impossible_threshold import why
from tb.analysis.subject import Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Edit, Label, Severity, warning
from tb.core.span import Span
from tb.engine.graph import Node

CODE = "TB105"


def check(subject: Subject) -> Iterable[Diagnostic]:
    contradictions, graph = subject.contradictions, subject.graph
    # `x in a..b` and `x crosses above y` are an `and` of two comparisons that both stand at its place
    sugar = frozenset(span for node in subject.conditions if node.op == "and" for span in node.spans)
    limits = {c.node: c for c in subject.constraints if c.kind in {"limit", "require"}}
    for node in subject.conditions:
        if not contradictions.never(node.id, False):
            continue
        if node.op in NUMERIC:
            for place in subject.places(node):
                if place not in sugar:
                    reason = why(subject, node, place)
                    name = limits[node.id].name if node.id in limits else ""
                    edits = _without(subject, node, place) if not name else ()
                    yield _comparison(f"`{subject.words(place)}` is always true{reason}", place, name, edits)
        elif node.op == "and":  # all of what `x in a..b` says
            for place in (place for place in subject.places(node) if all(place in graph[part].spans for part in node.args)):
                yield _comparison(f"`{subject.words(place)}` is always true", place, "", ())
        elif node.op == "or" and not any(contradictions.never(part, False) for part in node.args):
            for place in subject.places(node):
                yield _either(subject, node, place)


def _comparison(message: str, place: Span, limit: str, edits: Iterable[Edit]) -> Diagnostic:
    if limit:
        return warning(CODE, f"{message}, and `{limit}` never binds", place, "choose a bound that an order can reach")
    return warning(CODE, message, place, "drop it, or choose a threshold that can fail", edits=edits)


def _without(subject: Subject, node: Node, place: Span) -> tuple[Edit, ...]:
    """Takes the clause out of its conjunction, if the others hold only where its inputs are known: else it says that much."""
    parents = [parent for parent in subject.conditions if node.id in parent.args]
    clauses = subject.contradictions.clauses
    for parent in parents:
        others = [(part, True) for part in parent.args if part != node.id]
        terms = clauses.together(others)
        if parent.op != "and" or not others or terms is None:
            return ()
        if not all(subject.implications.is_known(node.id, term) for term in terms):
            return ()
    return without_clause(subject.file(place.file), place) if parents else ()


def _either(subject: Subject, node: Node, place: Span) -> Diagnostic:
    clauses = subject.contradictions.culprits(flat(subject.graph, node.id, False))
    spans = [(subject.place_in(subject.graph[id_], place), wanted) for id_, wanted in clauses]
    words = [subject.words(span) if not wanted else f"not {subject.words(span)}" for span, wanted in spans if span is not None]
    labels = [Label(span, "holds wherever the other does not") for span, _ in spans if span is not None]
    message = f"one of {named(words)} is always true" if len(words) > 1 else f"`{subject.words(place)}` is always true"
    return warning(CODE, message, place, "drop the condition, or narrow one of its parts", labels if len(labels) == 2 else ())


RULE = Rule(CODE, "always-true", "correctness", "intervals", Severity.WARNING, check)
