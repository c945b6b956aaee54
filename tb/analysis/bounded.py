"""What the constraints of a policy bound from above, told from what they compute and not from their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tb.analysis.subject import Subject
from tb.engine.graph import Node, RuleGraph
from tb.engine.plan import ConstraintPlan

Wanted = Callable[[Node], bool]
_SMALLER = {"lt": (0, 1), "le": (0, 1), "gt": (1, 0), "ge": (1, 0)}  # op -> which argument is the smaller one, where true


def bounding(subject: Subject, wanted: Wanted, *, by_market: bool = True) -> Iterator[ConstraintPlan]:
    """The hard constraints under which a wanted value cannot grow beyond some bound.

    Without `by_market` a bound that the market sets does not count: it is no fixed end.
    """
    for constraint in subject.hard:
        for smaller, larger in upper_bounds(subject.graph, constraint.node):
            over = smaller if _grows(subject.graph, smaller, wanted, 1) else larger
            if over == larger and not _grows(subject.graph, larger, wanted, -1):
                continue
            other = larger if over == smaller else smaller
            if by_market or not any(subject.graph[n].stage == "market" for n in subject.graph.reach((other,))):
                yield constraint
                break


def upper_bounds(graph: RuleGraph, id_: int, wanted: bool = True) -> Iterator[tuple[int, int]]:
    """Pairs of nodes, the first of which is at most the second where the condition has its answer."""
    node = graph[id_]
    if node.op in {"and", "or", "not"}:
        for argument in node.args:
            yield from upper_bounds(graph, argument, wanted != (node.op == "not"))
    elif node.op in _SMALLER:
        small, large = _SMALLER[node.op]
        pair = (node.args[small], node.args[large])
        yield pair if wanted else pair[::-1]
    elif node.op == "eq" and wanted:
        yield node.args[0], node.args[1]
        yield node.args[1], node.args[0]


def _grows(graph: RuleGraph, id_: int, wanted: Wanted, direction: int) -> bool:
    """Whether a node moves in that direction with a wanted value; factors and divisors are taken as positive."""
    node = graph[id_]
    if wanted(node):
        return direction > 0
    match node.op:
        case "add" | "mul" | "min" | "max" | "abs":
            return any(_grows(graph, argument, wanted, direction) for argument in node.args)
        case "sub" | "div":
            return _grows(graph, node.args[0], wanted, direction) or _grows(graph, node.args[1], wanted, -direction)
        case "neg":
            return _grows(graph, node.args[0], wanted, -direction)
        case _:
            return False


def fact(*names: str) -> Wanted:
    """The facts of these names, whatever their argument."""
    return lambda node: node.op in {"fact", "derived"} and str(node.consts[0]) in names


def order_value(node: Node) -> bool:
    """What bounds a single order: its value, its quantity, or what is held of its instrument afterwards."""
    if node.op not in {"fact", "derived"}:
        return False
    name, argument = str(node.consts[0]), str(node.consts[1])
    if name == "after.exposure":
        return "order.instrument" in argument
    return name in {"order.notional", "order.quantity", "order.intended"}


def tiers_bound_positions(subject: Subject) -> bool:
    """Whether every tier in use has an upper weight, which is a hard limit on each position."""
    used = [subject.program.universes[strategy.universe] for strategy in subject.plan.strategies]
    return bool(used) and all(tier.weight_high is not None for universe in used for tier in universe.tiers)
