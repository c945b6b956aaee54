"""How much of each upper limit the orders of a course use: measured over bound, as `Gate.usage` has it.

The common limits are read off their formula: the value of the order against a share of equity or an amount. With nothing held,
what an order leads to is its own value. Anything else is asked of the gate.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.replay.course.digits import nearest_quotient
from tb.replay.course.numbers import Numbers
from tb.replay.course.passage import Passage
from tb.replay.course.reckoning import chosen, multiplied, same
from tb.replay.course.terms import Terms
from tb.runtime.session import Session

Floats = NDArray[np.float64]
_VALUES = {"order.notional": 0, "after.gross": 3, "after.exposure": 4}  # how many leaves stand for what is held


def uses(passage: Passage, session: Session, terms: Terms) -> dict[str, Floats]:
    """Of each order by limit, NaN where it is not known. `Gate.usage` gives the same."""
    gate, chain = session.gates[terms.strategy.period], passage.chain
    names = gate.generated.measured
    measures = {c.name: c.measure for c in gate.policy.constraints if c.measure is not None}
    found: dict[str, Floats] = {}
    for name in names:
        pair = _pair(session.plan.graph, measures[name], passage, terms, gate.policy.leaves)
        if pair is None:
            asked = [gate.usage(passage.inputs(k), chain.quantity[k]) for k in range(len(passage))]
            return {one: np.array([used[one] for used in asked], dtype=np.float64) for one in names}
        found[name] = _over(*pair)
    return found


def _over(measured: Numbers, bound: Numbers) -> Floats:
    """The float next to each quotient in decimals."""
    found = np.full(len(measured), np.nan)
    is_some = bound.low != 0 if bound.high is None else (bound.low != 0) | (bound.high != 0)
    which = np.flatnonzero(is_some)
    if len(which):
        found[which] = nearest_quotient(chosen(measured, which), chosen(bound, which))
    return found


def _pair(
    graph: RuleGraph, measure: int, passage: Passage, terms: Terms, leaves: tuple[int, ...]
) -> tuple[Numbers, Numbers] | None:
    node = graph[measure]
    if node.op not in {"le", "lt"}:
        return None
    measured = _value_of(graph, node.args[0], passage, terms, leaves)
    bound = _bound_of(graph, node.args[1], passage)
    return None if measured is None or bound is None else (measured, bound)


def _value_of(graph: RuleGraph, id_: int, passage: Passage, terms: Terms, leaves: tuple[int, ...]) -> Numbers | None:
    node = graph[id_]
    held = _VALUES.get(str(node.consts[0])) if node.op == "derived" else None
    if held is None:
        return None
    still = dict(zip(leaves, passage.still[terms.number], strict=True))
    before: list[Exact] = [still.get(arg) for arg in node.args[:held]]
    is_inside = held < 4 or before.pop(0) == 1
    if not is_inside or any(value != 0 for value in before):
        return None
    return multiplied(passage.chain.quantity, passage.chain.price)


def _bound_of(graph: RuleGraph, id_: int, passage: Passage) -> Numbers | None:
    node = graph[id_]
    if node.op == "const" and isinstance(value := node.consts[0], Decimal):
        return same(value, len(passage))
    if node.op == "fact" and node.consts[0] in {"equity", "cash"}:
        return passage.chain.before
    if node.op == "mul":
        left, right = (_bound_of(graph, arg, passage) for arg in node.args)
        return None if left is None or right is None else multiplied(left, right)
    return None
