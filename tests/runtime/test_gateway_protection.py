"""What is held has its stop and target at the venue, for exactly what is held; where it cannot have them, it is not held."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from gateway_world import LONG, START, world
from small_projects import strategy
from test_gateway_steps import RESTING, refusals

from tb.core.time import HOUR
from tb.runtime.gateway.terms import Terms

D = Decimal
HELD = LONG + "  hold at most 2h\n"
TAKES = LONG.replace("    target", "    take 50% at 10% above entry\n    target")
STOP_ONLY = strategy(size="10% of equity", members="BTC-USD")
TRAILING = strategy(size="10% of equity", stop="10% below entry", members="BTC-USD").replace(
    "    stop", "    stop to entry after 5%\n    stop"
)


def test_levels_are_measured_from_the_price_that_was_paid(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.prices["BTC-USD"] = D(102)
    made.step(1, "BTC-USD")
    (guard,) = made.truth.working()
    assert (guard.stop, guard.target) == (D("91.8"), D("122.4"))


def test_every_part_that_fills_is_protected_at_the_average_paid(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    for share in ("0.3", "0.6", "1"):
        made.truth.fill_up_to("buy", D(share))
        made.turn()
        assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD") > 0
        waiting = made.session.settling.waiting.get(("s", "BTC-USD"))
        assert (waiting.quantity if waiting is not None else 0) == D("10.101") - made.truth.holding("BTC-USD")
    (trade,) = {trade.seq: trade for trade in made.trades}.values()
    assert (trade.quantity, trade.entry_price) == (D("10.101"), D(99))
    made.truth.move("BTC-USD", 80)
    made.turn()
    assert made.positions == made.held == {}
    assert made.truth.working() == []


def test_what_is_left_of_an_entry_goes_on_counting_until_its_end_is_known(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.truth.fill_up_to("buy", D("0.4"))
    made.turn()
    made.truth.fault("cancel", "lost")
    made.truth.fault("find", *["lost"] * 3)
    made.session.settling.stop_entries("s", START + HOUR, "halt deep")
    assert [order.quantity for order in made.session.account.working.values()] == [D("10.101") - made.held["BTC-USD"]]
    made.turns(6)
    assert len(made.session.account.working) == 0
    assert [(one.cause, one.quantity) for one in made.cancels] == [("halt deep", D("10.101") - made.held["BTC-USD"])]
    assert made.truth.protected("BTC-USD") == made.held["BTC-USD"]


def test_a_fill_after_the_cancel_is_held_and_protected(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.session.settling.stop_entries("s", START + HOUR, "halt deep")
    assert made.cancels[-1].cause == "halt deep"
    made.truth.fill(resting.client_id, D(4), D(99))
    made.truth.tell(resting.client_id)
    made.turn()
    assert made.positions == made.held == {"BTC-USD": D(4)}
    assert made.truth.protected("BTC-USD") == D(4)


def test_an_entry_whose_protection_is_refused_is_closed_at_once(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "fine", "refused")
    made.step(1, "BTC-USD")
    assert made.positions == made.held == {}
    assert made.trades[-1].cause == "unprotected"
    assert made.said("protection")[0][0] == "unprotected"


def test_protection_that_does_not_come_in_time_closes_the_position(tmp_path: Path) -> None:
    made = world(tmp_path, terms=Terms(protect_within=5_000, prove_after=60_000))
    made.truth.fault("place", "fine", "lost")
    made.step(1, "BTC-USD")
    made.turns(4)
    assert made.held == {"BTC-USD": D(10)}  # whether the first one is there is not known: no second one
    assert made.truth.calls.count("place") == 2
    made.turns(70)
    assert made.positions == made.held == {}
    assert made.trades[-1].cause == "unprotected"


def test_what_never_arrived_is_placed_anew_under_another_id(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "fine", "lost")
    made.step(1, "BTC-USD")
    made.turns(10)
    assert made.truth.protected("BTC-USD") == D(10)
    assert len(set(made.truth.ids())) == len(made.truth.ids()) == 2


def test_takes_leave_with_the_stop_of_the_rest_in_place(tmp_path: Path) -> None:
    made = world(tmp_path, rules=TAKES)
    made.step(1, "BTC-USD")
    assert sorted((one.quantity, one.target) for one in made.truth.working()) == [(D(5), D(110)), (D(5), D(120))]
    made.truth.move("BTC-USD", 111)
    made.turn()
    assert made.positions == made.held == {"BTC-USD": D(5)}
    assert made.fills[-1].cause == "take"
    made.truth.move("BTC-USD", 85)
    made.turn()
    assert (made.held, made.trades[-1].cause) == ({}, "stop")


def test_a_stop_without_target_is_a_stop_order(tmp_path: Path) -> None:
    made = world(tmp_path, rules=STOP_ONLY)
    made.step(1, "BTC-USD")
    (guard,) = made.truth.working()
    assert (guard.form, guard.price, guard.target) == ("stop", D(90), None)


def test_a_stop_that_moves_replaces_the_one_at_the_venue(tmp_path: Path) -> None:
    made = world(tmp_path, rules=TRAILING)
    made.truth.prices["BTC-USD"] = D(90)
    made.step(1, "BTC-USD")
    made.truth.time = START + 2 * HOUR + 1000
    made.truth.move("BTC-USD", 100)
    made.turn()
    made.step(2)  # the close of 100 is more than 5% above what was paid
    made.turn()
    (guard,) = made.truth.working()
    assert guard.price == D(90)
    later = made.again()
    assert all(step.done for step in later.recovered())
    (position,) = later.session.positions.values()
    assert (position.stop, position.moved_by, position.initial_stop) == (D(90), "break-even", D(81))


def test_an_exit_of_the_session_takes_the_protection_back_first(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.step(4)
    assert made.positions == made.held == {}
    assert made.truth.calls[-4:] != []
    assert made.trades[-1].cause == "hold"
    assert made.truth.working() == []


def test_an_exit_waits_until_the_protection_is_known_to_be_gone(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.fault("cancel", "lost")
    made.truth.fault("find", *["lost"] * 2)
    before = len(made.truth.arrived)
    made.step(4)
    assert len(made.truth.arrived) == before
    assert made.truth.protected("BTC-USD") == D(10)
    made.turns(4)
    assert made.positions == made.held == {}


def test_where_the_protection_fills_first_the_exit_is_over(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.late = True  # the cancel is taken up and the stop fills all the same
    made.step(4)
    made.turns(2)
    assert made.positions == made.held == {}
    assert [one.cause for one in made.cancels] == ["position closed"]
    assert sum(fill.quantity for fill in made.fills if fill.side == "sell") == D(10)


def test_a_refused_exit_leaves_the_position_protected_and_may_be_asked_for_again(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.fault("place", "refused")
    made.step(4)
    assert made.truth.protected("BTC-USD") == made.held["BTC-USD"] == D(10)
    made.truth.time = START + 5 * HOUR + 500
    made.turn()
    made.step(5)
    assert made.held == {}


def test_flatten_closes_everything_and_nothing_new_comes(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD", "ETH-USD")
    made.truth.move("BTC-USD", 99)
    made.turn()
    made.breaker.open(made.truth.time, "ann", "look")
    made.gateway.flatten("ann", "enough")
    assert made.positions == made.held == {}
    assert made.truth.working() == []
    assert made.trades[-1].cause == "flatten"


def test_an_exit_that_fills_in_parts_and_ends_is_asked_for_again(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.shares.append(D("0.4"))
    made.step(4)
    (exit_,) = made.truth.working()
    assert made.positions == made.held == {"BTC-USD": D(6)}
    made.truth.do_cancel(exit_)
    made.turn()
    assert made.truth.protected("BTC-USD") == D(6)
    made.truth.time = START + 5 * HOUR + 500
    made.turn()
    made.step(5)
    assert made.held == {}
    assert sum(fill.quantity for fill in made.fills if fill.side == "sell") == D(10)


def test_a_stop_that_fills_while_it_is_replaced_leaves_nothing_to_protect(tmp_path: Path) -> None:
    made = world(tmp_path, rules=TRAILING)
    made.truth.prices["BTC-USD"] = D(90)
    made.step(1, "BTC-USD")
    made.truth.time = START + 2 * HOUR + 1000
    made.truth.move("BTC-USD", 100)
    made.turn()
    (key,) = made.session.positions
    made.gateway.bare[key] = START + HOUR  # it has stood without its stop before
    made.truth.late = True
    made.step(2)
    made.turn()
    assert made.positions == made.held == {}
    assert made.truth.working() == []
    assert made.alarms == []
    assert key not in made.gateway.bare


def test_what_is_entered_while_a_position_is_being_closed_has_a_stop_of_its_own(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.truth.fill(resting.client_id, D(4), D(99))
    made.truth.tell(resting.client_id)
    made.turn()
    assert made.truth.protected("BTC-USD") == D(4)
    made.truth.fault("cancel", "lost", "lost", "fine", *["lost"] * 30)  # of the entry, twice; of its stop; of the entry again
    made.truth.shares.append(D(0))  # the venue has the order at market, and does not fill it
    made.gateway.flatten("ann", "enough")
    (closing,) = [one for one in made.truth.working() if one.side == "sell"]
    assert (closing.form, closing.quantity) == ("market", D(4))
    made.truth.fill(resting.client_id, D(2), D(99))
    made.truth.tell(resting.client_id)
    made.turns(2)
    assert made.positions == made.held == {"BTC-USD": D(6)}
    assert [(one.form, one.quantity) for one in made.truth.working() if one.side == "sell"] == [
        ("market", D(4)),
        ("bracket", D(2)),
    ]
    made.truth.fill(closing.client_id, D(4), D(99))
    made.truth.tell(closing.client_id)
    made.turn()
    assert made.truth.protected("BTC-USD") == made.held["BTC-USD"] == D(2)


@pytest.mark.parametrize("finds", [["lost"] * 3, ["fine", "lost", "lost"]], ids=["waits", "is out"])
def test_an_exit_of_the_session_does_not_go_out_beside_an_order_that_closes_already(tmp_path: Path, finds: list[str]) -> None:
    made = world(tmp_path, rules=HELD)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.fault("place", "dropped")  # it arrives, and nobody here knows
    made.truth.shares.extend([D(0), D(0)])
    made.truth.fault("find", *finds)
    made.gateway.flatten("ann", "enough")
    made.step(4)  # its time is up as well
    made.turns(8)
    asked = [one.client for one in made.handlings if (one.what, one.status) == ("sent", "sent")]
    assert len(asked) == 3  # the entry, its protection, and one order that closes it
    assert ("symbol lock", "another order that closes the position is on its way") in refusals(made)
    sells = [one for one in made.truth.orders.values() if one.side == "sell" and one.form == "market"]
    assert [one.quantity for one in sells] == [D(10)]
    made.truth.fill(sells[0].client_id, D(10), D(100))
    made.truth.tell(sells[0].client_id)
    made.turns(3)
    assert made.positions == made.held == {}
    assert made.truth.working() == []


def test_a_stop_is_not_replaced_before_the_old_one_is_known_to_be_gone(tmp_path: Path) -> None:
    made = world(tmp_path, rules=TRAILING)
    made.truth.prices["BTC-USD"] = D(90)
    made.step(1, "BTC-USD")
    made.truth.time = START + 2 * HOUR + 1000
    made.truth.move("BTC-USD", 100)
    made.turn()
    made.truth.fault("cancel", "lost", "lost")
    before = len(made.truth.arrived)
    made.step(2)
    made.turn()
    assert (len(made.truth.arrived), made.truth.protected("BTC-USD")) == (before, made.held["BTC-USD"])
    made.turns(4)
    assert [one.price for one in made.truth.working()] == [D(90)]
    assert made.truth.protected("BTC-USD") == made.held["BTC-USD"]


def test_what_the_venue_goes_on_refusing_is_tried_again_after_longer_and_longer_pauses(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "fine", *["refused"] * 500)
    made.step(1, "BTC-USD")
    made.turns(240, 500)
    assert 6 <= made.truth.calls.count("place") <= 24  # two minutes
    made.truth.faults.clear()
    made.turns(65)
    assert made.truth.protected("BTC-USD") == made.held["BTC-USD"] == D(10)


def test_protection_that_rests_is_not_asked_about_every_turn(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD", "ETH-USD", "SOL-USD")
    before = made.truth.calls.count("find")
    made.turns(55)
    assert made.truth.calls.count("find") - before <= 18  # each of three every ten seconds
    made.truth.is_deaf = True
    made.truth.move("ETH-USD", 85)
    made.turns(35)
    assert sorted(made.positions) == ["BTC-USD", "SOL-USD"]
