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


def upper_bounds(graph: RuleGraph, root: int) -> tuple[tuple[int, int], ...]:
    """Pairs of nodes, the first of which is at most the second where the condition is true (in one of its branches)."""
    pairs: dict[tuple[int, int], None] = {}
    stack, seen = [(root, True)], set[tuple[int, bool]]()
    while stack:
        clause = stack.pop()
        node, wanted = graph[clause[0]], clause[1]
        if clause in seen:
            continue
        seen.add(clause)
        if node.op in {"and", "or", "not"}:
            stack += [(argument, wanted != (node.op == "not")) for argument in node.args]
        elif node.op in _SMALLER:
            small, large = _SMALLER[node.op]
            pair = (node.args[small], node.args[large])
            pairs[pair if wanted else pair[::-1]] = None
        elif node.op == "eq" and wanted:
            pairs[node.args[0], node.args[1]] = pairs[node.args[1], node.args[0]] = None
    return tuple(pairs)


def _grows(graph: RuleGraph, id_: int, wanted: Wanted, direction: int) -> bool:
    """Whether a node moves in that direction with a wanted value; factors and divisors are taken as positive."""
    stack, seen = [(id_, direction)], set[tuple[int, int]]()
    while stack:
        move = stack.pop()
        node, way = graph[move[0]], move[1]
        if move in seen:
            continue
        seen.add(move)
        if wanted(node):
            if way > 0:
                return True
            continue
        match node.op:
            case "add" | "mul" | "min" | "max" | "abs":
                stack += [(argument, way) for argument in node.args]
            case "sub" | "div":
                stack += [(node.args[0], way), (node.args[1], -way)]
            case "neg":
                stack.append((node.args[0], -way))
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
