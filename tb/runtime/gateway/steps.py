"""The nine steps of an order on its way to the venue, in their order. Each lets it pass or says why not.

1. breaker: its state, the kill file, recovery, room in the journal, an open connection (`check_breaker`).
2. symbol lock: one order of an instrument at a time; none that adds risk while the fate of another is unknown (`lock_symbol`).
3. reservation: cash or asset are bound at once, and stay bound until the order is known to be over (`reserve`).
4. venue rules: status, tick, lot, smallest and largest order, rate of messages, no trade with oneself (`check_rules`).
5. idempotency: no id twice, no circumstances twice, never more in all than was approved (`check_idempotency`).
6. submit: the intent is on disk, then the order on the wire, once (`submit`).
7. follow: what the venue answered; no answer is no answer (`follow`).
8. position: settling is told what filled, and what is held gets its protection (`update_position`).
9. audit: the record of it (`audit`).

INVARIANT: `Exchange.place` is called in this module alone, by `send`, for an order whose intent is on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.encode import plain
from tb.core.records import Handling
from tb.core.settings import quote_currency
from tb.engine.instant import EXACT
from tb.runtime.gateway.booking import settle
from tb.runtime.gateway.crossing import crossing
from tb.runtime.gateway.entries import Intent, Said, Wanted
from tb.runtime.gateway.following import learn, look
from tb.runtime.gateway.passage import Denied, Passage
from tb.runtime.gateway.protecting import protect, room, withdraw
from tb.runtime.gateway.tracked import NEVER_ARRIVED, ZERO, Tracked, circumstances
from tb.runtime.ports.exchange import NoAnswer, OrderState, Refusal, Rules

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway

Step = Callable[["Gateway", Passage], Denied | None]


def check_breaker(gateway: Gateway, passage: Passage) -> Denied | None:
    """Protection always passes: without it more is at risk."""
    if not gateway.journal.has_room(reducing=not passage.adds_risk):
        return Denied("breaker", gateway.journal.failed or "the disk has no room for what must be written first")
    if passage.purpose in ("protection", "closing"):
        return None
    if not gateway.is_recovered:
        return Denied("breaker", "recovery has not finished")
    change = gateway.breaker.now()
    if gateway.kill_stands():
        return Denied("breaker", "the kill file stands")
    if change.state == "open" or (change.state == "draining" and passage.adds_risk):
        return Denied("breaker", f"the breaker is {change.state}: {change.reason}")
    if not passage.adds_risk:
        return None
    if change.state == "half open" and any(one.purpose == "entry" for one in gateway.orders.working()):
        return Denied("breaker", "the breaker is half open: one order at a time")
    if gateway.recorder.waits:
        return Denied("breaker", "records wait to be written")
    why = "the venue is silent" if gateway.is_silent() else gateway.uncompared()
    return Denied("breaker", why) if why else None


def lock_symbol(gateway: Gateway, passage: Passage) -> Denied | None:
    instrument = passage.request.instrument
    if not gateway.locks.take(instrument):
        return Denied("symbol lock", "another order of the instrument is on its way")
    passage.undo.append(lambda: gateway.locks.free(instrument))
    if passage.adds_risk and any(one.is_unknown for one in gateway.orders.working(instrument)):
        return Denied("symbol lock", "the fate of another order of the instrument is not known")
    return _closed_already(gateway, passage)


def _closed_already(gateway: Gateway, passage: Passage) -> Denied | None:
    """INVARIANT: orders that close a position are never for more than is held, also where the fate of one is not known."""
    if passage.purpose not in ("exit", "closing"):
        return None
    key = (passage.strategy, passage.request.instrument)
    leaving, position = gateway.orders.leaving(key), gateway.settling.positions.get(key)
    if gateway.orders.unbooked(key):
        return Denied("symbol lock", "at what price an order that closes the position filled is not known yet")
    if not leaving or (position is not None and room(position, leaving) >= passage.request.quantity):
        return None
    return Denied("symbol lock", "another order that closes the position is on its way")


def reserve(gateway: Gateway, passage: Passage) -> Denied | None:
    rules, request = gateway.demands.of(request_of := passage.request.instrument), passage.request
    passage.rules = rules
    if rules is None:
        return Denied("reservation", f"the venue's rules for {request_of} are not known") if passage.adds_risk else None
    if request.side == "sell":
        passage.asset, passage.held = rules.asset, request.quantity
    elif passage.price is not None:
        passage.asset, passage.held = rules.currency, gateway.cost_of(request, passage.price)
    elif passage.adds_risk:
        return Denied("reservation", "what the order will pay is not known")
    if not passage.asset:
        return None
    why = gateway.reservations.bind(request.client_id, passage.asset, passage.held, surely=not passage.adds_risk)
    if why:
        return Denied("reservation", why)
    passage.undo.append(lambda: gateway.reservations.release(request.client_id))
    return None


def check_rules(gateway: Gateway, passage: Passage) -> Denied | None:
    """Only what adds risk is denied here: of the rest the venue judges itself."""
    if not passage.adds_risk:
        for one in crossing(gateway, passage):
            gateway.take_back(one, "own order in the way")
        return None
    why = _broken_rule(passage, passage.rules) if passage.rules is not None else "the venue's rules are not known"
    if not why and passage.rules is not None:
        why = _other_currency(gateway, passage.rules)
    if not why and not gateway.throttle.has_room(gateway.now()):
        why = "too many messages to the venue"
    if not why and any(True for _ in crossing(gateway, passage)):
        why = "it would trade with an own order that rests"
    return Denied("venue rules", why) if why else None


def _broken_rule(passage: Passage, rules: Rules) -> str:
    request = passage.request
    allowed = {"open": True, "limit only": request.form == "limit", "post only": request.post_only}
    if not allowed.get(rules.status, False):
        return f"{rules.instrument} is {rules.status} at the venue"
    if request.quantity <= ZERO or EXACT.remainder(request.quantity, rules.lot):
        return f"{plain(request.quantity)} is no multiple of the lot {rules.lot}"
    if request.price is not None and (request.price <= ZERO or EXACT.remainder(request.price, rules.tick)):
        return f"{plain(request.price)} is no multiple of the tick {rules.tick}"
    if request.price is None and request.form != "market":
        return f"a {request.form} order needs a price"
    if rules.min_quantity is not None and request.quantity < rules.min_quantity:
        return f"{plain(request.quantity)} is less than the venue takes, {plain(rules.min_quantity)}"
    if rules.max_quantity is not None and request.quantity > rules.max_quantity:
        return f"{plain(request.quantity)} is more than the venue takes, {plain(rules.max_quantity)}"
    return _broken_value(request.quantity, request.price or passage.price, rules)


def _other_currency(gateway: Gateway, rules: Rules) -> str:
    """What was judged in one currency is not sent in another."""
    settings = gateway.settling.settings
    here = quote_currency(rules.instrument) or settings.account.currency
    return (
        ""
        if here == rules.currency
        else f"{rules.instrument} is priced in {rules.currency} at the venue, and was judged in {here}"
    )


def _broken_value(quantity: Decimal, price: Decimal | None, rules: Rules) -> str:
    if rules.min_notional is None and rules.max_notional is None:
        return ""
    if price is None:
        return "what the order is worth is not known"
    worth = EXACT.multiply(quantity, price)
    if rules.min_notional is not None and worth < rules.min_notional:
        return f"{plain(worth)} {rules.currency} is less than the venue takes, {plain(rules.min_notional)}"
    if rules.max_notional is not None and worth > rules.max_notional:
        return f"{plain(worth)} {rules.currency} is more than the venue takes, {plain(rules.max_notional)}"
    return ""


def check_idempotency(gateway: Gateway, passage: Passage) -> Denied | None:
    orders, request = gateway.orders, passage.request
    if request.client_id in orders.all:
        return Denied("idempotency", "it was sent already", "sent already")
    order = passage.order
    if order is not None and circumstances(order) in orders.circumstances:
        return Denied("idempotency", "an order of the same strategy, instrument and instant was sent already", "sent already")
    if request.quantity != passage.approved.quantity:
        return Denied("idempotency", f"{plain(request.quantity)} is not what was approved, {passage.approved.quantity}")
    if order is None:
        return None
    sent = EXACT.add(orders.sent_for.get(order.id, ZERO), request.quantity)
    if sent > passage.approved.quantity:
        return Denied("idempotency", f"with it {sent} would be sent of {passage.approved.quantity} approved")
    return None


def submit(gateway: Gateway, passage: Passage) -> Denied | None:
    """What closes a position waits for its protection to be taken back: a venue holds the same quantity for both."""
    key = (passage.strategy, passage.request.instrument)
    passage.waits = passage.purpose in ("exit", "closing") and bool(gateway.orders.guards(key))
    intent = Intent(
        at=gateway.now(),
        purpose=passage.purpose,
        wanted=Wanted.of(passage.request),
        strategy=passage.strategy,
        order=passage.order,
        decided=passage.decided,
        parent=passage.parent,
        take=passage.take,
        asset=passage.asset,
        held=passage.held,
        waits=passage.waits,
        cause=passage.cause,
    )
    tracked = gateway.intend(intent)
    if tracked is None:
        return Denied("submit", gateway.journal.failed or "the disk has no room for what must be written first")
    passage.tracked = tracked
    passage.undo = passage.undo[:1]  # from here on only what the venue says gives back what is bound
    if passage.waits:
        gateway.tell_sent(tracked, "waits")
        tracked.look_at = gateway.now() + gateway.terms.look_unknown
        if withdraw(gateway, key):
            gateway.go(tracked)
    else:
        send(gateway, tracked)
    return None


def send(gateway: Gateway, tracked: Tracked) -> None:
    """Puts an order on the wire, once, and takes the answer down."""
    now = gateway.now()
    gateway.throttle.count(now)
    gateway.tell_sent(tracked)
    tracked.look_at = now + gateway.terms.look_unknown
    match gateway.exchange.place(tracked.request):
        case OrderState() as state:
            gateway.hear_from_venue()
            learn(gateway, tracked, state, "reply")
        case Refusal(code=code, words=words):
            gateway.hear_from_venue()
            reason = f"{words} ({code})" if code else words
            gateway.note(Said(client=tracked.client, at=gateway.now(), status="rejected", how="reply", reason=reason))
            gateway.tell_answer(tracked)
        case NoAnswer(why=why, wait=wait, undone=True):
            gateway.note(Said(client=tracked.client, at=gateway.now(), status="rejected", how="proof", reason=NEVER_ARRIVED))
            gateway.tell_about(tracked, "answer", "rejected", why)
            what = "placing" if tracked.purpose == "protection" else "closing"
            gateway.patience.turned_away(tracked.key, wait or 0, what)
        case NoAnswer(why=why, wait=wait):
            gateway.note(Said(client=tracked.client, at=gateway.now(), status="unknown", how="silence", reason=why))
            gateway.tell_answer(tracked)
            tracked.look_at = gateway.now() + (wait or gateway.terms.look_unknown)


def follow(gateway: Gateway, passage: Passage) -> Denied | None:
    """An order at market is over as soon as the venue has it: it is asked at once."""
    tracked = passage.tracked
    if tracked is not None and tracked.is_sent and tracked.answered and not tracked.is_over:
        if tracked.intent.wanted.form == "market":
            look(gateway, tracked)
        else:
            tracked.look_at = gateway.now() + gateway.terms.look_after
    return None


def update_position(gateway: Gateway, passage: Passage) -> Denied | None:
    if passage.tracked is not None:
        settle(gateway, passage.tracked)
        if passage.purpose != "protection":
            protect(gateway, passage.tracked.key)
    return None


def audit(gateway: Gateway, passage: Passage) -> Denied | None:
    """What was sent and answered is recorded where it happened; here what is known in the end."""
    gateway.flush()
    return None


STEPS: tuple[tuple[str, Step], ...] = (
    ("breaker", check_breaker),
    ("symbol lock", lock_symbol),
    ("reservation", reserve),
    ("venue rules", check_rules),
    ("idempotency", check_idempotency),
    ("submit", submit),
    ("follow", follow),
    ("position", update_position),
    ("audit", audit),
)


def passes(gateway: Gateway, passage: Passage, steps: tuple[tuple[str, Step], ...]) -> Denied | None:
    """Takes an order through the steps. Whatever comes of it, the symbol is free again; of one that was not sent, all is."""
    try:
        for _, step in steps:
            denied = step(gateway, passage)
            if denied is not None:
                gateway.tell(_refusal(gateway, passage, denied))
                gateway.flush()
                return denied
        return None
    finally:
        for undo in reversed(passage.undo):
            undo()


def _refusal(gateway: Gateway, passage: Passage, denied: Denied) -> Handling:
    request, order = passage.request, passage.order
    return Handling(
        at=gateway.now(),
        what="refused",
        instrument=request.instrument,
        order=order.id if order is not None else passage.parent,
        client=request.client_id,
        status=denied.step,
        words=denied.why,
        details={"purpose": passage.purpose, "side": request.side, "quantity": str(request.quantity)},
    )
