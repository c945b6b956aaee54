"""The facts of an account's past that a course keeps."""

from __future__ import annotations

from tb.engine.graph import RuleGraph
from tb.engine.plan import Plan

Fact = tuple[str, str]  # its name and window
TODAY = "today"
COUNTED = frozenset(("entries", "orders", "messages", "proposals"))
IN_A_ROW = frozenset(("losses_in_a_row", "since_last_loss", "stops_in_a_row", "since_last_stop"))
OF_EQUITY = frozenset(("equity at day_start", "loss", "drawdown"))
# what constraints may read that are judged at every step, without an order
WATCHED = COUNTED | IN_A_ROW | OF_EQUITY | {"equity", "cash", "gross", "open_positions"}


def is_past(fact: Fact) -> bool:
    """Whether it is one of them."""
    name, window = fact
    return name in COUNTED | IN_A_ROW or (name in OF_EQUITY and window in {"", TODAY})


def fact_of(graph: RuleGraph, leaf: int) -> Fact | None:
    """The fact that a node is, with its argument; None where it is none."""
    node = graph[leaf]
    return (str(node.consts[0]), str(node.consts[1])) if node.op == "fact" else None


def past_of(plan: Plan) -> frozenset[Fact]:
    """Those that any policy of a plan reads."""
    found = {fact_of(plan.graph, leaf) for policy in plan.policies.values() for leaf in policy.leaves}
    return frozenset(fact for fact in found if fact is not None and is_past(fact))
