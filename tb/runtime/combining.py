"""combine: what becomes of proposals between the strategies that make them and the gate that judges them.

1. Advisors are asked about each, in the order of proposals (`tb.runtime.advice`); a size by conviction follows what they leave.
2. The council votes on those of its members (`tb.runtime.council`).
3. What the strategy's own trades allow is put beside each (`tb.runtime.allocation`).

Nothing here sends, removes or enlarges an order: what is said is put beside the proposal, and the gate refuses or shrinks by
it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from tb.core.settings import Settings
from tb.engine.plan import Plan
from tb.gate.account import Account
from tb.gate.advice import with_conviction
from tb.gate.sizing import size
from tb.runtime.advice import Asking
from tb.runtime.allocation import allot
from tb.runtime.council import ballots, held_by
from tb.runtime.drafts import Draft, Key
from tb.runtime.ports import Adviser, MarketView
from tb.runtime.proposing import in_order


class Combiner:
    """For one plan."""

    def __init__(self, plan: Plan, settings: Settings, view: MarketView, adviser: Adviser | None) -> None:
        self.graph = plan.graph
        self.settings = settings
        self.view = view
        self.asking = Asking(plan.program.capital.advisors, adviser)
        self.capital = plan.program.capital
        self.strategies = {strategy.name: strategy for strategy in plan.strategies}

    def combine(self, drafts: Sequence[Draft], account: Account, leaving: Collection[Key], at: int) -> list[Draft]:
        """The drafts of one instant, in the order of proposals, with what was said of each. `leaving` are positions that an
        order closes already."""
        return in_order(self._allotted(self._voted(self._advised(drafts, account, at), account, leaving), account))

    def _advised(self, drafts: Sequence[Draft], account: Account, at: int) -> list[Draft]:
        if not self.asking.advisors:
            return list(drafts)
        found = []
        for before, after in zip(ordered := in_order(drafts), self.asking.advise(ordered, at), strict=True):
            is_moved = before.proposal.conviction != after.proposal.conviction
            found.append(self._sized(after, account) if is_moved and not after.legs else after)
        return found

    def _sized(self, draft: Draft, account: Account) -> Draft:
        """The same draft with the size that follows from another conviction."""
        enter, proposal = draft.strategy.enters[draft.enter], draft.proposal
        spec, equity = self.settings.instrument(proposal.instrument), account.capital_of(proposal.strategy).equity()
        if enter.by_conviction is None or proposal.price is None or spec is None:
            return draft
        read = partial(self._value, proposal.instrument, draft.row)
        sized = size(
            self.graph, enter, proposal.price, equity, spec, with_conviction(enter, proposal.conviction, read), proposal.rate
        )
        missing = ", ".join(sized.missing) or None
        return replace(draft, proposal=replace(proposal, quantity=sized.quantity, intended=sized.intended, missing=missing))

    def _allotted(self, drafts: list[Draft], account: Account) -> list[Draft]:
        allocation = self.capital.allocation
        if allocation is None:
            return drafts

        def allotted(draft: Draft) -> Draft:
            symbol = draft.proposal.instrument
            values = partial(self._value, symbol, draft.row)
            allotment, likeness = allot(allocation, draft.strategy, symbol, values, account)
            return replace(draft, proposal=replace(draft.proposal, allotment=allotment), likeness=likeness)

        return _each(drafts, allotted)

    def _value(self, symbol: str, row: int, node: int) -> float | None:
        return self.view.value(node, symbol, row)

    def _voted(self, drafts: Sequence[Draft], account: Account, leaving: Collection[Key]) -> list[Draft]:
        council = self.capital.council
        if council is None:
            return list(drafts)
        alone = [leg for draft in drafts for leg in draft.legs or (draft,) if leg.proposal.vetoed_by is None]
        proposed = {(draft.proposal.strategy, draft.proposal.instrument): draft.proposal.sign for draft in alone}
        held = held_by(account, leaving)

        def voted(draft: Draft) -> Draft:
            votes = ballots(council, self.strategies, draft.proposal, proposed, held)
            share = council.share_for(votes) if votes else None
            return replace(draft, proposal=replace(draft.proposal, votes_for=share), votes=votes)

        return _each(drafts, voted)


def _each(drafts: Sequence[Draft], change: Callable[[Draft], Draft]) -> list[Draft]:
    """Legs are changed one by one, and one that is refused refuses all."""
    found = []
    for draft in drafts:
        legs = tuple(change(leg) for leg in draft.legs)
        found.append(replace(legs[0], legs=legs) if legs else change(draft))
    return found
