"""combine: what becomes of proposals between the strategies that make them and the gate that judges them.

1. The council votes on those of its members (`tb.runtime.council`).

Nothing here sends, removes or enlarges an order: what is said is put beside the proposal, and the gate refuses or shrinks by
it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from tb.engine.plan import Plan
from tb.gate.account import Account
from tb.runtime.council import ballots, held_by
from tb.runtime.proposing import Draft, Key


class Combiner:
    """For one plan."""

    def __init__(self, plan: Plan) -> None:
        self.capital = plan.program.capital
        self.strategies = {strategy.name: strategy for strategy in plan.strategies}

    def combine(self, drafts: Sequence[Draft], account: Account, leaving: Collection[Key]) -> list[Draft]:
        """The drafts of one instant with what was said of each. `leaving` are positions that an order closes already."""
        return self._voted(drafts, account, leaving)

    def _voted(self, drafts: Sequence[Draft], account: Account, leaving: Collection[Key]) -> list[Draft]:
        council = self.capital.council
        if council is None:
            return list(drafts)
        proposed = {(draft.proposal.strategy, draft.proposal.instrument): draft.proposal.sign for draft in drafts}
        held = held_by(account, leaving)
        found = []
        for draft in drafts:
            votes = ballots(council, self.strategies, draft.proposal, proposed, held)
            share = council.share_for(votes) if votes else None
            found.append(replace(draft, proposal=replace(draft.proposal, votes_for=share), votes=votes))
        return found
