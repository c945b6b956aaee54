"""How much of each upper limit the orders of a course use: measured over bound, as `Gate.usage` has it.

The common limits are read off their formula: the value of the order against a share of equity or an amount. With nothing held,
what an order leads to is its own value. Anything else is asked of the gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact
from tb.replay.course.passage import Passage
from tb.replay.course.terms import Terms
from tb.runtime.session import Session

Each = Sequence[Decimal]
_VALUES = {"order.notional": 0, "after.gross": 3, "after.exposure": 4}  # how many leaves stand for what is held


def uses(passage: Passage, session: Session, terms: Terms) -> list[dict[str, float | None]]:
    """Of each order. `Gate.usage` gives the same."""
    gate, chain = session.gates[terms.strategy.period], passage.chain
    names = gate.generated.measured
    if not names:
        return [{} for _ in range(len(passage))]
    measures = {c.name: c.measure for c in gate.policy.constraints if c.measure is not None}
    pairs = [_pair(session.plan.graph, measures[name], passage, terms, gate.policy.leaves) for name in names]
    if any(pair is None for pair in pairs):
        return [gate.usage(passage.inputs(k), chain.quantity[k]) for k in range(len(passage))]
    columns: list[list[float | None]] = []
    for pair in pairs:
        assert pair is not None
        columns.append([float(measured / bound) if bound else None for measured, bound in zip(*pair, strict=True)])
    return [dict(zip(names, used, strict=True)) for used in zip(*columns, strict=True)]


def _pair(graph: RuleGraph, measure: int, passage: Passage, terms: Terms, leaves: tuple[int, ...]) -> tuple[Each, Each] | None:
    node = graph[measure]
    if node.op not in {"le", "lt"}:
        return None
    measured = _value_of(graph, node.args[0], passage, terms, leaves)
    bound = _bound_of(graph, node.args[1], passage)
    return None if measured is None or bound is None else (measured, bound)


def _value_of(graph: RuleGraph, id_: int, passage: Passage, terms: Terms, leaves: tuple[int, ...]) -> Each | None:
    node = graph[id_]
    held = _VALUES.get(str(node.consts[0])) if node.op == "derived" else None
    if held is None:
        return None
    still = dict(zip(leaves, passage.still[terms.number], strict=True))
    before: list[Exact] = [still.get(arg) for arg in node.args[:held]]
    is_inside = held < 4 or before.pop(0) == 1
    if not is_inside or any(value != 0 for value in before):
        return None
    quantity, price = passage.chain.quantity, passage.chain.price
    return list(map(EXACT.multiply, quantity, price))


def _bound_of(graph: RuleGraph, id_: int, passage: Passage) -> Each | None:
    node = graph[id_]
    if node.op == "const" and isinstance(value := node.consts[0], Decimal):
        return [value] * len(passage)
    if node.op == "fact" and node.consts[0] in {"equity", "cash"}:
        return passage.chain.before
    if node.op == "mul":
        parts = [_bound_of(graph, arg, passage) for arg in node.args]
        left, right = parts
        if left is None or right is None:
            return None
        return list(map(EXACT.multiply, left, right))
    return None
