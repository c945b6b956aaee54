"""Stops and targets of what is held, at the venue.

1. Each part of a position that leaves at a level of its own is an order of its own: a take with the stop, the rest with stop
   and target (`wanted`). Where a part has both, it is a bracket: when one side fills, the venue takes the other away.
2. What is there is compared with what should be: orders at levels that hold no more are taken back, what is missing is placed,
   never for more than is held beyond what is placed, asked to be cancelled or unknown (`protect`). So the sum at the venue
   never exceeds the position.
3. A stop that the market has passed and that does not fill (its limit was jumped over) is none: after `protect_within` the
   position is closed at market (`_watch_price`).
4. Protection that the venue refuses, or that is not in place after `protect_within`, closes the position at market (`let_go`).
5. What closes a position waits until its protection is known to be gone, since a venue holds the same quantity for both
   (`withdraw`); what filled meanwhile comes off. Where it does not fill, the protection comes back. What is entered after it
   was sent has a stop of its own meanwhile (`_cover_the_rest`).
6. What is left over and is less than the venue takes is no position any more: it counts as closed at the last price, with the
   cause `crumb`, and stays in the account (`leave_crumb`). Nothing is sent for it.

INVARIANT: orders here only reduce what is held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.encode import plain
from tb.core.records import Handling
from tb.core.time import show_duration
from tb.engine.instant import EXACT
from tb.gate.gate import closing
from tb.gate.levels import to_grid
from tb.runtime.drafts import Key
from tb.runtime.gateway.booking import leave_crumb, settle
from tb.runtime.gateway.entries import Purpose
from tb.runtime.gateway.following import look
from tb.runtime.gateway.ids import client_id
from tb.runtime.gateway.passage import Passage
from tb.runtime.gateway.tracked import NEVER_ARRIVED, ZERO, Tracked
from tb.runtime.ports.exchange import Form, Request
from tb.runtime.positions import Position

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway

UNPROTECTED = "unprotected"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a position and the levels it leaves at; `take` is the number of its take, 0 for the rest."""

    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    take: int


def wanted(position: Position, tick: Decimal) -> list[Part]:
    """What should stand at the venue for a position; nothing for what has no levels."""
    stop = None if position.stop is None else to_grid(position.stop, tick, up=position.sign > 0)
    parts, left = [], position.remaining
    for take in position.takes:
        quantity = min(take.quantity, left)
        parts.append(Part(quantity, stop, _nearer(take.level, tick, position.sign), take.number))
        left = EXACT.subtract(left, quantity)
    target = None if position.target is None else _nearer(position.target, tick, position.sign)
    parts.append(Part(left, stop, target, 0))
    return [part for part in parts if part.quantity > 0 and (part.stop is not None or part.target is not None)]


def _nearer(level: Decimal, tick: Decimal, sign: int) -> Decimal:
    return to_grid(level, tick, up=sign < 0)


def protect(gateway: Gateway, key: Key) -> None:
    """Brings the protection of a position in line with it, as far as the venue answers now."""
    position = gateway.settling.positions.get(key)
    guards = gateway.orders.guards(key)
    if position is None:
        gateway.bare.pop(key, None)
        gateway.leaving_since.pop(key, None)
        gateway.passed.pop(key, None)
        gateway.patience.over(key)
        for guard in guards:
            gateway.take_back(guard, "position closed")
        return
    if gateway.orders.unbooked(key):
        return  # less is held than settling knows: once that is told, the rest is protected
    if gateway.orders.leaving(key):
        _cover_the_rest(gateway, key, position)
        _watch_leaving(gateway, key, position)
        return
    since = gateway.leaving_since.pop(key, None)
    if since is not None:  # an exit that failed: what stood without a stop meanwhile has stood without one
        gateway.bare.setdefault(key, since)
    if not guards and _is_crumb(gateway, position, position.remaining):
        gateway.bare.pop(key, None)
        if not any(one.key == key and one.purpose == "entry" for one in gateway.orders.unsettled.values()):
            leave_crumb(gateway, key, position)
        return
    if not _bring_in_line(gateway, key, position, guards):
        gateway.patience.refused(key)
        let_go(gateway, key, UNPROTECTED)
    elif key in gateway.settling.positions:
        _watch(gateway, key, _parts(gateway, position))
        _watch_price(gateway, key, position)
    else:  # what was taken back or placed has filled meanwhile
        protect(gateway, key)


