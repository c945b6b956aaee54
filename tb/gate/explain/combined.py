"""What the council said of a proposal: in words, and whether it follows from what was recorded."""

from __future__ import annotations

from decimal import Decimal

from tb.core.encode import plain
from tb.core.records import Decision
from tb.core.units import RATIO
from tb.dsl.checked_capital import Council
from tb.engine.explain.words import show_value
from tb.engine.instant import Exact
from tb.engine.plan import Plan
from tb.gate.gate import Gate


def combined(plan: Plan, decision: Decision) -> tuple[str, ...]:
    """A line for each who had a say, in their order."""
    council = plan.program.capital.council
    return (_council(council, decision),) if council is not None and decision.votes else ()


def _council(council: Council, decision: Decision) -> str:
    share = council.share_for(decision.votes)
    needed = f"{'more than ' if council.is_strict else ''}{show_value(council.share, RATIO)} needed"
    said = []
    for vote in decision.votes:
        how = f" ({vote.how})" if vote.how else ""
        said.append(f"{vote.strategy} {plain(council.weight(vote.strategy))} {vote.says}{how}")
    return f"council    {show_value(share, RATIO)} for it, {needed}: {', '.join(said)}"


def compare(plan: Plan, gate: Gate, decision: Decision, inputs: tuple[Exact, ...], differences: list[str]) -> None:
    """Names what does not follow: votes of others than those asked, a share that the votes do not give."""
    council = plan.program.capital.council
    asked: tuple[str, ...] = ()
    if council is not None and decision.kind == "enter" and decision.strategy in council.members:
        known = {strategy.name: strategy for strategy in plan.strategies}
        asked = tuple(m for m in council.members if m in known and decision.instrument in known[m].tiers)
    if tuple(vote.strategy for vote in decision.votes) != asked:
        differences.append(f"votes of {', '.join(v.strategy for v in decision.votes) or 'nobody'}, asked {', '.join(asked)}")
    if any(vote.strategy == decision.strategy and vote.says != "for" for vote in decision.votes):
        differences.append(f"`{decision.strategy}` is not for its own proposal")
    share: Decimal | None = council.share_for(decision.votes) if council is not None and asked else None
    if gate.reads("votes_for") and share != inputs[gate.leaf("votes_for")]:
        differences.append(f"weight for the order: {share} by the votes, {inputs[gate.leaf('votes_for')]} among its facts")
