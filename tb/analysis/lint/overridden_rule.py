"""TB109: a rule whose every case another one denies: an entry that policy always refuses, a constraint beside a stricter one.

An entry is judged together with when its universe lets it look, with its side and kind, and with the stop and target it has or
lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.clauses import Clause
from tb.analysis.subject import Rule, Subject
from tb.analysis.witness import told, witness
from tb.core.diagnostics import Diagnostic, Label, Severity, warning
from tb.engine.graph import Node, RuleGraph
from tb.engine.plan import ConstraintPlan, EnterPlan, StrategyPlan

CODE = "TB109"
_OF_THE_ORDER = frozenset({"order.kind", "order.side", "order.strategy", "order.stop", "order.target", "order.confidence"})
_DENY = frozenset({"shrink", "reject", "pause", "halt"})


def check(subject: Subject) -> Iterable[Diagnostic]:
    for pair in subject.covered:
        if not pair.stricter or pair.one.acts == "warn":
            continue  # one that warns too late is told as such (TB311)
        at = told(subject, witness(subject.contradictions, [(pair.one.node, False), (pair.by.node, False)]), pair.one.span)
        message = f"`{pair.one.name}` never has its way: where it would {_does(pair.one)}, `{pair.by.name}` {_does(pair.by)}s"
        message += f", as at {at}" if at else ""
        labels = (Label(subject.head(pair.by.span), "this is stricter in every case"),)
        yield warning(CODE, message, subject.head(pair.one.span), "drop it, or let it begin earlier", labels)
    yield from _entries(subject)


def _does(constraint: ConstraintPlan) -> str:
    return {"warn": "warn", "shrink": "shrink", "pause": "pause", "halt": "halt"}.get(constraint.acts or "", "reject")


def _entries(subject: Subject) -> Iterator[Diagnostic]:
    for strategy in subject.plan.strategies:
        for enter in strategy.enters:
            if subject.contradictions.never(enter.when, True):
                continue  # said already, as a contradiction
            denies = next((c for c in _judging(subject, strategy) if _never_passes(subject, strategy, enter, c)), None)
            if denies is not None:
                message = f"`{strategy.name}` never enters {enter.direction}: `{denies.name}` refuses every such order"
                labels = (Label(subject.head(denies.span), "no case of the entry passes this"),)
                yield warning(CODE, message, subject.head(enter.span), "drop the entry, or let the two meet", labels)


def _judging(subject: Subject, strategy: StrategyPlan) -> Iterator[ConstraintPlan]:
    constraints = subject.plan.policies[strategy.period].constraints
    own = subject.policy_files
    return (c for c in constraints if c.acts in _DENY and c.span.file in own)


def _never_passes(subject: Subject, strategy: StrategyPlan, enter: EnterPlan, constraint: ConstraintPlan) -> bool:
    contradictions, implications = subject.contradictions, subject.implications
    if contradictions.never(constraint.node, True):
        return False  # it refuses everything, whoever asks
    assumed: list[Clause] = []
    if any(name in _OF_THE_ORDER for _, name in subject.facts(constraint.node)):
        assumed = _of_the_order(subject.graph, constraint.node, strategy, enter)
    seen = implications.values(enter.when) | (implications.values(strategy.membership) if strategy.membership else frozenset())
    if not assumed and not seen & implications.values(constraint.node):
        return False
    member: list[Clause] = [] if strategy.membership is None else [(strategy.membership, True)]
    return contradictions.never_together([(constraint.node, True), (enter.when, True), *member, *assumed])


def _of_the_order(graph: RuleGraph, root: int, strategy: StrategyPlan, enter: EnterPlan) -> list[Clause]:
    """What clauses of a constraint answer for every order of this entry."""
    side = "buy" if enter.direction == "long" else "sell"
    known = {"order.side": side, "order.strategy": strategy.name, "order.kind": enter.order.style}
    found: list[Clause] = []
    for id_ in graph.reach((root,)):
        node = graph[id_]
        if node.op == "is_set":
            fact = str(graph[node.args[0]].consts[0]) if graph[node.args[0]].op == "fact" else ""
            lacks = {"order.stop": enter.stop is None, "order.target": enter.target is None}
            lacks["order.confidence"] = enter.confidence is None
            if lacks.get(fact, False):
                found.append((id_, False))
        elif node.op in {"eq", "ne"}:
            word = _word(graph, node, known)
            if word is not None:
                found.append((id_, word == (node.op == "eq")))
    return found


def _word(graph: RuleGraph, node: Node, known: dict[str, str]) -> bool | None:
    """Whether a fact that is known of the order is the word it is compared with; None where nothing is known."""
    for fact, word in (node.args, node.args[::-1]):
        one, other = graph[fact], graph[word]
        if one.op == "fact" and str(one.consts[0]) in known and other.op == "const":
            return known[str(one.consts[0])] == str(other.consts[0])
    return None


RULE = Rule(CODE, "overridden-rule", "correctness", "intervals", Severity.WARNING, check)
