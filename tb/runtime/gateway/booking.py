"""From what the venue says of an order to what settling knows: fills, and ends.

1. The venue states sums: so much filled so far, at that average, for that fee. A fill is what the sums grew by since settling
   was told last; so nothing is booked twice, in whatever order and however often answers come.
2. An order whose average is not known yet is asked for again.
3. What no position explains is `stray`: it is booked to the account, and opens the breaker.

INVARIANT: an entry of the journal comes before settling is told; told again after a restart it makes the same (`apply`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from tb.core.encode import plain
from tb.core.records import Fill, Order
from tb.engine.instant import EXACT
from tb.gate.conversion import at_rate
from tb.gate.proposal import EXIT_CAUSES
from tb.runtime.drafts import Key
from tb.runtime.gateway.entries import Booked, Ended, Gone, Said
from tb.runtime.gateway.tracked import NEVER_ARRIVED, ZERO, Tracked
from tb.runtime.positions import Position
from tb.runtime.settling import REFUSED_BY_VENUE, Noted, Sent, Settling

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway


def settle(gateway: Gateway, tracked: Tracked) -> None:
    """Tells settling everything about an order that it does not know yet."""
    if tracked.filled > tracked.booked:
        if tracked.average is None and not _estimated(gateway, tracked):
            tracked.look_at = gateway.now()
            return
        _book(gateway, tracked)
    if tracked.is_over and tracked.booked == tracked.filled:
        if not tracked.ended:
            _end(gateway, tracked)
        gateway.reservations.release(tracked.client)


def _estimated(gateway: Gateway, tracked: Tracked) -> bool:
    """Where the venue does not say for too long at what price an order filled: at the one that was expected."""
    now, wanted, decided = gateway.now(), tracked.intent.wanted, tracked.intent.decided
    tracked.unpriced_since = tracked.unpriced_since or now
    if now - tracked.unpriced_since < gateway.terms.prove_after:
        return False
    close = gateway.settling.view.close(tracked.instrument, now)
    position = gateway.settling.positions.get(tracked.key)
    held_at = None if position is None else position.entry.price
    known = (tracked.price, wanted.stop, close, None if decided is None else decided.price, held_at)
    average = next((price for price in known if price), None)
    if average is None:
        return False
    gateway.alert(f"the venue does not say at what price {tracked.client} filled: {plain(average)} is assumed")
    said = Said(client=tracked.client, at=now, status=tracked.status, how="assumed", filled=tracked.filled, average=average)
    gateway.note(msgspec.structs.replace(said, fees=tracked.fees))
    return True


def _book(gateway: Gateway, tracked: Tracked) -> None:
    assert tracked.average is not None
    value = EXACT.multiply(tracked.filled, tracked.average)
    quantity = EXACT.subtract(tracked.filled, tracked.booked)
    unfilled = EXACT.subtract(tracked.quantity, tracked.booked)
    price = EXACT.divide(EXACT.subtract(value, tracked.value), quantity)
    if price <= 0:  # an average that was rounded, or that went back: the part counts at it, and the comparison sees the rest
        price, value = tracked.average, EXACT.add(tracked.value, EXACT.multiply(quantity, tracked.average))
        gateway.alert(f"the sums that the venue states of order {tracked.client} do not add up")
    fee = max(ZERO, EXACT.subtract(tracked.fees, tracked.paid))
    gateway.reservations.spend(tracked.client, EXACT.divide(quantity, unfilled) if unfilled > 0 else Decimal(1))
    held = _explained(gateway.settling, tracked, quantity)
    parts = [(held, False), (EXACT.subtract(quantity, held), True)]
    done = tracked.booked
    for part, is_stray in parts:
        if part <= 0:
            continue
        done = EXACT.add(done, part)
        is_last = done == tracked.filled
        fill = _fill(gateway, tracked, part, price, fee if is_last else ZERO, is_stray)
        paid = tracked.fees if is_last else tracked.paid
        worth = value if is_last else EXACT.add(tracked.value, EXACT.multiply(part, price))
        rest = max(ZERO, EXACT.subtract(tracked.quantity, done))
        booked = Booked(client=tracked.client, fill=fill, filled=done, value=worth, fees=paid, rest=rest, stray=is_stray)
        gateway.note(booked, sync=True)
        apply_booked(gateway.settling, tracked, booked)
        gateway.told()
        if is_stray:
            gateway.trip(f"{part} {tracked.instrument} were closed that nobody held")


def _explained(settling: Settling, tracked: Tracked, quantity: Decimal) -> Decimal:
    """How much of a fill what is held explains: of an entry all."""
    if tracked.purpose == "entry":
        return quantity
    position = settling.positions.get(tracked.key)
    return min(quantity, position.remaining) if position is not None and position.sign == -tracked.sign else ZERO


def _fill(gateway: Gateway, tracked: Tracked, quantity: Decimal, price: Decimal, fee: Decimal, is_stray: bool) -> Fill:
    settling, symbol = gateway.settling, tracked.instrument
    is_foreign = settling.settings.is_foreign(symbol)
    at = max(tracked.at, gateway.now())
    rate = gateway.rate_of(tracked, at) if is_foreign else Decimal(1)
    decided = tracked.intent.decided
    expected = None if decided is None else decided.price
    is_limit = tracked.intent.wanted.form == "limit"
    slippage = ZERO if expected is None or is_limit else EXACT.multiply(tracked.sign, EXACT.subtract(price, expected))
    return Fill(
        order=_name(settling, tracked),
        at=at,
        row=-1,
        instrument=symbol,
        side=tracked.intent.wanted.side,
        quantity=quantity,
        price=price,
        fee=at_rate(fee, rate),
        slippage=slippage,
        cause="not held" if is_stray else _cause(settling, tracked, price),
        rate=rate if is_foreign else None,
    )


def _name(settling: Settling, tracked: Tracked) -> str:
    """What the fill says it is of: an order, or a level of a trade."""
    if tracked.order is not None:
        return tracked.order.id
    position = settling.positions.get(tracked.key)
    trade = f"t{position.seq}" if position is not None else tracked.intent.parent
    what = tracked.intent.cause or "stop"
    if tracked.purpose == "protection":
        what = f"take {tracked.intent.take}" if tracked.intent.take else "protection"
    return f"{what} of {trade}"


def _cause(settling: Settling, tracked: Tracked, price: Decimal) -> str:
    match tracked.purpose:
        case "entry":
            return "quote" if tracked.order is not None and tracked.order.is_quote else "entry"
        case "exit":
            which = tracked.intent.decided.which if tracked.intent.decided is not None else 0
            return tracked.intent.cause or EXIT_CAUSES.get(which, "exit when")
        case "closing":
            return tracked.intent.cause
    target = tracked.intent.wanted.target if tracked.intent.wanted.form == "bracket" else None
    if tracked.intent.wanted.form == "limit":
        target = tracked.price
    if target is not None and tracked.sign * (target - price) >= 0:  # sold at the target or above, bought at it or below
        return "take" if tracked.intent.take else "target"
    position = settling.positions.get(tracked.key)
    return "stop" if position is None else position.stop_cause


def sent_of(settling: Settling, tracked: Tracked) -> Sent:
    """The order as settling is told of it, where it has forgotten it."""
    order, decided = tracked.order, tracked.intent.decided
    assert order is not None  # only orders of the session come here
    assert decided is not None
    is_other = decided.policy != settling.policy
    strategy = settling.as_approved(order, decided.which) if is_other else settling.strategy(order.strategy)
    values = {} if is_other else {int(node): value for node, value in decided.values.items()}
    return Sent(order, strategy, decided.which, -1, Noted(values, decided.tier))


def apply_booked(settling: Settling, tracked: Tracked, booked: Booked) -> None:
    """Tells settling of a fill: live, and again from the journal."""
    fill = booked.fill
    if booked.stray:
        sign = 1 if fill.side == "buy" else -1
        price = at_rate(fill.price, fill.rate)
        settling.account.fill(tracked.intent.strategy, fill.instrument, sign * fill.quantity, price, fill.fee)
        settling.recorder.record([fill])
        return
    order = tracked.order
    if tracked.purpose == "entry":
        assert order is not None
        if settling.on_its_way(order.id) is None:
            settling.late(sent_of(settling, tracked), fill)
        else:
            settling.entered(order, fill, rest=booked.rest)
        return
    position = settling.positions[tracked.key]
    take = next((one for one in position.takes if one.number == tracked.intent.take), None)
    if take is not None and fill.quantity <= take.quantity:  # also where its stop filled: that part is gone, the rest is not
        settling.took(position, take, fill)
    else:
        settling.exited(position, fill)
    if tracked.purpose == "exit" and not booked.rest:
        _may_leave_again(settling.positions.get(tracked.key))


def _may_leave_again(position: Position | None) -> None:
    if position is not None:
        position.exiting = False


def _end(gateway: Gateway, tracked: Tracked) -> None:
    """An order of the session is over, with something of it left."""
    order = tracked.order
    if order is None or not tracked.rest:
        tracked.ended = True
        gateway.orders.refresh(tracked)
        return
    ended = Ended(client=tracked.client, at=gateway.now(), cause=_why(gateway, tracked, order))
    gateway.note(ended, sync=True)
    apply_ended(gateway.settling, tracked, ended)
    gateway.told()


def _why(gateway: Gateway, tracked: Tracked, order: Order) -> str:
    asked = gateway.settling.ending.get(order.id) or tracked.asked
    if tracked.status == "rejected":
        return NEVER_ARRIVED if tracked.reason == NEVER_ARRIVED else REFUSED_BY_VENUE
    return asked or tracked.reason or tracked.status


def apply_ended(settling: Settling, tracked: Tracked, ended: Ended) -> None:
    """Tells settling that an order of the session is over: live, and again from the journal."""
    order = tracked.order
    if order is None:
        return
    position = settling.positions.get(tracked.key)
    is_leaving = order.kind == "exit" and position is not None and position.exiting
    if settling.on_its_way(order.id) is None and not is_leaving:
        return
    rest = EXACT.subtract(tracked.quantity, tracked.booked)
    settling.cancelled(msgspec.structs.replace(order, quantity=rest), ended.at, ended.cause)


def write_off(gateway: Gateway, instrument: str, quantity: Decimal) -> Decimal:
    """So much of an instrument is gone from the venue without an order from here: it comes off what is held, at the last price.
    Returns what no position explains."""
    settling = gateway.settling
    for key, position in list(settling.positions.items()):
        part = min(quantity, position.remaining)
        if key[1] != instrument or position.sign < 0 or part <= 0:
            continue
        _write_off(gateway, key, position, part, "gone")
        quantity = EXACT.subtract(quantity, part)
    return quantity


def leave_crumb(gateway: Gateway, key: Key, position: Position) -> None:
    """What the venue takes in no order counts as closed; it stays in the account, and reconciliation knows it."""
    left = f"{plain(position.remaining)} {position.instrument}"
    gateway.alert(f"{left} are less than the venue takes: they stay in the account, and count as closed")
    _write_off(gateway, key, position, position.remaining, "crumb")


def _write_off(gateway: Gateway, key: Key, position: Position, quantity: Decimal, cause: str) -> None:
    settling, now = gateway.settling, gateway.now()
    fill = Fill(
        order=f"{cause} of t{position.seq}",
        at=now,
        row=-1,
        instrument=position.instrument,
        side="sell" if position.sign > 0 else "buy",
        quantity=quantity,
        price=settling.view.close(position.instrument, now) or position.entry.price,
        fee=ZERO,
        slippage=ZERO,
        cause=cause,
        rate=position.entry.rate,
    )
    gone = Gone(strategy=key[0], fill=fill)
    gateway.note(gone, sync=True)
    apply_gone(settling, gone)
    gateway.told()


def apply_gone(settling: Settling, gone: Gone) -> None:
    """Tells settling what is gone: live, and again from the journal."""
    position = settling.positions.get((gone.strategy, gone.fill.instrument))
    if position is not None:
        settling.exited(position, gone.fill)


def resize(settling: Settling, tracked: Tracked) -> None:
    """The worst case follows an entry that was changed at the venue: live, and again from the journal."""
    order = tracked.order
    if order is not None and order.id in settling.account.working and not tracked.is_over:
        settling.resize(order, EXACT.subtract(tracked.quantity, tracked.booked), tracked.price)
