"""Venues that say less than they know, refuse some orders, or take none below their smallest; and what tests ask of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fake_exchange import Truth
from gateway_world import LONG, START, World, world
from small_projects import strategy

from tb.core.time import HOUR
from tb.runtime.gateway.terms import Terms
from tb.runtime.ports.exchange import OrderState, Refusal

D = Decimal
PATIENT = Terms(protect_within=10_000)


def later(made: World, hour: int) -> None:
    made.truth.time = START + hour * HOUR + 500
    made.turn(0)


def rich() -> Truth:
    """Ten of the asset are the person's own."""
    truth = Truth(START + HOUR)
    truth.totals["BTC"] = D(10)
    return truth


def sells(made: World) -> list[OrderState]:
    return [one for one in made.truth.orders.values() if one.side == "sell"]


def sold(made: World) -> Decimal:
    return sum((one.filled for one in sells(made)), D(0))


class Forgets:
    """A venue that says how much filled before it says at what price."""

    def __init__(self, truth: Truth, which: Any) -> None:
        self.truth, self.which, self.on = truth, which, True

    def bare(self, state: Any) -> Any:
        is_it = isinstance(state, OrderState) and state.filled and self.on and self.which(state)
        return replace(state, average=None) if is_it else state

    def __call__(self, method: str, *args: Any) -> Any:
        found = self.truth.call(method, *args)
        return tuple(map(self.bare, found)) if isinstance(found, tuple) else self.bare(found)


class Only:
    """A venue that refuses orders of some forms."""

    def __init__(self, truth: Truth, *refused: str) -> None:
        self.truth, self.refused = truth, list[str](refused)

    def __call__(self, method: str, *args: Any) -> Any:
        if method == "place" and args[0].form in self.refused:
            self.truth.calls.append("refused")
            return Refusal("LIMIT_ONLY", "no orders at market now")
        return self.truth.call(method, *args)


OTHER = LONG.replace("strategy s ", "strategy other ")
FEWER = LONG


def late_of_another_policy(folder: Path, rules: str, other: str) -> World:
    made = world(folder, rules=rules)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.session.settling.stop_entries("s", START + HOUR, "halt deep")
    made.turns(3)
    assert not made.truth.working()
    again = made.again(rules=other)
    again.gateway.policy_hash = "1" * 64
    assert [step.done for step in again.recovered()] == [True] * 6
    made.truth.fill(resting.client_id, D(4), D(99))  # all the same
    made.truth.tell(resting.client_id)
    return again


BOTH = strategy(
    size="10% of equity",
    stop="10% below entry",
    target="20% above entry",
    members="BTC-USD",
    more=("enter short when volume > 0", "  size 10% of equity", "  stop 10% above entry", "  target 20% below entry"),
).replace(
    "    size 10% of equity\n    stop 10% below",
    "    order limit at close * 0.99, valid 10h\n    size 10% of equity\n    stop 10% below",
)


class Smallest:
    """A venue that takes no order below its smallest."""

    def __init__(self, truth: Truth, least: str) -> None:
        self.truth, self.least = truth, D(least)

    def __call__(self, method: str, *args: Any) -> Any:
        if method == "place" and args[0].quantity < self.least:
            return Refusal("SIZE", "too small")
        return self.truth.call(method, *args)
