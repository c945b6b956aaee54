"""What a judged draft is recorded as: the decision, and the order where the gate approved one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tb.core.encode import canonical, digest
from tb.core.records import Decision, Order
from tb.core.settings import is_foreign
from tb.engine.instant import Exact
from tb.engine.plan import Plan
from tb.gate.gate import Judgement
from tb.runtime.drafts import Draft
from tb.runtime.feeds import feeds_read
from tb.runtime.ports import MarketView


def decision_of(
    draft: Draft,
    judgement: Judgement,
    plan: Plan,
    feeds: Mapping[int, Sequence[int]],
    view: MarketView,
    *,
    seq: int,
    at: int,
) -> Decision:
    """The record of a decision, complete enough to be evaluated again from it. `row` is -1 where no bar was looked at.

    `feeds` are those of each period's policy (`tb.runtime.feeds`).
    """
    proposal, symbol, row = draft.proposal, draft.proposal.instrument, draft.row
    looked_at = draft.strategy.looked_at(symbol)
    own = row if looked_at == symbol else view.row(symbol, draft.strategy.period, at)
    origins = [view.origin(leaf, looked_at, row) for leaf in draft.leaves]
    read = feeds[draft.strategy.period]
    decision = Decision(  # in the order of its fields: names would cost more than all the rest
        seq,
        at,
        "enter" if proposal.adds_risk else "exit",
        proposal.strategy,
        draft.enter,
        symbol,
        "buy" if proposal.sign > 0 else "sell",
        view.source_row(looked_at, draft.strategy.period, row) if row >= 0 else row,
        judgement.verdict,
        judgement.deciding,
        proposal.quantity,
        judgement.quantity,
        proposal.price,
        proposal.stop,
        proposal.target,
        proposal.confidence,
        draft.reason,
        judgement.failed,
        judgement.unknown,
        judgement.texts,
        tuple([view.value(leaf, looked_at, row) for leaf in draft.leaves]),
        tuple([age for age, _ in origins]),
        tuple([source for _, source in origins]),
    )
    more = more_of(draft, judgement, plan, feeds_read(read, view, symbol, own) if read else ())
    return msgspec.structs.replace(decision, **more) if more else decision


def more_of(draft: Draft, judgement: Judgement, plan: Plan, feeds: tuple[tuple[int, int | None], ...]) -> dict[str, Any]:
    """What few decisions have, by field."""
    proposal, symbol = draft.proposal, draft.proposal.instrument
    found: dict[str, Any] = {}
    if judgement.shadowed or proposal.takes or feeds:
        found |= {"shadowed": judgement.shadowed, "takes": proposal.takes, "feeds": feeds}
    if draft.advice or draft.votes or draft.likeness:
        found |= {"advice": draft.advice, "votes": draft.votes, "likeness": draft.likeness}
    if proposal.conviction is not None:
        found["conviction"] = proposal.conviction
    if proposal.inventory is not None or proposal.crossing is not None:
        found |= {"inventory": proposal.inventory, "crossing": proposal.crossing}
    if is_foreign(symbol, plan.program.currency):
        found["rate"] = proposal.rate
    return found


def order_of(draft: Draft, judgement: Judgement, *, run: str, policy_hash: str, decision: int, at: int) -> Order:
    """The order of an approved draft; the same circumstances always give the same id."""
    proposal = draft.proposal
    how = proposal.order
    identity = [run, policy_hash, proposal.strategy, proposal.instrument, at, draft.kind]
    return Order(
        id=digest(canonical(identity))[:20],
        decision=decision,
        at=at,
        strategy=proposal.strategy,
        instrument=proposal.instrument,
        side="buy" if proposal.sign > 0 else "sell",
        quantity=judgement.quantity,
        kind="entry" if proposal.adds_risk else "exit",
        stop=proposal.stop,
        target=proposal.target,
        style=how.style,
        price=proposal.asked,
        expires=_expires(draft, at),
        post_only=how.post_only,
        is_quote=how.is_quote,
        takes=proposal.takes,
    )


def _expires(draft: Draft, at: int) -> int | None:
    """When an entry is over: after what it says, or at market after one period of its strategy, when what it was decided on is
    old. An order that closes a position waits as long as it takes; legs and quotes end by rules of their own."""
    proposal = draft.proposal
    if proposal.order.valid is not None:
        return at + proposal.order.valid
    is_entry_at_market = proposal.adds_risk and proposal.legs == 1 and not proposal.order.is_quote
    return at + draft.strategy.period if is_entry_at_market else None


def texts_of(facts: Iterable[Exact]) -> tuple[str | None, ...]:
    """Facts as the record stores them."""
    return tuple([None if value is None else str(value) for value in facts])
