"""Which conditions are judged together: comparisons and logic that nothing but logic reads are steps of what reads them.

A `Condition` is what remains: its steps (`tb.vocabulary.judging`) give its truth at each bar without a column between them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tb.engine.averages import Related, Relation, related_of
from tb.engine.graph import Node, RuleGraph
from tb.engine.vector import CASES
from tb.vocabulary.judging import FALSE, TRUE, Given, Side, Steps

LOGIC = frozenset({"and", "or", "not"})


Ago = tuple[Relation, int]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """`values` are the nodes whose columns its steps take, `truths` those whose truths in bytes, or relations of averages so
    many bars ago. `is_read` says whether other than logic reads it."""

    steps: Steps
    values: tuple[int, ...]
    truths: tuple[int | Ago, ...]
    is_read: bool


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Of some nodes: the conditions by node, the nodes that are not computed for themselves, and how far back relations are
    looked at, by the comparisons that do."""

    found: Mapping[int, Condition]
    inner: frozenset[int]
    related: Related

    def reads(self, node: Node) -> tuple[int, ...]:
        """The nodes that must be there before one is computed."""
        condition = self.found.get(node.id)
        if condition is None:
            return node.args
        return (*condition.values, *(one if isinstance(one, int) else one[0].of for one in condition.truths))


def conditions_of(graph: RuleGraph, nodes: Sequence[Node], wanted: Collection[int]) -> Conditions:
    """The conditions among nodes in evaluation order, of which some are wanted."""
    readers: dict[int, list[Node]] = {node.id: [] for node in nodes}
    for node in nodes:
        for arg in dict.fromkeys(node.args):
            if arg in readers:
                readers[arg].append(node)
    judged = [node for node in nodes if node.op in CASES or node.op in LOGIC]
    inner = frozenset(node.id for node in judged if node.id not in wanted and _is_inner(node, readers[node.id]))
    related = related_of(graph, [node for node in judged if node.op in CASES], readers, wanted)
    found: dict[int, Condition] = {}
    for node in judged:
        if node.id not in inner:
            drawn = _Drawing(graph, inner, found, related)
            drawn.judge(node)
            is_read = any(reader.op not in LOGIC for reader in readers[node.id])
            found[node.id] = Condition(drawn.steps, tuple(drawn.values), tuple(drawn.truths), is_read)
    return Conditions(found, inner | related.spared, related)


def _is_inner(node: Node, readers: list[Node]) -> bool:
    return len(readers) == 1 and readers[0].op in LOGIC and readers[0].period == node.period


@dataclass(slots=True)
class _Drawing:
    """The steps of one condition."""

    graph: RuleGraph
    inner: frozenset[int]
    conditions: Mapping[int, Condition]
    related: Related
    steps: Steps = field(default_factory=Steps)
    values: dict[int, Given] = field(default_factory=dict)
    truths: dict[int | Ago, Given] = field(default_factory=dict)

    def judge(self, node: Node) -> Side:
        ago = self.related.compared.get(node.id)
        if ago is not None:
            return self.steps.related(CASES[node.op], self._given(ago))
        if node.op in CASES:
            left, right = (self._value(self.graph[arg]) for arg in node.args)
            return self.steps.compare(CASES[node.op], left, right)
        sides = [self._truth(self.graph[arg]) for arg in node.args]
        if node.op == "not":
            return self.steps.turn(sides[0])
        found, *others = sides
        for other in others or sides:
            found = self.steps.join(FALSE if node.op == "and" else TRUE, found, other)
        return found

    def _value(self, node: Node) -> Side:
        if node.op == "const":
            return float(node.consts[0]) if isinstance(node.consts[0], Decimal) else float("nan")
        return self.values.setdefault(node.id, Given(len(self.values), is_truths=False))

    def _truth(self, node: Node) -> Side:
        if node.id in self.inner:
            return self.judge(node)
        if node.id in self.conditions:
            return self._given(node.id)
        return self.steps.read(self._value(node))

    def _given(self, which: int | Ago) -> Given:
        return self.truths.setdefault(which, Given(len(self.truths), is_truths=True))
