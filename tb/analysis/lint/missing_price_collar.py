"""TB305: no hard constraint keeps the price of an order near a price of the market.

A buy has to be kept from above, a sale from below. A comparison whose direction is not seen counts for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.bounded import upper_bounds
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject, entries_of
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.core.units import Kind
from tb.engine.graph import RuleGraph

CODE = "TB305"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    if place is None:
        return
    hint = "add `limit collar  abs(order.price / mid - 1) <= 2%` to the policy"
    bounded = {side for constraint in subject.hard for side in _sides(subject, constraint.node)}
    if not bounded:
        yield error(CODE, "no constraint bounds how far the price of an order may be from the market", place, hint)
        return
    directions = {enter.direction for strategy in subject.plan.strategies for enter in entries_of(strategy)}
    for direction, side, words in (
        ("long", 1, "above the market an order may buy"),
        ("short", -1, "below it an order may sell"),
    ):
        if direction in directions and side not in bounded:
            yield error(CODE, f"no constraint bounds how far {words}", place, hint)


def _sides(subject: Subject, root: int) -> Iterator[int]:
    """From where a constraint bounds the order's price beside the market's: 1 from above, -1 from below."""
    graph = subject.graph
    for id_ in graph.reach((root,)):
        if graph[id_].op in {"lt", "le", "gt", "ge"} and {"order", "market"} <= _prices(subject, id_):
            found = set[int]()
            for smaller, larger in upper_bounds(graph, root):
                if {smaller, larger} == set(graph[id_].args):
                    found |= {*_ways(graph, smaller, 1), *_ways(graph, larger, -1)}
            yield from found or {1, -1}


def _ways(graph: RuleGraph, id_: int, way: int) -> Iterator[int]:
    """Which way an expression moves with the order's price; both for a size without sign."""
    node = graph[id_]
    match node.op:
        case "fact" if node.consts[0] == "order.price":
            yield way
        case "abs":
            for inner in _ways(graph, node.args[0], way):
                yield from (inner, -inner)
        case "add" | "mul" | "min" | "max":
            yield from (inner for part in node.args for inner in _ways(graph, part, way))
        case "sub" | "div":
            yield from _ways(graph, node.args[0], way)
            yield from _ways(graph, node.args[1], -way)
        case "neg":
            yield from _ways(graph, node.args[0], -way)


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
