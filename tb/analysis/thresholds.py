"""Conditions as stretches of one quantity: where two conditions that agree in everything else meet in a single point.

A comparison is brought into the form `quantity <= number`, the quantity being a node or a sum of multiples of nodes, so that
`2 * x > 10` and `x < 5` are seen to be about the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from tb.analysis.clauses import Clause, flat
from tb.analysis.contradiction import COMPARISONS, Contradictions
from tb.analysis.ranges import is_whole

Quantity = tuple[tuple[int, Fraction], ...]  # nodes with their factors, that of the first being 1
Threshold = tuple[Quantity, str, Fraction]
_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}
_OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two conditions meet at `quantity == at`: `both` hold there, or neither does. `clauses` are the two that say so."""

    quantity: Quantity
    at: Fraction
    both: bool
    clauses: tuple[Clause, Clause]
    is_count: bool


def meeting(contradictions: Contradictions, one: int, other: int) -> Meeting | None:
    """Where two conditions leave out or share exactly one point of a quantity, as far as they are conjunctions.

    Whatever else one of them asks has to be asked by the other as well, or to follow from it.
    """
    first, second = (flat(contradictions.graph, condition, True) for condition in (one, other))
    for left, right in ((first, second), (second, first)):
        for upper, lower in product(left, right):
            top, bottom = _threshold(contradictions, upper), _threshold(contradictions, lower)
            if top is None or bottom is None:
                continue
            quantity, high, at = top
            if (quantity, at) != bottom[::2] or (high, bottom[1]) not in {("lt", "gt"), ("le", "ge")}:
                continue
            if _follow(contradictions, left, upper, right) and _follow(contradictions, right, lower, left):
                whole = len(quantity) == 1 and is_whole(contradictions.graph[quantity[0][0]])
                return Meeting(quantity, at, high == "le", (upper, lower), whole)
    return None


def _follow(contradictions: Contradictions, clauses: Sequence[Clause], but: Clause, given: Sequence[Clause]) -> bool:
    """Whether all clauses but one are among those given, or follow from them."""
    others = [clause for clause in clauses if clause != but and clause not in given]
    return all(contradictions.never_together([(id_, not wanted), *given]) for id_, wanted in others)


def _threshold(contradictions: Contradictions, clause: Clause) -> Threshold | None:
    known: dict[Clause, Threshold | None] = contradictions.thresholds
    if clause not in known:
        known[clause] = _brought_into_form(contradictions, clause)
    return known[clause]


def _brought_into_form(contradictions: Contradictions, clause: Clause) -> Threshold | None:
    graph, wanted = contradictions.graph, clause[1]
    node = graph[clause[0]]
    while node.op == "not":
        node, wanted = graph[node.args[0]], not wanted
    op = node.op if wanted else _OPPOSITE.get(node.op, "")
    if node.op not in COMPARISONS or op in {"eq", "ne"} or contradictions.is_choice(node.id):
        return None
    difference = contradictions.difference(node)
    if difference is None or not difference.weights:
        return None
    weights = sorted(difference.weights.items())
    first = weights[0][1]
    quantity = tuple((id_, weight / first) for id_, weight in weights)
    return quantity, op if first > 0 else _MIRRORED[op], -difference.constant / first
