"""Limits that are a fixed share of the account's equity, told from what they compute."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tb.analysis.bounded import upper_bounds
from tb.analysis.subject import Subject
from tb.engine.graph import RuleGraph
from tb.engine.plan import ConstraintPlan


def share_limits(subject: Subject, fact: str, argument: str = "") -> Iterator[tuple[ConstraintPlan, Decimal]]:
    """The hard constraints `FACT <= SHARE of equity`, each with its share. Conditions of several parts are left out."""
    for constraint in subject.hard:
        for smaller, larger in upper_bounds(subject.graph, constraint.node)[:1]:
            node = subject.graph[smaller]
            is_meant = node.op in {"fact", "derived"} and tuple(map(str, node.consts)) == (fact, argument)
            share = share_of_equity(subject.graph, larger)
            if is_meant and share is not None and subject.graph[constraint.node].op in {"le", "lt"}:
                yield constraint, share


def share_of_equity(graph: RuleGraph, id_: int) -> Decimal | None:
    """The number by which a node multiplies the account's equity; 1 for equity itself, None for anything else."""
    node = graph[id_]
    if _is_equity(graph, id_):
        return Decimal(1)
    if node.op == "mul":
        for one, other in (node.args, node.args[::-1]):
            value = graph[one].consts[0] if graph[one].op == "const" else None
            if isinstance(value, Decimal) and _is_equity(graph, other):
                return value
    return None


def _is_equity(graph: RuleGraph, id_: int) -> bool:
    return graph[id_].op == "fact" and str(graph[id_].consts[0]) == "equity" and not str(graph[id_].consts[1])