def _bring_in_line(gateway: Gateway, key: Key, position: Position, guards: list[Tracked]) -> bool:
    """Takes back what holds no more and places what is missing; False where the venue refuses that."""
    parts = _parts(gateway, position)
    if gateway.journal.has_room(reducing=True):  # else nothing could be placed instead
        for guard in _outdated(parts, guards):
            gateway.take_back(guard, "levels moved")
    for part in parts:
        quantity = _missing(gateway, position, part)
        if quantity > 0 and _is_crumb(gateway, position, quantity):
            _make_way(gateway, key, part)
            quantity = _missing(gateway, position, part)
            if _is_crumb(gateway, position, quantity):
                continue
        if quantity > 0 and not gateway.patience.waits(key) and not _place(gateway, position, part, quantity):
            return False
    return True


def _make_way(gateway: Gateway, key: Key, part: Part) -> None:
    """What is missing of a part is too small alone: one order for all of the part comes instead of what stands, if it may."""
    if gateway.patience.waits(key) or not gateway.journal.has_room(reducing=True):
        return
    for guard in gateway.orders.guards(key):
        if not guard.asked and _level_of(guard) == (part.take, part.stop, part.target):
            gateway.take_back(guard, "part grew")


def _missing(gateway: Gateway, position: Position, part: Part) -> Decimal:
    """How much of a part may be placed now."""
    guards = gateway.orders.guards((position.strategy, position.instrument))
    return min(EXACT.subtract(part.quantity, _placed(part, guards)), room(position, guards))


def _parts(gateway: Gateway, position: Position) -> list[Part]:
    """What should stand at the venue, as far as it takes orders that small: lesser parts leave with the last that is not."""
    parts = wanted(position, gateway.tick_of(position.instrument))
    kept = [part for part in parts if not _is_crumb(gateway, position, part.quantity)]
    if not kept:
        return parts
    *before, last = kept
    for part in parts:
        if part not in kept:
            last = replace(last, quantity=EXACT.add(last.quantity, part.quantity))
    return [*before, last]


def _cover_the_rest(gateway: Gateway, key: Key, position: Position) -> None:
    """What an order that closes a position does not close, since an entry filled after that was sent, gets a stop meanwhile."""
    leaving = gateway.orders.leaving(key)
    if gateway.patience.waits(key) or not all(one.is_sent for one in leaving):
        return
    for part in _parts(gateway, position):
        guards = gateway.orders.guards(key)
        missing = EXACT.subtract(part.quantity, _placed(part, guards))
        quantity = min(missing, room(position, [*guards, *leaving]))
        if quantity <= 0 or _is_crumb(gateway, position, quantity):
            continue
        if not _place(gateway, position, part, quantity):
            gateway.patience.turned_away(key, gateway.terms.look_after)
            return


def _is_crumb(gateway: Gateway, position: Position, quantity: Decimal) -> bool:
    """Whether so much of what is held is less than the venue takes in any order: it can be neither protected nor closed."""
    rules = gateway.demands.of(position.instrument)
    if rules is None:
        return False
    if rules.min_quantity is not None and quantity < rules.min_quantity:
        return True
    price = gateway.settling.view.close(position.instrument, gateway.now())
    if rules.min_notional is None or price is None:
        return False
    return EXACT.multiply(quantity, price) < rules.min_notional


