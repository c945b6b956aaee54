"""Does the account agree with the venue: what is held, what there is of money, which orders work.

1. Every order that works is asked about, and every one that was lately told to be over with a rest: a venue may confirm a
   cancel, or say that it is done, and fill the order all the same. Nothing is compared while the fate of an order is unknown,
   or while fills come in between: then it is tried again (`busy`).
2. Of each asset the venue has what was here before tb, and what tb bought or sold since (`expected`). A difference up to the
   tolerance, or one lot, is adopted and recorded; a larger one opens the breaker.
3. A person who closes the breaker accepts the differences that were told until then, and no other: they are adopted, and what
   is not at the venue any more comes off what is held.
4. Orders that the venue works and nobody here sent open the breaker; so do orders that are known here and that the venue has
   not.

INVARIANT: only a comparison that went through makes the account "reconciled"; no answer leaves it as old as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from tb.core.records import Handling
from tb.engine.instant import EXACT
from tb.runtime.gateway.booking import settle, write_off
from tb.runtime.gateway.following import ask_for_working, look
from tb.runtime.gateway.tracked import ZERO, Orders
from tb.runtime.ports.exchange import Balance, NoAnswer, OrderState, Rules

if TYPE_CHECKING:
    from tb.runtime.gateway.gateway import Gateway

LATE = 10 * 60_000  # ms after the last word about an order that is over, in which it may have filled all the same
Outcome = Literal["agrees", "adopted", "differs", "busy", "no answer"]


def reconcile_if_due(gateway: Gateway) -> None:
    last = gateway.reconciled_at
    if gateway.next_reconciling <= gateway.now() and (last is None or gateway.now() - last >= gateway.terms.reconcile_every):
        reconcile(gateway)


def reconcile(gateway: Gateway, *, adopt_all: bool = False) -> Outcome:
    """Compares once. `adopt_all`: a named person says that the venue is right, whatever the difference."""
    gateway.next_reconciling = gateway.now() + min(5_000, gateway.terms.reconcile_every)
    outcome = _compare(gateway, adopt_all=adopt_all)
    if outcome in ("agrees", "adopted"):
        gateway.reconciled_at = gateway.now()
    gateway.flush()
    return outcome


def _compare(gateway: Gateway, *, adopt_all: bool) -> Outcome:
    clock = gateway.exchange.clock()
    gateway.skew = None if isinstance(clock, NoAnswer) else abs(clock - gateway.wall())
    if not isinstance(clock, NoAnswer):
        gateway.hear_from_venue()
    if ask_for_working(gateway, gateway.orders.working()) is None or not _ask_about_late(gateway):
        return "no answer"
    if gateway.orders.unknown():
        return "busy"
    before = _filled(gateway)
    balances = gateway.exchange.balances()
    if isinstance(balances, NoAnswer):
        return "no answer"
    gateway.hear_from_venue()
    working = ask_for_working(gateway, gateway.orders.working())
    if working is None:
        return "no answer"
    if _filled(gateway) != before or gateway.orders.unknown():
        return "busy"
    if _orders_differ(gateway, working, adopt_all=adopt_all):
        return "differs"
    outcome = _compare_assets(gateway, balances, adopt_all=adopt_all)
    if outcome != "differs":
        gateway.reservations.see(balances)
    return outcome


def _ask_about_late(gateway: Gateway) -> bool:
    """The state of every order that is over with a rest since a short time; False where one is not answered."""
    since = gateway.now() - LATE
    for tracked in [one for one in gateway.orders.all.values() if one.is_over and one.is_sent and one.rest > 0]:
        if tracked.look_at >= since:
            last = tracked.look_at
            answered = look(gateway, tracked)
            if tracked.look_at > last and tracked.rest > 0:
                tracked.look_at = last  # that it is asked about again does not make its last word younger
            settle(gateway, tracked)
            if not answered:
                return False
    return True


def _filled(gateway: Gateway) -> dict[str, Decimal]:
    return {client: tracked.filled for client, tracked in gateway.orders.all.items() if tracked.filled}


def _orders_differ(gateway: Gateway, working: tuple[OrderState, ...], *, adopt_all: bool) -> bool:
    unknown = [state for state in working if state.client_id not in gateway.orders.all]
    gateway.strangers = {state.venue_id: state for state in unknown}
    traded = [state for state in unknown if state.instrument in gateway.demands.known()]
    adopt_all = adopt_all or all(state.venue_id in gateway.accepted for state in traded)
    for state in traded:
        words = f"the venue works an order in {state.instrument} that was not sent from here: {state.venue_id}"
        gateway.differences[state.venue_id] = ZERO
        _tell(gateway, state.instrument, "differs", words, {})
        if not adopt_all:
            gateway.trip(words)
    for state in working:
        tracked = gateway.orders.all.get(state.client_id)
        if tracked is not None and tracked.is_over:  # it was told over, and still works: `learn` takes it back
            look(gateway, tracked)
            settle(gateway, tracked)
    return bool(traded) and not adopt_all


def expected(orders: Orders, rules: Mapping[str, Rules]) -> dict[str, Decimal]:
    """What was bought less what was sold from here, by asset: money too, fees taken off."""
    totals: dict[str, Decimal] = {}
    for tracked in orders.all.values():
        if not tracked.booked:
            continue
        known = rules.get(tracked.instrument)
        if known is None:
            continue
        _add(totals, known.asset, tracked.sign * tracked.booked)
        _add(totals, known.currency, -tracked.sign * tracked.value - tracked.paid)
    return totals


def _add(totals: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    totals[asset] = EXACT.add(totals.get(asset, ZERO), amount)


def _compare_assets(gateway: Gateway, balances: tuple[Balance, ...], *, adopt_all: bool) -> Outcome:
    venue = {one.asset: EXACT.add(one.available, one.held) for one in balances}
    rules = gateway.demands.known()
    from_here = expected(gateway.orders, rules)
    outcome: Outcome = "agrees"
    for asset in sorted({name for one in rules.values() for name in (one.asset, one.currency)}):
        there, ours = venue.get(asset, ZERO), from_here.get(asset, ZERO)
        if asset not in gateway.outside:  # the first look: what is there besides is not from here
            gateway.adopt(asset, EXACT.subtract(there, ours), "first look")
            continue
        here = EXACT.add(gateway.outside[asset], ours)
        difference = EXACT.subtract(there, here)
        if not difference:
            continue
        is_small = abs(difference) <= _tolerance(gateway, asset, here, list(rules.values()))
        is_accepted = adopt_all or _is_accepted(gateway, asset, difference, here, list(rules.values()))
        details = {"here": str(here), "venue": str(there), "difference": str(difference)}
        words = f"the venue has {there} {asset}, {here} are known"
        if is_small or is_accepted:
            gateway.adopt(asset, EXACT.subtract(there, ours), "a person said so" if not is_small else "within tolerance")
            gateway.accepted.pop(asset, None)  # once: another difference of the same size is another one
            gateway.differences.pop(asset, None)
            if not is_small:
                _take_off(gateway, asset, there, list(rules.values()))
            _tell(gateway, asset, "adopted", words, details)
            outcome = "adopted" if outcome == "agrees" else outcome
        else:
            if gateway.differences.get(asset) != difference:
                _tell(gateway, asset, "differs", words, details)
            gateway.differences[asset] = difference
            gateway.trip(words)
            outcome = "differs"
    if outcome == "agrees":
        _tell(gateway, "", "agrees", "", {})
    return outcome


def _is_accepted(gateway: Gateway, asset: str, difference: Decimal, here: Decimal, rules: list[Rules]) -> bool:
    """Whether a person has seen this difference and closed the breaker since."""
    seen = gateway.accepted.get(asset)
    return seen is not None and abs(EXACT.subtract(difference, seen)) <= _tolerance(gateway, asset, here, rules)


def _take_off(gateway: Gateway, asset: str, there: Decimal, rules: list[Rules]) -> None:
    """What is held of an asset is not more than there is."""
    instruments = [one.instrument for one in rules if one.asset == asset]
    held = [p.remaining for p in gateway.settling.positions.values() if p.instrument in instruments and p.sign > 0]
    missing = EXACT.subtract(sum(held, ZERO), max(ZERO, there))
    for instrument in instruments:
        if missing > 0:
            missing = write_off(gateway, instrument, missing)


def _tolerance(gateway: Gateway, asset: str, here: Decimal, rules: list[Rules]) -> Decimal:
    lots = [one.lot for one in rules if one.asset == asset]
    cents = [Decimal("0.01")] if any(one.currency == asset for one in rules) else []
    return max([EXACT.multiply(abs(here), gateway.terms.tolerance), *lots, *cents])


def _tell(gateway: Gateway, asset: str, status: str, words: str, details: dict[str, str]) -> None:
    handling = Handling(at=gateway.now(), what="agreement", instrument=asset, status=status, words=words, details=details)
    gateway.tell(handling)
