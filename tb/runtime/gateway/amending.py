"""Changes of resting entries, through the gate like the orders themselves.

A change may cost more where its quantity, or the price it may pay, is beyond what was approved; then it needs an approval for
the new quantity, which the gate gives after judging it again. What only becomes smaller or cheaper is let pass while the
breaker is not open. A lost answer leaves the change open: what the venue says of the order next tells which of the two holds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tb.engine.instant import EXACT
from tb.gate.gate import Approved
from tb.runtime.gateway.booking import resize, settle
from tb.runtime.gateway.entries import Amending
from tb.runtime.gateway.following import learn, look
from tb.runtime.gateway.passage import Denied
from tb.runtime.gateway.tracked import ZERO, Tracked
from tb.runtime.ports.exchange import NoAnswer, OrderState, Refusal

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway


def amending(gateway: Gateway, approved: Approved, order: str, quantity: Decimal, price: Decimal) -> Denied | None:
    """Changes an entry to a whole quantity, filled part included, and a price."""
    tracked = gateway.orders.of_session.get(order)
    denied = _denied(gateway, approved, tracked, quantity, price)
    if denied is not None or tracked is None:
        return denied
    before = gateway.reservations.bound().get(tracked.client)
    why = _bind(gateway, tracked, quantity, price)
    if why:
        return Denied("reservation", why)
    amend = Amending(client=tracked.client, at=gateway.now(), quantity=quantity, price=price)
    if not gateway.note(amend, sync=True):
        return Denied("submit", gateway.journal.failed)
    gateway.throttle.count(gateway.now())
    answer = gateway.exchange.amend(tracked.state, quantity, price)
    gateway.tell_about(tracked, "amend", _status(answer), _words(answer), {"quantity": str(quantity), "price": str(price)})
    match answer:
        case OrderState() as state:
            done = (state.quantity, state.price) == (quantity, price)
            gateway.note(Amending(client=tracked.client, at=gateway.now(), quantity=quantity, price=price, done=done))
            learn(gateway, tracked, state, "reply")
            settle(gateway, tracked)
            resize(gateway.settling, tracked)
        case Refusal(words=words):
            gateway.note(Amending(client=tracked.client, at=gateway.now(), quantity=quantity, price=price, done=False))
            if before is not None:
                gateway.reservations.bind(tracked.client, *before, surely=True)
            return Denied("submit", words)
        case NoAnswer():
            look(gateway, tracked)
            settle(gateway, tracked)
    gateway.flush()
    return None


def _denied(gateway: Gateway, approved: Approved, tracked: Tracked | None, quantity: Decimal, price: Decimal) -> Denied | None:
    if tracked is None or tracked.is_over or tracked.purpose != "entry" or not tracked.answered or tracked.is_unknown:
        return Denied("idempotency", "there is no such entry that rests")
    if tracked.asked or tracked.amending is not None:
        return Denied("idempotency", "it is being cancelled or changed already")
    if quantity != approved.quantity:
        return Denied("idempotency", f"{quantity} is not what was approved, {approved.quantity}")
    if quantity <= tracked.filled:
        return Denied("venue rules", f"{tracked.filled} of it has filled already")
    state = gateway.breaker.state
    adds = quantity > tracked.quantity or (tracked.price is not None and tracked.sign * (price - tracked.price) > 0)
    if not gateway.is_recovered or gateway.kill_stands() or state == "open" or (adds and state != "closed"):
        return Denied("breaker", f"the breaker is {state}")
    if adds and (gateway.recorder.waits or gateway.is_silent()):
        return Denied("breaker", "records wait to be written" if gateway.recorder.waits else "the venue is silent")
    if adds and not gateway.throttle.has_room(gateway.now()):
        return Denied("venue rules", "too many messages to the venue")
    rules = gateway.demands.of(tracked.instrument)
    if rules is None or EXACT.remainder(quantity, rules.lot) or price <= ZERO or EXACT.remainder(price, rules.tick):
        return Denied("venue rules", "quantity or price is not on the venue's grid")
    return None


def _bind(gateway: Gateway, tracked: Tracked, quantity: Decimal, price: Decimal) -> str:
    """Binds what the changed order may cost, or what it may have cost before where that is more."""
    bound = gateway.reservations.bound().get(tracked.client)
    if bound is None:
        return ""
    asset, before = bound
    rest = EXACT.subtract(quantity, tracked.filled)
    request = tracked.request
    after = rest
    if tracked.sign > 0:
        after = EXACT.multiply(EXACT.multiply(rest, price), 1 + gateway.terms.fee)
        after = after if request.form == "limit" else EXACT.multiply(after, 1 + gateway.terms.buffer)
    gateway.reservations.release(tracked.client)
    why = gateway.reservations.bind(tracked.client, asset, max(before, after))
    if why:
        gateway.reservations.bind(tracked.client, asset, before, surely=True)
    return why


def _status(answer: OrderState | Refusal | NoAnswer) -> str:
    return "no answer" if isinstance(answer, NoAnswer) else "refused" if isinstance(answer, Refusal) else answer.status


def _words(answer: OrderState | Refusal | NoAnswer) -> str:
    return answer.why if isinstance(answer, NoAnswer) else answer.words if isinstance(answer, Refusal) else ""
