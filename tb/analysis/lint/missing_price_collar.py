"""TB305: no hard constraint compares the price of an order with a price of the market."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.core.units import Kind

CODE = "TB305"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    if place is not None and not any(_is_collar(subject, constraint.node) for constraint in subject.hard):
        hint = "add `limit collar  abs(order.price / mid - 1) <= 2%` to the policy"
        yield error(CODE, "no constraint bounds how far the price of an order may be from the market", place, hint)


def _is_collar(subject: Subject, root: int) -> bool:
    """Whether one comparison of a constraint reads both, the order's price as such and not as a part of its value."""
    for id_ in subject.graph.reach((root,)):
        node = subject.graph[id_]
        if node.op in {"lt", "le", "gt", "ge"} and {"order", "market"} <= _prices(subject, id_):
            return True
    return False


def _prices(subject: Subject, id_: int) -> frozenset[str]:
    """Whose prices a comparison reads: `market`, `order`, or both."""
    found, stack, seen = set[str](), [id_], set[int]()
    while stack:
        node = subject.graph[stack.pop()]
        if node.id in seen or node.op == "derived":
            continue
        seen.add(node.id)
        if node.stage == "market" and node.unit.kind is Kind.PRICE:
            found.add("market")
        elif node.op == "fact" and node.consts[0] == "order.price":
            found.add("order")
        else:
            stack += node.args
    return frozenset(found)


RULE = Rule(CODE, "missing-price-collar", "risk", "graph", Severity.ERROR, check, suppressible=False)
