"""Arithmetic looked through: a node as a sum of other nodes, each times a number, and a number.

`magnitude` is how large the numbers are that were added up, which bounds what rounding can have done. A value that comes in
twice is not looked through, since rounding could then be of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tb.analysis.ranges import fixed
from tb.engine.graph import RuleGraph

ARITHMETIC = frozenset({"neg", "add", "sub", "mul", "div"})


@dataclass(frozen=True, slots=True)
class Linear:
    """`weights[node] * node + ... + constant`."""

    weights: dict[int, Fraction]
    constant: Fraction
    magnitude: Fraction

    def scaled(self, by: Fraction) -> Linear:
        weights = {node: weight * by for node, weight in self.weights.items()}
        return Linear(weights, self.constant * by, self.magnitude * abs(by))

    def plus(self, other: Linear) -> Linear | None:
        """None where both contain the same value."""
        if any(node in other.weights for node in self.weights):
            return None
        return Linear({**self.weights, **other.weights}, self.constant + other.constant, self.magnitude + other.magnitude)


def linear(graph: RuleGraph, id_: int, stage: str) -> Linear | None:
    """The node as such a sum; at worst it is itself once. None where a value comes in twice."""
    value = fixed(graph, id_, stage)
    if value is not None:
        return Linear({}, value, abs(value))
    node = graph[id_]
    itself = Linear({id_: Fraction(1)}, Fraction(0), Fraction(0))
    match node.op:
        case "neg":
            inner = linear(graph, node.args[0], node.stage)
            return inner and inner.scaled(Fraction(-1))
        case "add" | "sub":
            left, right = (linear(graph, argument, node.stage) for argument in node.args)
            if left is None or right is None:
                return None
            return left.plus(right if node.op == "add" else right.scaled(Fraction(-1)))
        case "mul":
            for factor, other in (node.args, node.args[::-1]):
                by = fixed(graph, factor, node.stage)
                if by:
                    inner = linear(graph, other, node.stage)
                    return inner and inner.scaled(by)
            return itself
        case "div":
            by = fixed(graph, node.args[1], node.stage)
            inner = linear(graph, node.args[0], node.stage) if by else itself
            return inner and (inner.scaled(1 / by) if by else inner)
        case _:
            return itself
