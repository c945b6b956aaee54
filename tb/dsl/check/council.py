"""The council: strategies that vote on each other's proposals, each with a weight.

What it decides becomes a constraint, so that a refusal is explained like any other: the share of the weight that votes for an
order must reach the bound. Orders of strategies outside of the council pass it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tb.core.diagnostics import Label, did_you_mean
from tb.core.encode import plain
from tb.core.units import RATIO, TEXT, TRUTH
from tb.dsl import checked, syntax
from tb.dsl.check.scope import Scope
from tb.dsl.checked_capital import Council, Vote


def council(scope: Scope, nodes: Sequence[syntax.Council], strategies: Sequence[syntax.Strategy]) -> Council | None:
    """The council of a project, None where it has none."""
    if not nodes:
        return None
    node = nodes[0]
    for other in nodes[1:]:
        labels = (Label(node.span, "the first one"),)
        scope.report("TB074", "a project has one council", other.span, "put all votes into one line", labels)
    _votes(scope, node, [strategy.name for strategy in strategies])
    share = node.share.value / 100 if node.share.unit == "%" else node.share.value / 10_000
    if not 0 < share <= 1 or (share == 1 and node.operator == ">"):
        message = (
            f"no vote can be `{node.operator} {node.share.text}`" if share >= 1 else f"`{node.share.text}` asks for no vote"
        )
        scope.report("TB074", message, node.share.span, "write a share of the weight, such as `60%`")
    return Council(tuple(Vote(v.strategy, v.weight.value) for v in node.votes), node.operator == ">", share, node.span)


def _votes(scope: Scope, node: syntax.Council, known: list[str]) -> None:
    for vote in node.votes:
        if known and vote.strategy not in known:
            hint = did_you_mean(vote.strategy, known) or f"name strategies: {', '.join(f'`{k}`' for k in known)}"
            scope.report("TB102", f"there is no strategy `{vote.strategy}`", vote.span, hint)
        if vote.weight.value <= 0:
            scope.report("TB074", f"a vote of weight {vote.weight.text} counts nothing", vote.span, "write a weight above 0")


def constraints(found: Council | None) -> tuple[checked.Constraint, ...]:
    """The constraint that the council is."""
    if found is None:
        return ()
    span = found.span
    votes = checked.FactRef("votes_for", "", RATIO, span)
    bound = checked.Const(found.share, RATIO, f"{plain(found.share * Decimal(100))}%", None, span)
    enough = checked.Comparison("gt" if found.is_strict else "ge", votes, bound, TRUTH, span)
    proposer = checked.FactRef("order.strategy", "", TEXT, span)
    outside = checked.Not(checked.OneOf(proposer, found.members, "the council", TRUTH, span), TRUTH, span)
    condition = checked.Logic("or", (outside, enough), TRUTH, span)
    because = "the council has to approve"
    return (checked.Constraint("council", "require", condition, "reject", None, False, False, because, span),)
