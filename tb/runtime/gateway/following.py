"""What becomes of orders that were sent: by what the venue tells by itself, and by asking it.

1. What it says is taken down where it is news; an older word about the same order is none (`learn`).
2. An order whose fate is not known is looked up by its client id. "No answer" changes nothing. "There is none" counts as
   proof only once the order has had time to arrive, and is said twice; then it never arrived, and what it bound is free
   (`look`).
3. An order that shows up after that is taken back at once; what it filled is booked.

INVARIANT: nothing here sends an order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tb.core.encode import plain
from tb.core.records import Handling
from tb.runtime.gateway.booking import resize, settle
from tb.runtime.gateway.entries import Amending, Said
from tb.runtime.gateway.tracked import NEVER_ARRIVED, ZERO, Tracked
from tb.runtime.ports.exchange import OVER, Event, Lost, NoAnswer, OrderState, Quoted

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway

_PATIENT = 6  # times as long to prove that an order is not there which was
AT_ONCE = 3  # more than these are asked for by one list


def hear(gateway: Gateway, events: Iterable[Event]) -> None:
    """What the venue told by itself, in order."""
    for event in events:
        if not isinstance(event, Lost):  # the adapter says that nothing comes: that is not the venue
            gateway.hear_from_venue()
        match event:
            case OrderState():
                tracked = gateway.orders.all.get(event.client_id)
                if tracked is None:
                    _stranger(gateway, event)
                elif learn(gateway, tracked, event, "event"):
                    settle(gateway, tracked)
            case Quoted(bid=bid, ask=ask) if bid.is_finite() and ask.is_finite():
                gateway.quotes[event.instrument] = event
            case Lost(channel="orders", why=why):
                for tracked in gateway.orders.unsettled.values():
                    tracked.look_at = 0
                words = f"what the venue tells of orders has a gap: {why}"
                gateway.tell(Handling(at=gateway.now(), what="alert", words=words))
                gateway.notice("data", words)  # every order is asked for: nobody has to do anything
            case _:
                pass


def _stranger(gateway: Gateway, state: OrderState) -> None:
    if not state.is_over and state.venue_id not in gateway.strangers:
        gateway.strangers[state.venue_id] = state
        gateway.alert(f"the venue has an order in {state.instrument} that was not sent from here: {state.venue_id}")


def learn(gateway: Gateway, tracked: Tracked, state: OrderState, how: str) -> bool:
    """Takes down what the venue says of an order; False where it is no news."""
    if why := _impossible(tracked, state):
        gateway.trip(why)
        return False
    state = _believed(gateway, state)
    if state.filled < tracked.filled or (tracked.answered and _rank(tracked, state, how) < 0):
        return False
    is_same = (state.status, state.filled, state.fees) == (tracked.status, tracked.filled, tracked.fees)
    if is_same and tracked.answered and (state.average is None or state.average == tracked.average):
        return False
    was_over = tracked.is_over
    gateway.note(Said.of(state, how, gateway.now()))
    _look_later(gateway, tracked)
    gateway.tell_answer(tracked, how)
    if tracked.purpose == "protection" and not was_over and tracked.rest > 0 and tracked.is_over and not tracked.asked:
        words = f"{tracked.status}: {tracked.reason}" if tracked.reason else tracked.status
        gateway.alert(f"the stop or target of {plain(tracked.rest)} {tracked.instrument} was ended at the venue ({words})")
    if was_over and not state.is_over and not tracked.asked:
        gateway.take_back(tracked, "told over already")
    return True


def _impossible(tracked: Tracked, state: OrderState) -> str:
    """What no order of ours can have come to: of such an answer nothing is believed."""
    changing = ZERO if tracked.amending is None else tracked.amending[0]
    most = max(tracked.quantity, tracked.intent.wanted.quantity, changing)
    if state.side != tracked.intent.wanted.side:
        return f"the venue says {state.side} of order {tracked.client}, which is to {tracked.intent.wanted.side}"
    if state.filled > most:
        return f"the venue says that {plain(state.filled)} of order {tracked.client} filled, and it is for {plain(most)}"
    return ""


def _believed(gateway: Gateway, state: OrderState) -> OrderState:
    """A venue says that an order is filled a moment before its sums do: until they agree, or for a while, it works."""
    is_early = gateway.now() - state.at < gateway.terms.prove_after
    return replace(state, status="open") if state.status == "filled" and state.filled < state.quantity and is_early else state


def _rank(tracked: Tracked, state: OrderState, how: str) -> int:
    """Below 0 for a word that is older than what is known: an order that is over does not work again."""
    is_older = how == "event" and state.filled <= tracked.filled
    if tracked.is_over and tracked.reason != NEVER_ARRIVED and not state.is_over and is_older:
        return -1
    return 0


def look(gateway: Gateway, tracked: Tracked) -> bool:
    """Asks the venue about an order; says whether it answered."""
    now, terms = gateway.now(), gateway.terms
    _look_later(gateway, tracked)
    match gateway.exchange.find(tracked.client, tracked.instrument, tracked.at - terms.skew):
        case OrderState() as state:
            gateway.hear_from_venue()
            tracked.misses = 0
            _amended(gateway, tracked, state)
            learn(gateway, tracked, state, "lookup")
            return True
        case NoAnswer(why=why, wait=wait):
            tracked.look_at = max(tracked.look_at, now + (wait or 0))
            if not tracked.misses:
                _tell(gateway, tracked, "no answer", why)
            return False
    gateway.hear_from_venue()
    tracked.missing_since = tracked.missing_since if tracked.misses else gateway.now()
    tracked.misses += 1
    if tracked.is_over:
        return True
    _tell(gateway, tracked, "not there", "the venue has no such order")
    since = tracked.missing_since if tracked.answered else tracked.at  # what the venue had is missed from when it first says so
    if tracked.misses >= 2 and gateway.now() - since >= (_PATIENT if _is_acknowledged(tracked) else 1) * terms.prove_after:
        status = "rejected" if tracked.filled == 0 else "cancelled"
        gateway.note(
            Said(
                client=tracked.client,
                at=gateway.now(),
                status=status,  # type: ignore[arg-type]
                how="proof",
                filled=tracked.filled,
                average=tracked.average,
                fees=tracked.fees,
                reason=NEVER_ARRIVED,
            )
        )
        gateway.tell_answer(tracked, "proof")
    return True


def _is_acknowledged(tracked: Tracked) -> bool:
    """The venue had an order at market, or one that rests, and says now that it has not: that is believed later. Of protection
    it is believed as soon: what is held must not stand without it."""
    return tracked.answered and tracked.purpose != "protection"


def _look_later(gateway: Gateway, tracked: Tracked) -> None:
    """What may cost something is asked for soon; protection that rests and that nobody took back is not."""
    terms = gateway.terms
    rests = tracked.purpose == "protection" and tracked.answered and not tracked.asked and not tracked.is_over
    after = terms.look_unknown if tracked.is_unknown else terms.look_resting if rests else terms.look_after
    tracked.look_at = gateway.now() + after


def _amended(gateway: Gateway, tracked: Tracked, state: OrderState) -> None:
    """What became of a change whose answer was lost."""
    if tracked.amending is not None:
        quantity, price = tracked.amending
        done = (state.quantity, state.price) == (quantity, price)
        if done or state.status in OVER or (state.quantity, state.price) == (tracked.quantity, tracked.price):
            gateway.note(Amending(client=tracked.client, at=gateway.now(), quantity=quantity, price=price, done=done))
            resize(gateway.settling, tracked)


def follow_all(gateway: Gateway) -> None:
    """Asks about everything that is due: first what nobody knows. Many that the venue knows are asked for at once."""
    now = gateway.now()
    due = [one for one in gateway.orders.unsettled.values() if one.is_sent and one.look_at <= now]
    chosen, known = list(due), [one for one in due if one.answered and not one.is_over]
    if len(known) > AT_ONCE:
        if ask_for_working(gateway, known) is None:
            for tracked in known:
                tracked.look_at = now + gateway.terms.look_unknown
        due = [one for one in due if one.look_at <= now]
    for tracked in sorted(due, key=lambda one: (not one.is_unknown, one.at)):
        look(gateway, tracked)
        settle(gateway, tracked)
    for tracked in chosen:
        if tracked.asked and tracked.answered and not tracked.is_over:
            gateway.take_back(tracked, tracked.asked)


def ask_for_working(gateway: Gateway, orders: Iterable[Tracked]) -> tuple[OrderState, ...] | None:
    """The state of orders by the venue's list of what works, and of those that are not in it one by one. Returns the list, None
    where one question was not answered."""
    working = gateway.exchange.open_orders()
    if isinstance(working, NoAnswer):
        return None
    gateway.hear_from_venue()
    listed, unanswered = {state.client_id: state for state in working}, 0
    for tracked in list(orders):
        state = listed.get(tracked.client)
        if state is None:
            unanswered += not look(gateway, tracked)
            if unanswered > AT_ONCE:
                return None
        else:
            tracked.misses = 0
            _look_later(gateway, tracked)
            _amended(gateway, tracked, state)
            learn(gateway, tracked, state, "lookup")
        settle(gateway, tracked)
    return None if unanswered else working


def _tell(gateway: Gateway, tracked: Tracked, status: str, words: str) -> None:
    gateway.tell(
        Handling(
            at=gateway.now(),
            what="lookup",
            instrument=tracked.instrument,
            order=tracked.about,
            client=tracked.client,
            status=status,
            words=words,
        )
    )
