"""TB104: a condition that no market and no account can make true.

It is said at the smallest `and` that can never hold, or at a comparison that is impossible because of what its sides mean (a
close is never above the high of its own bar).
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.clauses import flat
from tb.analysis.contradiction import COMPARISONS
from tb.analysis.relations import present_bar
from tb.analysis.subject import Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Label, Severity, error
from tb.core.span import Span
from tb.engine.graph import Node

CODE = "TB104"


def check(subject: Subject) -> Iterable[Diagnostic]:
    contradictions = subject.contradictions
    for node in subject.conditions:
        if node.op == "and":
            if contradictions.never(node.id, True) and not any(contradictions.never(part, True) for part in node.args):
                for place in subject.places(node):
                    yield _clauses(subject, node, place)
        elif node.op in COMPARISONS and contradictions.never(node.id, True) and not contradictions.out_of_range(node.id, True):
            for place in subject.places(node):
                yield _comparison(subject, node, place)


def _clauses(subject: Subject, node: Node, place: Span) -> Diagnostic:
    clauses = subject.contradictions.culprits(flat(subject.graph, node.id, True))
    words, labels = [], []
    for id_, wanted in clauses:
        span = subject.place_in(subject.graph[id_], place)
        if span is not None:
            words.append(subject.words(span) if wanted else f"not {subject.words(span)}")
            labels.append(Label(span, "holds only where the other does not" if len(clauses) == 2 else "never with the others"))
    if len(set(words)) < 2:
        return error(CODE, f"`{subject.words(place)}` can never be true", place, "correct its bounds, or drop it")
    if len(words) == 2:
        return error(CODE, f"{named(words)} cannot both be true", place, "drop one of the two, or widen its bound", labels)
    return error(CODE, f"{named(words)} cannot all be true", place, "drop one of them, or widen its bound", labels)


def _comparison(subject: Subject, node: Node, place: Span) -> Diagnostic:
    hint = "compare it with a bar before, as in `x[1]`"
    for argument in node.args:
        span = subject.place_in(subject.graph[argument], place)
        if present_bar(subject.graph[argument]) and span is not None:
            hint = f"the present bar belongs to the window: write `{subject.words(span)}[1]` to leave it out"
    return error(CODE, f"`{subject.words(place)}` can never be true", place, hint)


RULE = Rule(CODE, "contradictory-condition", "correctness", "intervals", Severity.ERROR, check)
