"""TB313: a constraint `on every order` that can deny an order which reduces risk, so that a position might not be closable.

A bound on the rate of orders alone is the one thing that has to judge exits too, and it blocks none for good: it frees itself
as time passes, without any order being let through. Over a long window the wait is long as well, which is worth a warning.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error, warning
from tb.core.time import MINUTE, show_duration
from tb.engine.graph import Node
from tb.engine.plan import ConstraintPlan

CODE = "TB313"
_LONG = 5 * MINUTE
_RATES = ("orders", "messages")  # what is sent; both free themselves as time passes


def check(subject: Subject) -> Iterable[Diagnostic]:
    for constraint in subject.hard:
        if not constraint.every_order:
            continue
        leaves = [node for node in _reached(subject, constraint) if not node.args and node.op != "const"]
        place = subject.head(constraint.span)
        others = [node for node in leaves if not (node.op == "fact" and node.consts[0] in _RATES)]
        if others or not leaves:
            read = f" and reads {_named(subject, constraint, others)}" if others else ""
            message = f"`{constraint.name}` can keep a position open: it judges exits too{read}"
            yield error(CODE, message, place, "drop `on every order`, so that it judges orders that add risk")
            continue
        for window in [window for node in leaves if (window := _long_window(node))]:
            message = f"`{constraint.name}` can hold back an exit for as long as {window}"
            yield warning(CODE, message, place, "count over a short window, as in `orders(10s) <= 20`")


def _reached(subject: Subject, constraint: ConstraintPlan) -> list[Node]:
    return [subject.graph[id_] for id_ in subject.graph.reach((constraint.node,))]


def _named(subject: Subject, constraint: ConstraintPlan, others: list[Node]) -> str:
    """What the constraint reads besides a rate, in its own words."""
    used = _reached(subject, constraint)
    for node in [*(n for n in used if n.op in {"derived", "apply", "depth"}), *others]:
        place = subject.place_in(node, constraint.span)
        if place is not None:
            return f"`{subject.words(place)}`"
    return "more than the rate of orders"


def _long_window(node: Node) -> str | None:
    window = str(node.consts[1])
    if not window.isdigit():
        return "the rest of the day"
    return show_duration(int(window)) if int(window) > _LONG else None


RULE = Rule(CODE, "exit-blocked", "risk", "graph", Severity.ERROR, check)
