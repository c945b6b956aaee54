"""TB318: a hard constraint that lets an order pass because it has no stop, and nothing else asks for one.

`require ratio order.stop is not set or reward_risk >= 2` approves every order without a stop.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.clauses import Clause
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.engine.graph import RuleGraph

CODE = "TB318"
_STOP = "order.stop"


def check(subject: Subject) -> Iterable[Diagnostic]:
    if any(_asks(subject.graph, constraint.node, _STOP) for constraint in subject.hard):
        return
    found = {c.name: c for c in subject.hard if _excuses(subject.graph, c.node, _STOP)}
    for constraint in found.values():
        message = f"`{constraint.name}` passes every order without a stop, and no other constraint asks for one"
        hint = "write `order.stop is set and ...`, or add `require protected  order.stop is set`"
        yield error(CODE, message, subject.head(constraint.span), hint)


def _excuses(graph: RuleGraph, root: int, fact: str) -> bool:
    """Whether the condition is an `or`, one part of which is that the fact is missing, and another reads it."""
    node = graph[root]
    if node.op != "or" or not any(_is_set(graph, part, fact) is False for part in node.args):
        return False
    rest = [part for part in node.args if _is_set(graph, part, fact) is None]
    return any(_reads(graph, part, fact) for part in rest)


def _asks(graph: RuleGraph, root: int, fact: str) -> bool:
    """Whether the condition can be true only where the fact is set: that alone, or one part of an `and`."""
    node = graph[root]
    return _is_set(graph, root, fact) is True or (node.op == "and" and any(_asks(graph, part, fact) for part in node.args))


def _is_set(graph: RuleGraph, id_: int, fact: str) -> bool | None:
    """True for `FACT is set`, False for `FACT is not set`, None for anything else."""
    clause: Clause = (id_, True)
    while graph[clause[0]].op == "not":
        clause = (graph[clause[0]].args[0], not clause[1])
    node = graph[clause[0]]
    inner = graph[node.args[0]] if node.op == "is_set" else None
    return clause[1] if inner is not None and inner.op == "fact" and str(inner.consts[0]) == fact else None


def _reads(graph: RuleGraph, root: int, fact: str) -> bool:
    return any(graph[id_].op == "fact" and str(graph[id_].consts[0]) == fact for id_ in graph.reach((root,)))


RULE = Rule(CODE, "fail-open", "risk", "graph", Severity.ERROR, check)
