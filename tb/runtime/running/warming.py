"""How much history a plan needs before its first decision."""

from __future__ import annotations

from tb.engine.plan import Plan
from tb.vocabulary.catalogue import FUNCTIONS


def warm_up_of(plan: Plan) -> int:
    """In ms: what the rules look back on, and as much again of what averages without an end still feel."""
    roots = [root for s in plan.strategies for root in (*s.roots, *(r for b in s.baskets for r in b.roots))]
    roots += [leaf for policy in plan.policies.values() for leaf in policy.leaves]
    longest = 0
    for node in map(plan.graph.__getitem__, plan.graph.reach(tuple(roots))):
        bars = node.look_back + 2
        if node.op == "apply":
            unstable = FUNCTIONS[str(node.consts[0])].unstable
            constants = tuple(float(const) for const in node.consts[2:] if const is not None)
            bars += 0 if unstable is None else unstable(constants)
        longest = max(longest, bars * node.period)
    return longest