def _level_of(guard: Tracked) -> tuple[int, Decimal | None, Decimal | None]:
    asked = guard.intent.wanted
    match asked.form:
        case "stop":
            return guard.intent.take, asked.price, None
        case "limit":
            return guard.intent.take, None, asked.price
        case _:
            return guard.intent.take, asked.stop, asked.target


def _placed(part: Part, guards: list[Tracked]) -> Decimal:
    """How much of a part stands at the venue, or may."""
    levels, total = (part.take, part.stop, part.target), ZERO
    for guard in guards:
        if not guard.asked and _level_of(guard) == levels:
            total = EXACT.add(total, guard.rest)
    return total


def room(position: Position, orders: Iterable[Tracked]) -> Decimal:
    """How much of what is held none of these orders can take."""
    total = position.remaining
    for order in orders:
        total = EXACT.subtract(total, order.rest)
    return total


def _outdated(parts: list[Part], guards: list[Tracked]) -> list[Tracked]:
    """Protection at levels that hold no more, and what exceeds its part."""
    left = {(part.take, part.stop, part.target): part.quantity for part in parts}
    found = []
    for guard in guards:
        levels = _level_of(guard)
        rest = EXACT.subtract(left.get(levels, ZERO), guard.rest)
        if rest < 0:
            if not guard.asked:
                found.append(guard)
        else:
            left[levels] = rest
    return found


def _place(gateway: Gateway, position: Position, part: Part, quantity: Decimal) -> bool:
    """Sends the protection of a part; False where it is refused, so that what is held cannot be protected."""
    form: Form = "bracket"
    price = None
    if part.target is None:
        form, price = "stop", part.stop
    elif part.stop is None:
        form, price = "limit", part.target
    is_bracket = form == "bracket"
    passage = passage_of(gateway, position, quantity, "protection", form)
    passage.request = _with_levels(passage.request, price, *((part.stop, part.target) if is_bracket else (None, None)))
    passage.take = part.take
    denied = gateway.passes(passage)
    tracked = passage.tracked
    if denied is not None:
        return False
    return tracked is None or tracked.status != "rejected" or tracked.reason == NEVER_ARRIVED


def _with_levels(request: Request, price: Decimal | None, stop: Decimal | None, target: Decimal | None) -> Request:
    return Request(
        request.client_id,
        request.instrument,
        request.side,
        request.quantity,
        request.form,
        price=price,
        stop=stop,
        target=target,
        reducing=True,
    )


def passage_of(
    gateway: Gateway, position: Position, quantity: Decimal, purpose: Purpose, form: Form, cause: str = ""
) -> Passage:
    """An order that reduces a position, under an id of its own: requests for one entry are counted."""
    parent = position.entry.order
    number = gateway.orders.legs.get(parent, 0) + 1
    request = Request(
        client_id(parent, f"{purpose} {number}"),
        position.instrument,
        "sell" if position.sign > 0 else "buy",
        quantity,
        form,
        reducing=True,
    )
    return Passage(
        approved=closing(quantity, held=position.remaining),
        purpose=purpose,
        request=request,
        strategy=position.strategy,
        at=gateway.now(),
        parent=parent,
        cause=cause,
    )


def _watch(gateway: Gateway, key: Key, parts: list[Part]) -> None:
    """How long a position has stood with less than its protection, and its end where that is too long."""
    guards = [guard for guard in gateway.orders.guards(key) if guard.answered]
    if all(_placed(part, guards) >= part.quantity for part in parts):
        gateway.bare.pop(key, None)
        if key not in gateway.passed:
            gateway.patience.placed(key)
        return
    since = gateway.bare.setdefault(key, gateway.now())
    span = gateway.now() - since
    if span >= gateway.terms.protect_within:
        position = gateway.settling.positions[key]
        held = f"{plain(position.remaining)} {position.instrument}"
        gateway.patience.cry(
            key, f"{held} stand without their stop since {show_duration(span // 1000 * 1000)}: they are closed at market"
        )
        let_go(gateway, key, UNPROTECTED)


