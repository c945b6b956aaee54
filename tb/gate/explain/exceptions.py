"""What exceptions did to a limit, in the words of whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping

from tb.dsl.checked import Exemption
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import ConstraintPlan, ExemptionPlan
from tb.gate.explain.model import Excepted


def exceptions(graph: RuleGraph, constraint: ConstraintPlan, leaves: Mapping[int, Exact | float]) -> tuple[Excepted, ...]:
    """Each exception of a constraint, and whether it held for a decision with these leaves."""
    return tuple(
        Excepted(
            name=exemption.said.name,
            words=words_of(exemption.said),
            status=_status(graph, constraint, exemption, leaves),
            place=f"{exemption.said.span.file}:{exemption.said.span.line}",
        )
        for exemption in constraint.exemptions
    )


def words_of(said: Exemption) -> str:
    """`loosens position to 8% of equity until 2026-12-31, owner "risk desk", because "index rebalance"`."""
    until = f" until {said.until}" if said.until else ""
    owner = f', owner "{said.owner}"' if said.owner else ""
    because = f', because "{said.because}"' if said.because else ""
    return f"{'loosens' if said.loosens else 'tightens'} {said.limit} to {said.bound}{until}{owner}{because}"


def _status(graph: RuleGraph, constraint: ConstraintPlan, exemption: ExemptionPlan, leaves: Mapping[int, Exact | float]) -> str:
    roots = [exemption.passes, *([] if exemption.applies is None else [exemption.applies])]
    alone = graph[constraint.node].args[0] if constraint.loosened else None  # the limit before its exceptions
    values = from_leaves(graph, leaves, roots if alone is None else [*roots, alone])
    applies = True if exemption.applies is None else values[exemption.applies]
    if applies is None:
        return "unknown"
    if applies is not True:
        return "not in force"
    is_needed = alone is not None and values[alone] is not True
    return "let it pass" if is_needed and values[exemption.passes] is True else "in force"
