"""How much of each upper limit the orders of a course use: measured over bound, as `Gate.usage` has it.

Both sides are worked out for all orders at once (`tb.replay.course.amounts`); what is not understood there the gate is asked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.replay.course.amounts import Amounts, signs
from tb.replay.course.digits import nearest_quotient
from tb.replay.course.numbers import Numbers
from tb.replay.course.passage import Passage
from tb.replay.course.reckoning import chosen
from tb.replay.course.terms import Terms
from tb.runtime.session import Session

Floats = NDArray[np.float64]


def uses(passage: Passage, session: Session, terms: Terms) -> dict[str, Floats]:
    """Of each order by limit, NaN where it is not known. `Gate.usage` gives the same."""
    gate, chain = session.gates[terms.strategy.period], passage.chain
    names = gate.generated.measured
    measures = {c.name: c.measure for c in gate.policy.constraints if c.measure is not None and not c.loosened}
    found: dict[str, Floats] = {}
    amounts = Amounts(session.plan.graph, passage, terms, gate.policy.leaves)
    for name in names:
        pair = _pair(session.plan.graph, measures[name], amounts) if name in measures else None
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


def _pair(graph: RuleGraph, measure: int, amounts: Amounts) -> tuple[Numbers, Numbers] | None:
    """What is measured and its bound; None where they are not worked out here, or the use could be a nothing with a sign."""
    node = graph[measure]
    if node.op not in {"le", "lt"}:
        return None
    measured, bound = amounts.of(node.args[0]), amounts.of(node.args[1])
    return (
        None
        if measured is None or bound is None or any((signs(side) < 0).any() for side in (measured, bound))
        else (measured, bound)
    )