def _watch_price(gateway: Gateway, key: Key, position: Position) -> None:
    """How long everybody has been offering beyond a position's stop while that has not filled.

    A quote that is old, or that cannot be, says nothing. Both sides have to be beyond it: a thin book is no fall."""
    now, within = gateway.now(), gateway.terms.protect_within
    quote = gateway.quotes.get(position.instrument)
    if position.stop is None or quote is None or now - min(quote.at, quote.received) > within or quote.bid > quote.ask:
        gateway.passed.pop(key, None)
        return
    is_passed = quote.ask < position.stop if position.sign > 0 else quote.bid > position.stop
    if not is_passed:
        gateway.passed.pop(key, None)
        return
    if now - gateway.passed.setdefault(key, now) >= within:
        held = f"{plain(position.remaining)} {position.instrument}"
        gateway.patience.cry(
            key, f"the stop of {held} at {plain(position.stop)} was passed and does not fill: it is closed at market"
        )
        let_go(gateway, key, position.stop_cause)


def _watch_leaving(gateway: Gateway, key: Key, position: Position) -> None:
    """How long a position that is being closed has stood without anything: people are told where that is too long."""
    standing = [guard for guard in gateway.orders.guards(key) if guard.answered and not guard.asked]
    if room(position, standing) <= 0:
        gateway.leaving_since.pop(key, None)
        return
    since = gateway.leaving_since.setdefault(key, min(gateway.now(), gateway.bare.get(key, gateway.now())))
    if gateway.now() - since >= gateway.terms.protect_within:
        held = f"{plain(position.remaining)} {position.instrument}"
        gateway.patience.cry(key, f"{held} is being closed, and has no stop: the venue does not confirm it")


def withdraw(gateway: Gateway, key: Key) -> bool:
    """Takes the protection of a position back; says whether all of it is known to be gone."""
    for guard in gateway.orders.guards(key):
        gateway.take_back(guard, "position is closed")
        for _ in range(gateway.terms.confirm_tries):
            if guard.is_over or not look(gateway, guard):
                break
        settle(gateway, guard)
    return not gateway.orders.guards(key)


def let_go(gateway: Gateway, key: Key, cause: str) -> None:
    """Closes at market what cannot be protected, or what its keeper lets go."""
    position = gateway.settling.positions.get(key)
    if (
        position is None
        or gateway.orders.leaving(key)
        or gateway.orders.unbooked(key)
        or gateway.patience.waits(key, "closing")
    ):
        return
    gateway.patience.refused(key, "closing")  # ended when it is gone
    if cause == UNPROTECTED:
        for one in list(gateway.orders.working(key[1])):
            if one.key == key and one.purpose == "entry" and not one.asked:
                gateway.take_back(one, UNPROTECTED)  # what it fills could not be protected either
        held = f"{plain(position.remaining)} {position.instrument}"
        gateway.patience.cry(key, f"{held} cannot be protected, and is closed at market")
    gateway.tell(
        Handling(
            at=gateway.now(),
            what="protection",
            instrument=position.instrument,
            order=position.entry.order,
            status=cause,
            words=f"{position.remaining} of {position.instrument} is closed at market: {cause}",
        )
    )
    gateway.passes(passage_of(gateway, position, position.remaining, "closing", "market", cause))


def send_waiting(gateway: Gateway) -> None:
    """What waited for protection to be taken back goes out once that is gone. While it is not, the venue is asked now and then,
    not at every turn: it has to answer about everything else, too."""
    for tracked in list(gateway.orders.unsettled.values()):
        if tracked.is_sent or tracked.is_over or (gateway.orders.guards(tracked.key) and tracked.look_at > gateway.now()):
            continue
        tracked.look_at = gateway.now() + gateway.terms.look_unknown
        if withdraw(gateway, tracked.key):
            gateway.go(tracked)
