"""Arithmetic looked through: a node as a sum of other nodes, each times a number, and a number.

`magnitude` is how large the numbers are that were added up, which bounds what rounding can have done. A value that comes in
twice is not looked through, since rounding could then be of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tb.analysis.ranges import Ranges
from tb.engine.graph import Node, RuleGraph

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


class Linears:
    """The sums that the nodes of one graph amount to, each worked out once."""

    def __init__(self, graph: RuleGraph, ranges: Ranges) -> None:
        self.graph = graph
        self.ranges = ranges
        self._known: dict[int, Linear | None] = {}

    def of(self, id_: int, stage: str) -> Linear | None:
        """The node as such a sum; at worst it is itself once. None where a value comes in twice."""
        value = self.ranges.fixed(id_, stage)
        if value is not None:
            return Linear({}, value, abs(value))
        if id_ not in self._known:
            self._known[id_] = self._look_through(self.graph[id_])
        return self._known[id_]

    def _look_through(self, node: Node) -> Linear | None:
        itself = Linear({node.id: Fraction(1)}, Fraction(0), Fraction(0))
        match node.op:
            case "neg":
                return self._scaled(node.args[0], Fraction(-1), node.stage)
            case "add" | "sub":
                left, right = (self.of(argument, node.stage) for argument in node.args)
                if left is None or right is None:
                    return None
                return left.plus(right if node.op == "add" else right.scaled(Fraction(-1)))
            case "mul":
                for factor, other in (node.args, node.args[::-1]):
                    by = self.ranges.fixed(factor, node.stage)
                    if by:
                        return self._scaled(other, by, node.stage)
                return itself
            case "div":
                by = self.ranges.fixed(node.args[1], node.stage)
                return self._scaled(node.args[0], 1 / by, node.stage) if by else itself
            case _:
                return itself

    def _scaled(self, id_: int, by: Fraction, stage: str) -> Linear | None:
        inner = self.of(id_, stage)
        return None if inner is None else inner.scaled(by)
