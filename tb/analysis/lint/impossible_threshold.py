"""TB106: a comparison that is never true, because the threshold lies outside of what the value can be.

A signal that is asked for a direction which none of its cases gives is one, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.contradiction import NUMERIC
from tb.analysis.ranges import shown
from tb.analysis.subject import Rule, Subject, inside
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
        elif node.op == "signal_is":
            yield from _never_said(subject, node)


def _never_said(subject: Subject, node: Node) -> Iterable[Diagnostic]:
    """`x is long` of a signal that has no `long when`; every signal is neutral where none of its cases holds."""
    sign, direction = node.consts[:2]
    signal = subject.graph[node.args[0]]
    if signal.op != "signal" or sign == 0 or sign in signal.consts or not signal.names:
        return
    for place in subject.places(node):
        if " is " not in subject.words(place) or _is_turned_round(subject, node, place):
            continue  # one vote among others, or true at all times: neither keeps a rule from firing
        message = f"`{signal.names[0]} is {direction}` is never true: the signal has no `{direction} when`"
        yield error(CODE, message, place, f"add a case `{direction} when ...` to `{signal.names[0]}`, or ask another direction")


def _is_turned_round(subject: Subject, node: Node, place: Span) -> bool:
    """Whether a condition counts where it is false: an odd number of `not` stands around it."""
    around = (other for other in subject.conditions if other.op == "not" and node.id in subject.graph.reach((other.id,)))
    return sum(any(inside(place, span) for span in subject.places(other)) for other in around) % 2 == 1


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
