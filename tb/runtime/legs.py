"""Legs in a session: judged together, sent together, and never one alone.

1. `judge` puts the legs of an entry before the gate one after the other, each in the light of those before it. One refused leg
   refuses all; where one must shrink, all shrink in proportion and are judged again (`tb.gate.legs`).
2. What is approved goes to the venue as one (`Venue.submit_together`), and fills at one instant or not at all.
3. `exits` closes what is held as a whole: held too long, `exit when`, or because one leg is gone.
4. A group that has left counts as one trade for losses in a row and for cool downs.

INVARIANT: a leg is held only while the others are, or an order that closes it is on its way.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from tb.core.records import Decision, LegOrder, Order, Record, Round, Together
from tb.core.settings import is_foreign
from tb.engine.baskets import LegPlan
from tb.gate.account import ZERO, Working
from tb.gate.activity import SentOrder
from tb.gate.conversion import converted
from tb.gate.gate import Judgement
from tb.gate.legs import Place, is_settled, outcome, round_of, shrunk
from tb.gate.proposal import Proposal
from tb.runtime.drafts import Draft
from tb.runtime.judged import decision_of, order_of, texts_of
from tb.runtime.leg_drafts import drafts_at
from tb.runtime.leg_groups import Group
from tb.runtime.settling import Sent

if TYPE_CHECKING:
    from tb.runtime.session import Session


@dataclass(frozen=True, slots=True)
class _Judged:
    """One round: the legs at its quantities, and what the gate said to each."""

    drafts: tuple[Draft, ...]
    judgements: tuple[Judgement, ...]
    said: Round


class Legs:
    """Legs of one session: before the gate, and when they should end."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.ref(session)  # the session holds these, not they the session: it goes with its last user

    @property
    def session(self) -> Session:
        found = self._session()
        assert found is not None  # nobody else holds these
        return found

    # --- before the gate -------------------------------------------------------------------------------------------

    def judge(self, legs: tuple[Draft, ...], at: int) -> None:
        """One decision about all legs: recorded leg by leg, and sent where every leg was approved."""
        for _ in legs:
            self.session.account.activity.propose(at)
        rounds = [self._round(legs, at)]
        while not is_settled([one.said for one in rounds]):
            smaller = self._smaller(legs, rounds[-1].said)
            rounds.append(self._round(drafts_at(legs, smaller), at))
        said = [one.said for one in rounds]
        verdict, deciding, approved = outcome(said)
        decisions = []
        for place in range(len(legs)):
            alone = self._decision(rounds, place, at)
            note = _together(rounds, place, approved, self.session.settings.account.currency)
            replaced = msgspec.structs.replace(
                alone, verdict=verdict, deciding=deciding, approved=approved[place], together=note
            )
            decisions.append(replaced)
        records: list[Record] = [*decisions, *self._latches(rounds[-1], at)]
        self._count(legs, verdict, is_approved=any(approved))
        gate = self.session.gates[legs[0].strategy.period]
        if not any(approved):
            self.session.recorder.record(records)
            self.session.record_mark(at, gate.account_usage(rounds[-1].judgements[0].inputs))
            if any(judgement.latches for judgement in rounds[-1].judgements):
                self.session.stop_entries(at)
            return
        orders = self._orders(rounds[-1], decisions, at)
        self.session.recorder.record([*records, *orders])
        self._engage(rounds[-1], orders, at)

    def _decision(self, rounds: Sequence[_Judged], place: int, at: int) -> Decision:
        """The record of one leg as the first round left it."""
        self.session.counts["decisions"] += 1
        first = rounds[0]
        seq = self.session.counts["decisions"]
        return decision_of(
            first.drafts[place],
            first.judgements[place],
            self.session.plan,
            self.session.feeds,
            self.session.view,
            seq=seq,
            at=at,
        )

    def _orders(self, last: _Judged, decisions: Sequence[Decision], at: int) -> tuple[Order, ...]:
        session = self.session
        return tuple(
            order_of(draft, judgement, run=session.run, policy_hash=session.policy_hash, decision=decision.seq, at=at)
            for draft, judgement, decision in zip(last.drafts, last.judgements, decisions, strict=True)
        )

    def _round(self, legs: tuple[Draft, ...], at: int) -> _Judged:
        """Every leg judged as if those before it were on their way; nothing of that is left behind."""
        account, judgements, names = self.session.account, [], []
        capital = account.capital_of(legs[0].strategy.name)
        lists: list[list[int] | list[SentOrder]] = [account.activity.messages, account.activity.sent]
        lists += [part.order_times for part in (account, capital)]
        before = [len(one) for one in lists]
        for place, draft in enumerate(legs):
            judgements.append(self._ask(draft, at))
            account.count_order(at, is_entry=False, strategy=draft.strategy.name)
            proposal = draft.proposal
            account.activity.send(_sent(proposal, at))
            if proposal.adds_risk and converted(proposal.price, proposal.rate) is not None:
                name = f"{proposal.group} leg {place}"
                names.append(name)
                account.working[name] = _working(name, proposal, proposal.quantity)
        for name in names:
            del account.working[name]
        for one, count in zip(lists, before, strict=True):
            del one[count:]
        return _Judged(legs, tuple(judgements), round_of([draft.proposal.quantity for draft in legs], judgements))

    def _ask(self, draft: Draft, at: int) -> Judgement:
        session, symbol = self.session, draft.proposal.instrument
        spec, row = session.settings.instrument(symbol), session.view.row(symbol, draft.strategy.period, at)

        def market(node: int) -> float | None:
            return None if row is None else session.view.value(node, symbol, row)

        gate, book = session.gates[draft.strategy.period], session.account.book_of(draft.strategy.name)
        return gate.judge(session.moment(draft.proposal, at, book), market, None if spec is None else spec.lot)

    @staticmethod
    def _plans(legs: Sequence[Draft]) -> tuple[LegPlan, ...]:
        basket = legs[0].strategy.basket(legs[0].proposal.instrument)
        assert basket is not None  # only legs of a basket come here
        if legs[0].proposal.adds_risk:
            return basket.entries[legs[0].enter]
        # what leaves was larger before: each leg keeps its share, whatever entry it came from
        known = {leg.symbol: leg for entry in basket.entries for leg in entry}
        return tuple(replace(known[leg.proposal.instrument], same=None) for leg in legs)

    def _smaller(self, legs: Sequence[Draft], said: Round) -> tuple[Decimal, ...]:
        """The quantities of the next round. Of legs that leave something leaves of each."""
        places = self._places(legs)
        found = shrunk(self._plans(legs), places, said.quantities, said.allowed)
        if legs[0].proposal.adds_risk:
            return found
        lots = [ZERO if place.spec is None else place.spec.lot for place in places]
        return tuple(max(less, min(lot, allowed)) for less, lot, allowed in zip(found, lots, said.allowed, strict=True))

    def _places(self, legs: Sequence[Draft]) -> list[Place]:
        specs = self.session.settings.instrument
        return [Place(leg.proposal.price, specs(leg.proposal.instrument), leg.proposal.rate) for leg in legs]

    def _latches(self, last: _Judged, at: int) -> Iterator[Record]:
        session = self.session
        for draft, judgement in zip(last.drafts, last.judgements, strict=True):
            for constraint in judgement.latches:
                why = f"judging {draft.proposal.strategy} {draft.proposal.instrument}"
                latch = session.set_latch(constraint, at, why, session.account.book_of(draft.strategy.name))
                if latch is not None:
                    yield latch

    def _count(self, legs: Sequence[Draft], verdict: str, *, is_approved: bool) -> None:
        counts = self.session.counts
        if legs[0].proposal.adds_risk:
            counts["proposals"] += len(legs)
            counts["rejected" if not is_approved else "shrunk" if verdict == "shrink" else "approved"] += len(legs)
        elif is_approved:
            counts["exits"] += len(legs)

    # --- on their way ----------------------------------------------------------------------------------------------

    def _engage(self, last: _Judged, orders: tuple[Order, ...], at: int) -> None:
        """Approved legs count at once, as one entry and as many orders as there are, and go to the venue as one."""
        session, first = self.session, last.drafts[0]
        group, is_entry = first.proposal.group, first.proposal.adds_risk
        for place, (draft, order) in enumerate(zip(last.drafts, orders, strict=True)):
            sent = Sent(order, draft.strategy, draft.enter, draft.row)
            session.settling.engage(sent, draft.proposal, draft.position, group=group, counts=place == 0)
        if is_entry:
            symbols = tuple(order.instrument for order in orders)
            session.settling.groups.begin(group, Group(orders[0].decision, first.strategy, symbols))
            usage = session.gates[first.strategy.period].usage(last.judgements[-1].inputs, orders[-1].quantity)
            session.record_mark(at, usage)
        approvals = [judgement.approved for judgement in last.judgements]
        session.venue.submit_together([(a, o) for a, o in zip(approvals, orders, strict=True) if a is not None])

    # --- held ------------------------------------------------------------------------------------------------------

    def exits(self, at: int) -> list[Draft]:
        """What closes the groups that should end now."""
        found = []
        for group in self.session.settling.groups.open.values():
            positions = [p for key in group.members if (p := self.session.positions.get(key)) is not None]
            if not positions or any(position.exiting for position in positions):
                continue
            is_whole = len(positions) == len(group.symbols)
            draft = self.session.proposer.legs.exit(group.strategy, positions, at, is_whole)
            found += [] if draft is None else [draft]
        return found


