"""TB116: `==` or `!=` on a computed market value, which is almost never exactly equal to anything.

Recorded values may be compared with each other (`close == highest(close, 20)`) and with 0 (`volume == 0`), and counts with
numbers: these are exact. So are truth values: policy asks a session whether it is 1.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.ranges import is_whole
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.units import TRUTH
from tb.engine.graph import Node, RuleGraph

CODE = "TB116"
_CHOOSES = frozenset({"highest", "lowest", "count"})


def check(subject: Subject) -> Iterable[Diagnostic]:
    graph = subject.graph
    for node in subject.conditions:
        if node.op not in {"eq", "ne"} or not any(graph[id_].stage == "market" for id_ in graph.reach(node.args)):
            continue
        kinds = [_kind(subject, id_) for id_ in node.args]
        if kinds in (["recorded", "recorded"], ["recorded", "zero"], ["zero", "recorded"]) or "whole" in kinds:
            continue
        for place in subject.places(node):
            words = subject.words(place)
            sign = "==" if node.op == "eq" else "!="
            answer = "almost never" if node.op == "eq" else "almost always"
            hint = "write `>=` or `<=`, or say how near with `in a..b`"
            yield warning(CODE, f"`{words}` is {answer} true: `{sign}` asks for equality to the last digit", place, hint)


def _kind(subject: Subject, id_: int) -> str:
    """How exact a value is: `whole`, `zero`, `recorded`, or `computed`."""
    graph, node = subject.graph, subject.graph[id_]
    value = subject.contradictions.ranges.fixed(id_, "market")
    if value is not None:
        return "zero" if value == 0 else "computed"
    counts = (
        is_whole(node) or node.op in {"const", "sign"} or (node.op == "apply" and node.consts[0] in {"count", "bars_since"})
    )
    if counts or node.unit == TRUTH:
        return "whole"
    return "recorded" if _is_recorded(graph, node) else "computed"


def _is_recorded(graph: RuleGraph, node: Node) -> bool:
    if node.op == "field":
        return True
    if node.op in {"shift", "of", "at", "max", "min"} or (node.op == "apply" and node.consts[0] in _CHOOSES):
        return all(_is_recorded(graph, graph[argument]) for argument in node.args)
    return False


RULE = Rule(CODE, "float-equality", "correctness", "types", Severity.WARNING, check)
