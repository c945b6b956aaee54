"""What is left over and is less than the venue takes: it does not loop, does not keep trading off, and is told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from fake_exchange import rules_for
from gateway_world import World, world
from test_gateway_steps import RESTING

D = Decimal


def crumbled(folder: Path) -> World:
    """A little of an entry has filled; the venue takes orders of 0.1 and more."""
    made = world(folder, rules=RESTING)
    made.step(1, "BTC-USD")
    made.truth.rules_["BTC-USD"] = rules_for("BTC-USD", min_quantity=D("0.1"))
    made.gateway.demands.refresh(["BTC-USD"])
    made.truth.fill_up_to("buy", D("0.001"))
    made.turns(3)
    return made


def test_while_the_entry_works_a_crumb_waits(tmp_path: Path) -> None:
    made = crumbled(tmp_path)
    assert made.positions == {"BTC-USD": D("0.01")}
    assert len(made.truth.arrived) == 1  # nothing is sent that the venue refuses
    made.truth.fill_up_to("buy", D("0.5"))
    made.turns(3)
    assert made.truth.protected("BTC-USD") == made.positions["BTC-USD"] > 5


def test_what_is_left_counts_as_closed_and_is_told_once(tmp_path: Path) -> None:
    made = crumbled(tmp_path)
    (order,) = made.session.waiting.values()
    made.session.settling.take_back(order, made.truth.time, "expired")
    made.turns(90)
    assert made.positions == {}
    assert made.held == {"BTC-USD": D("0.01")}
    assert len(made.truth.arrived) == 1
    assert [fill.cause for fill in made.fills] == ["entry", "crumb"]
    told = [words for words in made.alarms if "less than the venue takes" in words]
    assert told == ["0.01 BTC-USD are less than the venue takes: they stay in the account, and count as closed"]
    assert made.breaker.state == "closed"
    assert not made.session.is_busy(("s", "BTC-USD"), made.truth.time)
    later = made.again()
    assert all(step.done for step in later.recovered(later.kept))
    assert later.positions == {}
    assert later.session.account.cash == made.session.account.cash


def test_a_flatten_asks_the_venue_for_a_crumb_too(tmp_path: Path) -> None:
    made = crumbled(tmp_path)
    made.gateway.flatten("ana", "leaving")
    made.turns(10)
    assert made.positions == {}
    assert made.fills[-1].cause == "flatten"  # this venue takes what closes, however little
