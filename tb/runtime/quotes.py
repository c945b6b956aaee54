"""Quotes in a session: at each instant the two sides are worked out anew, judged, and replace what rests.

1. Exits and pauses come first; a strategy that closes its position, cools down, or may not quote now has no orders resting.
2. Each side is judged like any order, as if everything on its side filled; the old order of that side is taken out before.
3. A side whose price and size have not changed, and that the gate would let pass again, rests on: nothing is sent.
4. A side that changed is cancelled and sent anew, post only.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tb.core.records import Order
from tb.engine.plan import StrategyPlan
from tb.gate.activity import SentOrder
from tb.runtime.drafts import Draft, Ready

if TYPE_CHECKING:
    from tb.runtime.session import Session

SIDES = ("buy", "sell")  # in the order of a strategy's entries


class Quotes:
    """The quotes of one session."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)  # the session holds these, not they the session: it goes with its last user
        self.strategies = [(at, strategy) for at, strategy in enumerate(session.plan.strategies) if strategy.quotes]

    @property
    def session(self) -> Session:
        found = self._session()
        assert found is not None  # nobody else holds these
        return found

    def step(self, at: int, ready: Sequence[Ready]) -> None:
        """Everything that quotes do at an instant. `ready` are the entries whose condition holds."""
        for number, strategy in self.strategies:
            holds = {(entry.symbol, entry.enter): entry for entry in ready if entry.strategy == number}
            for symbol in strategy.members:
                for which in range(len(SIDES)):
                    self._side(strategy, symbol, which, holds.get((symbol, which)), at)

    def _side(self, strategy: StrategyPlan, symbol: str, which: int, ready: Ready | None, at: int) -> None:
        session = self.session
        standing = session.settling.quote_of(strategy.name, symbol, SIDES[which])
        position = session.positions.get((strategy.name, symbol))
        is_leaving = position is not None and position.exiting
        is_cooling = session.cooling.get((strategy.name, symbol), 0) > at
        if ready is None or is_leaving or is_cooling:
            if standing is not None and not self._is_between(strategy, symbol, standing, at):
                session.settling.take_back(standing, at, "not quoted")
            return
        alone = session.proposer.quote(strategy, ready, position, session.account.capital_of(strategy.name).equity(), at)
        leaving = {key for key, held in session.positions.items() if held.exiting}
        (draft,) = session.combiner.combine([alone], session.account, leaving, at)
        if standing is not None:
            if self._rests_on(draft, standing, at):
                return
            if not session.settling.take_back(standing, at, "replaced"):
                return  # both sides of a change may not count at once: the new one comes when the old one is gone
        session.judge(draft, at)

    def _is_between(self, strategy: StrategyPlan, symbol: str, standing: Order, at: int) -> bool:
        """Whether this instant lies between two looks of the strategy, the last of which is not over."""
        row = self.session.view.row(symbol, strategy.period, at)
        looked = self.session.settling.looked_at.get(standing.id, standing.at)
        position = self.session.positions.get((strategy.name, symbol))
        is_leaving = position is not None and position.exiting
        return row is None and not is_leaving and at < looked + strategy.period

    def _rests_on(self, draft: Draft, standing: Order, at: int) -> bool:
        """Whether the order that stands is the one that would be sent, and would be let pass again."""
        if (draft.proposal.asked, draft.proposal.quantity) != (standing.price, standing.quantity):
            return False
        settling = self.session.settling
        working = settling.account.working.pop(standing.id)
        sent = SentOrder(
            standing.at, standing.strategy, standing.instrument, working.sign, working.quantity, working.price, True
        )
        with settling.account.without(sent):
            judgement = self.session.ask(draft, at)
        settling.account.working[standing.id] = working
        if judgement.approved is None or judgement.quantity != standing.quantity:
            return False
        settling.looked_at[standing.id] = at
        return True
