"""TB103: a constraint that reads what some orders lack, without asking `is set`, so that it always refuses them.

Looked at are the entries that have no stop, no target, no trigger with a confidence or no signal; and the time since the last
loss, which is not known before there was one: a constraint that needs it refuses the first order, and so every order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tb.analysis.answers import possible_answers
from tb.analysis.subject import Rule, Subject, entries_of
from tb.core.diagnostics import Diagnostic, Label, Severity, error, warning
from tb.engine.plan import ConstraintPlan, EnterPlan

CODE = "TB103"
_LACKS = {
    "order.stop": "a stop",
    "order.target": "a target",
    "order.confidence": "a trigger that has a confidence",
    "order.conviction": "a signal",
}


def check(subject: Subject) -> Iterable[Diagnostic]:
    seen: set[tuple[str, str]] = set()
    for policy in subject.plan.policies.values():
        for constraint in policy.constraints:
            if constraint.span.file not in subject.policy_files or constraint.acts is None:
                continue
            for finding in (*_of_entries(subject, policy.period, constraint), *_of_the_account(subject, constraint)):
                if (constraint.name, finding.message) not in seen:
                    seen.add((constraint.name, finding.message))
                    yield finding


def _of_entries(subject: Subject, period: int, constraint: ConstraintPlan) -> Iterator[Diagnostic]:
    for strategy in subject.plan.strategies:
        if strategy.period != period:
            continue
        for enter in entries_of(strategy):
            for fact in _missing(enter):
                if _never_known(subject, constraint, fact, _LACKS.keys() - set(_missing(enter))):
                    read = _read(subject, constraint, fact)
                    message = f"{read} is never known for `{strategy.name}`: it enters {enter.direction} without {_LACKS[fact]}"
                    labels = (Label(subject.head(enter.span), f"this entry has no {fact.removeprefix('order.')}"),)
                    give = "" if strategy.baskets else f"give the entry {_LACKS[fact]}, or "
                    hint = f"{give}write `{fact} is not set or ...`"
                    yield error(CODE, message, subject.head(constraint.span), hint, labels)


def _missing(enter: EnterPlan) -> Iterator[str]:
    yield from ["order.stop"] if enter.stop is None else []
    yield from ["order.target"] if enter.target is None else []
    yield from ["order.confidence"] if enter.confidence is None else []
    yield from ["order.conviction"] if enter.conviction is None else []


def _of_the_account(subject: Subject, constraint: ConstraintPlan) -> Iterator[Diagnostic]:
    if constraint.acts != "warn" and _never_known(subject, constraint, "since_last_loss"):
        message = f"`{constraint.name}` refuses every order until there was a loss: until then `since_last_loss` is not known"
        hint = "write `since_last_loss is not set or ...`"
        yield error(CODE, message, subject.head(constraint.span), hint)
    if _never_known(subject, constraint, "order.maximum"):
        message = f"`{constraint.name}` refuses orders in instruments that have no largest quantity"
        yield warning(CODE, message, subject.head(constraint.span), "write `order.maximum is not set or ...`")


def _never_known(subject: Subject, constraint: ConstraintPlan, fact: str, present: Collection[str] = ()) -> bool:
    """Whether the constraint has no answer at all where that fact is missing. One that says so by `is set` has one."""
    facts = subject.facts(constraint.node)
    absent = frozenset(id_ for id_, name in facts if name == fact)
    given = frozenset(id_ for id_, name in facts if name in present)
    return bool(absent) and not possible_answers(subject.graph, constraint.node, absent, given)


def _read(subject: Subject, constraint: ConstraintPlan, fact: str) -> str:
    """What the constraint reads that needs the fact, in its own words."""
    graph = subject.graph
    for id_ in graph.reach((constraint.node,)):
        node = graph[id_]
        needs = node.op == "derived" and any(graph[argument].consts[:1] == (fact,) for argument in node.args)
        place = subject.place_in(node, constraint.span) if needs else None
        if place is not None:
            return f"`{subject.words(place)}`"
    return f"`{fact}`"


RULE = Rule(CODE, "nullable-used", "correctness", "graph", Severity.ERROR, check)
