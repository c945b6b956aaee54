"""The council's vote on a proposal: who of its members is for the order, who is against it, who says nothing.

A member is for an order where it proposes that direction in the instrument at this instant, or holds it or waits to;
it is against where it does so in the other direction. All members whose universe has the instrument count, whether they say
anything or not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from tb.core.records import Ballot
from tb.dsl.checked_capital import Council
from tb.engine.plan import StrategyPlan
from tb.gate.account import Account
from tb.gate.proposal import Proposal

Key = tuple[str, str]  # a strategy and an instrument


def ballots(
    council: Council,
    strategies: Mapping[str, StrategyPlan],
    proposal: Proposal,
    proposed: Mapping[Key, int],
    held: Mapping[Key, int],
) -> tuple[Ballot, ...]:
    """What each member says to a proposal, in the order of the council; none where its strategy is not in the council.

    `proposed` and `held` give directions (1 long, -1 short) by strategy and instrument.
    """
    if proposal.strategy not in council.members:
        return ()
    found = []
    for vote in council.votes:
        key = (vote.strategy, proposal.instrument)
        if not strategies[vote.strategy].covers(proposal.instrument):
            continue
        if vote.strategy == proposal.strategy:  # whatever it holds: a quote stands on both sides
            sign, how = proposal.sign, "proposes"
        else:
            sign, how = (held[key], "holds") if key in held else (proposed.get(key, 0), "proposes")
        says: Literal["for", "against", "nothing"] = "nothing"
        if sign:
            says = "for" if sign == proposal.sign else "against"
        found.append(Ballot(strategy=vote.strategy, says=says, how=how if sign else ""))
    return tuple(found)


def held_by(account: Account, leaving: Collection[Key]) -> dict[Key, int]:
    """The direction that each strategy holds or buys in an instrument; positions on their way out are not held."""
    held: dict[Key, int] = {}
    for key, holding in account.holdings.items():
        if key not in leaving:
            held[key] = 1 if holding.quantity > 0 else -1
    for order in account.underway():
        held[order.strategy, order.instrument] = order.sign
    return held
