"""Changes of resting entries, and legs: what may cost more is judged again, and what cannot go out whole does not stay in
part."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from gateway_world import World, world
from test_gateway_steps import RESTING

from tb.core.records import Order
from tb.gate.gate import closing

D = Decimal


def resting(folder: Path) -> tuple[World, Order]:
    made = world(folder, rules=RESTING)
    made.step(1, "BTC-USD")
    return made, made.orders[0]


def working(made: World) -> list[tuple[Decimal, Decimal]]:
    """Quantity and price of what counts in the worst case."""
    return [(one.quantity, one.price) for one in made.session.account.working.values()]


def test_a_change_that_was_approved_is_made_and_counts(tmp_path: Path) -> None:
    made, order = resting(tmp_path)
    assert made.gateway.amend(closing(D(12), held=D(12)), order.id, D(12), D("98.50")) is None
    (there,) = made.truth.working()
    assert (there.quantity, there.price) == (D(12), D("98.50"))
    assert working(made) == [(D(12), D("98.50"))]
    made.truth.move("BTC-USD", 98)
    made.turn()
    assert made.positions == made.held == {"BTC-USD": D(12)}
    assert made.truth.protected("BTC-USD") == D(12)


def test_a_change_needs_an_approval_for_its_quantity_and_a_closed_breaker(tmp_path: Path) -> None:
    made, order = resting(tmp_path)
    denied = made.gateway.amend(closing(D(11), held=D(12)), order.id, D(12), D(99))
    assert denied is not None
    assert denied.step == "idempotency"
    made.breaker.drain(made.truth.time, "ann", "look")
    denied = made.gateway.amend(closing(D(12), held=D(12)), order.id, D(12), D(99))
    assert denied is not None
    assert denied.step == "breaker"
    assert made.gateway.amend(closing(D(5), held=D(12)), order.id, D(5), D(99)) is None  # less risk
    assert working(made) == [(D(5), D("99.0"))]
    denied = made.gateway.amend(closing(D(1000), held=D(1000)), "nobody's", D(1000), D(99))
    assert denied is not None


def test_a_change_beyond_the_money_there_is_is_denied_and_leaves_what_was_bound(tmp_path: Path) -> None:
    made, order = resting(tmp_path)
    before = made.gateway.reservations.bound()
    denied = made.gateway.amend(closing(D(1000), held=D(1000)), order.id, D(1000), D(99))
    assert denied is not None
    assert denied.step == "reservation"
    assert made.gateway.reservations.bound() == before
    assert made.truth.calls.count("amend") == 0


@pytest.mark.parametrize(("kind", "quantity"), [("dropped", D(12)), ("lost", D("10.101"))])
def test_a_lost_answer_is_made_up_by_looking(tmp_path: Path, kind: str, quantity: Decimal) -> None:
    made, order = resting(tmp_path)
    made.truth.fault("amend", kind)
    made.gateway.amend(closing(D(12), held=D(12)), order.id, D(12), D(99))
    made.turns(3)
    assert made.truth.working()[0].quantity == quantity
    assert [one for one, _ in working(made)] == [quantity]
    later = made.again()
    assert all(step.done for step in later.recovered(later.kept))
    assert later.gateway.orders.of_session[order.id].quantity == quantity
    assert working(later) == working(made)


def test_a_refused_change_changes_nothing(tmp_path: Path) -> None:
    made, order = resting(tmp_path)
    before = made.gateway.reservations.bound()
    made.truth.fault("amend", "refused")
    denied = made.gateway.amend(closing(D(12), held=D(12)), order.id, D(12), D(99))
    assert denied is not None
    assert made.gateway.reservations.bound() == before
    assert working(made) == [(D("10.101"), D("99.0"))]


def test_legs_go_out_together_or_not_at_all(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    sent = []
    made.gateway.submit = lambda approved, order: sent.append((approved, order))  # type: ignore[method-assign]
    made.step(1, "BTC-USD", "ETH-USD", "SOL-USD")
    del made.gateway.submit
    made.truth.fault("place", "fine", "refused")
    made.gateway.submit_together(sent)
    assert made.truth.working() == []
    assert made.session.settling.waiting == {}
    assert sorted(one.cause for one in made.cancels) == ["cancelled", "leg gone", "refused by the venue"]
    assert len(made.truth.arrived) == 1  # the second was refused, the third not sent