def _sent(proposal: Proposal, at: int) -> SentOrder:
    return SentOrder(
        at,
        proposal.strategy,
        proposal.instrument,
        proposal.sign,
        proposal.quantity,
        proposal.price,
        proposal.adds_risk,
        proposal.rate,
    )


def _working(name: str, proposal: Proposal, quantity: Decimal) -> Working:
    assert proposal.price is not None  # what has no price or no rate is refused
    place = (proposal.instrument, proposal.sign, quantity, proposal.price, proposal.strategy)
    return Working(name, *place, group=proposal.group, rate=proposal.rate)


def _together(rounds: Sequence[_Judged], place: int, approved: Sequence[Decimal], currency: str) -> Together:
    drafts = rounds[0].drafts
    legs = tuple(
        LegOrder(
            instrument=draft.proposal.instrument,
            side="buy" if draft.proposal.sign > 0 else "sell",
            price=draft.proposal.price,
            approved=quantity,
            rate=draft.proposal.rate if is_foreign(draft.proposal.instrument, currency) else None,
        )
        for draft, quantity in zip(drafts, approved, strict=True)
    )
    later = [msgspec.structs.replace(one.said, facts=texts_of(one.judgements[place].inputs)) for one in rounds[1:]]
    strategy, symbol = drafts[0].strategy, drafts[0].proposal.instrument
    basket = strategy.basket(symbol)
    assert basket is not None  # only legs of a basket come here
    rounds_said = (rounds[0].said, *later)
    return Together(place=place, asset=basket.name, looked_at=basket.looked_at, legs=legs, rounds=rounds_said)
