"""TB106: a comparison that is never true, because the threshold lies outside of what the value can be."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.contradiction import NUMERIC
from tb.analysis.ranges import shown
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.core.span import Span
from tb.core.units import Kind
from tb.engine.graph import Node

CODE = "TB106"


def check(subject: Subject) -> Iterable[Diagnostic]:
    contradictions = subject.contradictions
    for node in subject.conditions:
        if node.op in NUMERIC and contradictions.never(node.id, True) and contradictions.out_of_range(node.id, True):
            for place in subject.places(node):
                message = f"`{subject.words(place)}` is never true" + why(subject, node, place)
                yield error(CODE, message, place, "choose a threshold inside of what the value can be")


def why(subject: Subject, node: Node, place: Span) -> str:
    """Where the values compared lie, as the end of a sentence; empty where there is nothing to say."""
    said = []
    for id_ in node.args[:2]:
        argument = subject.graph[id_]
        low, high = subject.contradictions.ranges.range_of(id_)
        span = subject.place_in(argument, place)
        if span is None or (low is None and high is None) or low == high:
            continue
        unit = argument.unit
        if unit.kind in {Kind.PRICE, Kind.QUANTITY} and (low or high):
            continue
        if low is not None and high is not None:
            words = f"lies between {shown(low, unit)} and {shown(high, unit)}"
        elif low is not None:
            words = f"is never below {shown(low, unit)}"
        elif high is not None:
            words = f"is never above {shown(high, unit)}"
        name = argument.names[0] if argument.op in {"pick", "score"} and argument.names else subject.words(span)
        said.append(f"`{name}` {words}")
    return f": {' and '.join(said)}" if said else ""


RULE = Rule(CODE, "impossible-threshold", "correctness", "intervals", Severity.ERROR, check)
