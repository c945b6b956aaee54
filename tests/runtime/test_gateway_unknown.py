"""Orders whose fate nobody knows: looked up until the venue has proved one thing or the other, and never sent again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from fake_exchange import Truth
from gateway_world import START, world
from test_gateway_steps import RESTING

from tb.core.time import HOUR
from tb.runtime.gateway.terms import Terms

D = Decimal


def test_a_dropped_reply_is_looked_up_and_not_sent_again(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "dropped")
    made.step(1, "BTC-USD")
    (tracked,) = made.gateway.orders.unknown()
    assert (tracked.status, made.positions) == ("unknown", {})
    assert made.held == {"BTC-USD": D(10)}
    made.turn(500)
    assert made.gateway.orders.unknown() == []
    assert made.positions == {"BTC-USD": D(10)}
    assert made.truth.protected("BTC-USD") == D(10)
    assert len(made.truth.arrived) == 2


def test_no_answer_is_not_an_empty_answer(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.is_deaf = True
    made.truth.fault("place", "lost")
    made.truth.fault("find", *["lost"] * 60)
    made.step(1, "BTC-USD")
    made.turns(60)
    assert len(made.gateway.orders.unknown()) == 1  # a minute without an answer proves nothing
    assert [asset for asset, _ in made.gateway.reservations.bound().values()] == ["USD"]
    assert ("s", "BTC-USD") in made.session.settling.waiting
    made.turns(6)
    assert made.gateway.orders.unknown() == []
    assert made.gateway.reservations.bound() == {}
    assert made.cancels[-1].cause == "never arrived"


def test_an_empty_answer_counts_only_once_the_order_had_time_to_arrive(tmp_path: Path) -> None:
    made = world(tmp_path, terms=Terms(prove_after=5_000))
    made.truth.fault("place", "delayed")
    made.step(1, "BTC-USD")
    made.truth.time -= 1500  # it arrives in between
    made.turn(1000)
    made.turn(400)
    assert [one.status for one in made.gateway.orders.unknown()] == ["unknown"]
    made.turns(4)
    assert made.positions == made.held == {"BTC-USD": D(10)}
    assert len(made.truth.arrived) == 2


def test_what_shows_up_after_it_was_proved_absent_is_taken_back_and_what_it_filled_is_held_and_protected(
    tmp_path: Path,
) -> None:
    made = world(tmp_path, rules=RESTING, terms=Terms(prove_after=1_000))
    made.truth.fault("place", "delayed")
    made.step(1, "BTC-USD")
    for _ in range(4):
        made.turn(400)
    assert made.cancels[-1].cause == "never arrived"
    made.truth.shares.append(D("0.5"))
    made.truth.prices["BTC-USD"] = D(98)
    made.turns(4)
    (entry,) = [one for one in made.truth.orders.values() if one.side == "buy"]
    assert entry.status == "cancelled"
    assert made.positions == made.held
    assert made.truth.protected("BTC-USD") == entry.filled > 0


def test_a_refusal_is_a_refusal(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "refused")
    made.step(1, "BTC-USD")
    assert made.cancels[-1].cause == "refused by the venue"
    assert made.gateway.orders.unsettled == {}
    assert made.gateway.reservations.bound() == {}
    assert made.session.account.activity.rejects_in_a_row == 1


@pytest.mark.parametrize("sent", ["twice", "older first"])
def test_an_answer_told_twice_or_late_is_booked_once(tmp_path: Path, sent: str) -> None:
    made = world(tmp_path, rules=RESTING)
    made.truth.twice = sent == "twice"
    made.step(1, "BTC-USD")
    resting = made.truth.working()[0]
    made.truth.fill_up_to("buy", D("0.5"))
    half = made.truth.orders[resting.client_id]
    made.turn()
    made.truth.finish(resting.client_id)
    made.turn()
    made.gateway.hear([half, resting, half])
    made.turn()
    assert made.positions == made.held == {"BTC-USD": D("10.101")}
    assert sum(fill.quantity for fill in made.fills) == D("10.101")
    assert made.truth.protected("BTC-USD") == D("10.101")


def test_a_gap_in_what_is_told_is_made_up_by_asking(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.truth.move("BTC-USD", 98)
    made.truth.gap()
    made.turn()
    assert made.positions == made.held == {"BTC-USD": D("10.101")}
    assert any(what == "data" and "gap" in words for what, words in made.notices)
    assert made.alarms == []  # it was made up for: nobody has to get up


@pytest.mark.parametrize("cancels", [True, False])
def test_resting_entries_are_cancelled_when_the_venue_falls_silent_and_stops_stay(tmp_path: Path, cancels: bool) -> None:
    made = world(tmp_path, rules=RESTING, terms=Terms(cancel_on_disconnect=cancels))
    made.step(1, "BTC-USD", "ETH-USD")
    made.truth.move("ETH-USD", 98)
    made.turn()
    made.truth.down_until = made.truth.time + 40_000
    made.turns(45)
    assert sorted(one.form for one in made.truth.working()) == (["bracket"] if cancels else ["bracket", "limit"])
    assert [one.cause for one in made.cancels] == (["disconnected"] if cancels else [])


def test_an_order_of_somebody_else_opens_the_breaker(tmp_path: Path) -> None:
    made = world(tmp_path)
    from tb.runtime.ports.exchange import Request

    made.truth.do_place(Request("by hand", "BTC-USD", "buy", D(1), "limit", price=D(50)))
    made.turn()
    assert any("was not sent from here" in words for words in made.alarms)
    made.turns(61)
    assert made.breaker.state == "open"
    assert made.gateway.standing("BTC-USD", 0).breaker == "halted"


def test_a_foreign_buy_or_a_withdrawal_beyond_tolerance_opens_the_breaker_and_a_crumb_is_adopted(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.totals["BTC"] += D("0.001")
    made.turns(65)
    assert made.breaker.state == "closed"
    assert ("adopted", "the venue has 10.001 BTC, 10 are known") in made.said("agreement")
    made.truth.totals["USD"] -= D(500)
    made.turns(65)
    assert made.breaker.state == "open"
    assert made.said("agreement")[-1][0] == "differs"


def test_who_closes_the_breaker_accepts_the_difference_that_was_told_and_no_other(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.totals["USD"] += D(500)  # a deposit
    made.turns(65)
    assert made.breaker.state == "open"
    made.breaker.close(made.truth.time, "ann", "a deposit")
    made.turns(65)
    assert made.breaker.state == "half open"
    assert made.said("agreement")[-2][0] == "adopted"
    made.truth.totals["ETH"] += D(5)
    made.turns(65)
    assert made.breaker.state == "open"
    assert made.positions == {"BTC-USD": D(10)}


def test_a_difference_that_was_accepted_is_not_accepted_again(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.turns(65)
    for _ in range(2):
        made.truth.totals["USD"] += D(500)
        made.turns(65)
        assert made.breaker.state == "open"
        made.breaker.close(made.truth.time, "ann", "a deposit")
        made.turns(65)
        assert made.breaker.state != "open"


def test_what_a_person_sold_by_hand_comes_off_what_is_held_once_it_is_accepted(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    (guard,) = made.truth.working()
    made.truth.do_cancel(guard)
    made.truth.totals["BTC"] -= D(4)
    made.truth.totals["USD"] += D(400)
    made.turns(65)
    assert made.breaker.state == "open"
    made.breaker.close(made.truth.time, "ann", "sold by hand")
    made.turns(65)
    assert made.positions == made.held == {"BTC-USD": D(6)}
    assert made.truth.protected("BTC-USD") == D(6)
    assert made.trades[-1].exits[-1].cause == "gone"
    later = made.again()
    assert all(step.done for step in later.recovered(later.kept))
    assert later.positions == {"BTC-USD": D(6)}
    assert later.session.account.cash == made.session.account.cash


def test_what_the_account_had_before_is_not_from_here(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.totals["BTC"] = D(3)
    made = world(tmp_path, truth=truth)
    made.step(1, "BTC-USD")
    made.turns(65)
    assert made.breaker.state == "closed"
    assert made.positions == {"BTC-USD": D(10)}
    assert truth.protected("BTC-USD") == D(10)
    made.gateway.flatten("ann", "enough")
    made.turns(3)
    assert truth.totals["BTC"] == D(3)


def test_balances_without_an_answer_are_not_an_empty_account(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.fault("balances", *["lost"] * 100)
    made.turns(70)
    assert made.breaker.state == "closed"
    assert (made.gateway.standing("BTC-USD", 0).reconciled_age or 0) >= 65_000
    assert made.positions == {"BTC-USD": D(10)}
