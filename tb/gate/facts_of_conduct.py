"""Leaf facts about conduct: what was sent and proposed lately, what the order's grid, fee and margin are, and how things stand
with the venue. Read from `Activity`, settings and `Standing`; None is unknown, and unknown denies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.settings import InstrumentSpec
from tb.engine.instant import EXACT, Exact
from tb.gate.activity import ZERO, SentOrder

if TYPE_CHECKING:
    from tb.gate.facts import Moment


def _spec(moment: Moment) -> InstrumentSpec | None:
    return None if moment.settings is None else moment.settings.instrument(moment.proposal.instrument)


def _tick(moment: Moment, _: str) -> Exact:
    spec = _spec(moment)
    return None if spec is None else spec.tick


def _lot(moment: Moment, _: str) -> Exact:
    spec = _spec(moment)
    return None if spec is None else spec.lot


def _margin_rate(moment: Moment, _: str) -> Exact:
    spec = _spec(moment)
    return None if spec is None else spec.margin


def _fee_rate(moment: Moment, _: str) -> Exact:
    return None if moment.settings is None else moment.settings.venue_for(moment.proposal.instrument).fee


def _margin_free(moment: Moment, _: str) -> Exact:
    """Equity less the margin that everything held and on its way binds, in the worst case."""
    free = moment.account.equity()
    for instrument in moment.account.engaged():
        spec = None if moment.settings is None else moment.settings.instrument(instrument)
        worst = moment.account.worst((instrument,))
        if free is None or spec is None or spec.margin is None or worst is None:
            return None
        free = EXACT.subtract(free, EXACT.multiply(worst, spec.margin))
    return free


def _reserved(moment: Moment, _: str) -> Exact:
    """What entries on their way will cost, with their fees. It is kept until they have filled or are known to be over."""
    total = ZERO
    for order in moment.account.working.values():
        if moment.settings is None:
            return None
        total = EXACT.add(total, EXACT.multiply(order.value, 1 + moment.settings.venue_for(order.instrument).fee))
    return total


def _is_twin(order: SentOrder, moment: Moment) -> bool:
    proposal = moment.proposal
    return (order.instrument, order.sign, order.price) == (proposal.instrument, proposal.sign, proposal.price)


def _twins(moment: Moment, window: str) -> Exact:
    """The quantities sent within the window with this order's instrument, side and price, as text."""
    orders = moment.account.activity.within(moment.account.since(window, moment.at))
    return ",".join(str(order.quantity) for order in orders if _is_twin(order, moment))


def _self_match(moment: Moment, _: str) -> Exact:
    """Own orders on their way on the other side that this one would meet at its price."""
    order = moment.proposal
    if order.price is None:
        return None
    others = [o for o in moment.account.working.values() if o.instrument == order.instrument and o.sign != order.sign]
    return Decimal(sum(order.sign * (order.price - other.price) >= 0 for other in others))


def _committed(moment: Moment, window: str) -> Exact:
    return moment.account.activity.committed(moment.account.since(window, moment.at))


def _committed_by_strategy(moment: Moment, window: str) -> Exact:
    first = moment.account.since(window, moment.at)
    return moment.account.activity.committed(first, moment.proposal.strategy)


def _strategy_positions(moment: Moment, _: str) -> Exact:
    own = moment.proposal.strategy
    held = {holding.instrument for holding in moment.account.holdings.values() if holding.strategy == own}
    return Decimal(len(held | {order.instrument for order in moment.account.working.values() if order.strategy == own}))


def _strategy_working(moment: Moment, _: str) -> Exact:
    return Decimal(sum(order.strategy == moment.proposal.strategy for order in moment.account.working.values()))


def _unattended(moment: Moment, argument: str) -> Exact:
    """Entries filled since a person looked, and those on their way, which may fill."""
    filled, working = moment.account.activity.unattended.get(moment.proposal.strategy, 0), _strategy_working(moment, argument)
    return EXACT.add(Decimal(filled), working) if isinstance(working, Decimal) else None


def _parent_quantity(moment: Moment, _: str) -> Exact:
    """An order that is part of none is its own parent."""
    proposal = moment.proposal
    return proposal.quantity if proposal.parent is None else proposal.parent_quantity


def _parent_sent(moment: Moment, _: str) -> Exact:
    parent = moment.proposal.parent
    return ZERO if parent is None else moment.account.activity.parents.get(parent, ZERO)


def _since(moment: Moment, last: int | None) -> Exact:
    return None if last is None else Decimal(moment.at - last)


def _whole(value: int | None) -> Exact:
    return None if value is None else Decimal(value)


READERS_OF_CONDUCT: Mapping[str, Callable[[Moment, str], Exact]] = {
    "order.tick": _tick,
    "order.lot": _lot,
    "order.fee_rate": _fee_rate,
    "order.margin_rate": _margin_rate,
    "margin_free": _margin_free,
    "reserved": _reserved,
    "order.twins": _twins,
    "self_match": _self_match,
    "committed": _committed,
    "strategy.committed": _committed_by_strategy,
    "strategy.open_positions": _strategy_positions,
    "strategy.working_orders": _strategy_working,
    "strategy.unattended": _unattended,
    "working_orders": lambda m, _: Decimal(len(m.account.working)),
    "messages": lambda m, window: m.account.count(m.account.activity.messages, window, m.at),
    "proposals": lambda m, window: m.account.count(m.account.activity.proposed, window, m.at),
    "stops_in_a_row": lambda m, _: Decimal(m.account.activity.stops_in_a_row),
    "since_last_stop": lambda m, _: _since(m, m.account.activity.last_stop),
    "rejects_in_a_row": lambda m, _: Decimal(m.account.activity.rejects_in_a_row),
    "since_last_reject": lambda m, _: _since(m, m.account.activity.last_reject),
    "parent.quantity": _parent_quantity,
    "parent.sent": _parent_sent,
    "venue.status": lambda m, _: m.standing.status,
    "breaker": lambda m, _: m.standing.breaker,
    "venue.heartbeat_age": lambda m, _: _whole(m.standing.heartbeat_age),
    "venue.reconciled_age": lambda m, _: _whole(m.standing.reconciled_age),
    "venue.unknown_orders": lambda m, _: _whole(m.standing.unknown_orders),
    "venue.clock_skew": lambda m, _: _whole(m.standing.clock_skew),
}
