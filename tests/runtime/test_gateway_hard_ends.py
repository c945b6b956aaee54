"""What a gateway tells, forgets, asks again and does after a restart, where venues, disks and people are at their worst."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fake_exchange import Truth
from gateway_world import LONG, START, world
from hard_venues import OTHER, PATIENT, Forgets, Only, later
from test_gateway_protection import HELD, TAKES, TRAILING
from test_gateway_steps import RESTING

from tb.core.time import HOUR
from tb.runtime.gateway.recovery import Recovery
from tb.runtime.ports.exchange import NoAnswer, Quoted
from tb.runtime.running.live import LiveVenue

D = Decimal


def test_a_passed_stop_that_cannot_be_closed_is_tried_ever_more_seldom_and_told_once(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    made = world(tmp_path, truth=truth, terms=PATIENT, call=Only(truth))
    made.step(1, "BTC-USD")
    made.gateway.exchange.call.refused.append("market")
    truth.prices["BTC-USD"] = D(70)  # jumped over

    class Rests(Only):
        pass

    truth.touch = lambda client, arriving=False: None  # type: ignore[method-assign]  # what is placed again rests too
    for _ in range(240):
        truth.time += 250
        made.gateway.hear([Quoted("BTC-USD", D(70), D(71), truth.time, truth.time)])
        made.gateway.attend()
    assert len(made.alarms) <= 2
    assert truth.calls.count("refused") <= 10  # in fifty seconds


def test_what_the_venue_refuses_to_close_is_tried_ever_more_seldom_without_levels_too(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    made = world(tmp_path, truth=truth, call=Only(truth))
    made.step(1, "BTC-USD")
    for position in made.session.positions.values():
        position.stop = position.target = None  # as of a strategy that quotes
    made.turns(3)
    made.gateway.exchange.call.refused.append("market")
    venue = LiveVenue(made.gateway, made.recovery)
    venue.flatten("ann", "enough")
    for _ in range(240):
        truth.time += 250
        venue.attend()
    assert truth.calls.count("refused") <= 12  # in a minute


def test_sums_that_grew_are_believed_of_an_order_that_was_told_over(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.gateway.hear([replace(resting, status="cancelled")])  # the venue's word, and it works on
    made.truth.fill(resting.client_id, D(4), D(99))
    made.truth.tell(resting.client_id)
    made.turns(20)
    assert made.positions == made.held == {"BTC-USD": D(4)}
    assert made.truth.protected("BTC-USD") == D(4)


def test_an_order_that_was_told_over_and_works_is_taken_back(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.gateway.hear([replace(resting, status="cancelled")])
    made.turns(130)
    assert made.truth.working() == []


def test_what_filled_at_a_price_that_is_never_told_is_an_alert_in_time(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    made = world(tmp_path, truth=truth, terms=PATIENT, call=Forgets(truth, lambda one: one.side == "buy"))
    made.step(1, "BTC-USD")
    made.turns(20)
    assert made.held == {"BTC-USD": D(10)}
    assert made.truth.protected("BTC-USD") == D(10)
    assert any("does not say at what price" in words for words in made.alarms)


def test_a_target_after_a_restart_is_that_before_it(tmp_path: Path) -> None:
    rules = TRAILING.replace("    stop to", "    target 50% above entry\n    stop to").replace(
        "    size", "    order limit at close * 0.99, valid 10h\n    size"
    )
    made = world(tmp_path, rules=rules)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.truth.fill(resting.client_id, D(4), D(90))
    made.truth.tell(resting.client_id)
    made.truth.time = START + 2 * HOUR + 1000
    made.turn()
    made.step(2)  # the close of 100 moves the stop
    made.truth.fill(resting.client_id, D(2), D(99))
    made.truth.tell(resting.client_id)
    made.turn()
    made.turns(3)
    (before,) = made.session.positions.values()
    again = made.again()
    assert [step.done for step in again.recovered()] == [True] * 6
    (after,) = again.session.positions.values()
    assert (after.stop, after.target, after.initial_stop) == (before.stop, before.target, before.initial_stop)


def test_an_order_that_is_never_answered_does_not_hide_the_others(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    bad: list[str] = []

    def call(method: str, *args: Any) -> Any:
        if method == "find" and args[0] in bad:
            return NoAnswer("the adapter failed in `find`: KeyError")
        return truth.call(method, *args)

    made = world(tmp_path, truth=truth, rules=TAKES, call=call)
    made.step(1, "BTC-USD", "ETH-USD", "SOL-USD")
    assert len(truth.working()) == 6
    first = truth.working()[0]
    truth.is_deaf = True
    bad.append(first.client_id)
    truth.do_cancel(first)
    truth.move("SOL-USD", 85)
    turns = 0
    while "SOL-USD" in made.positions and turns < 60:
        made.turn(1000)
        turns += 1
    assert turns < 25


def test_what_a_person_says_before_the_journal_was_read_adopts_nothing(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.turns(2)
    wrong = made.again(rules=OTHER)
    wrong.gateway.policy_hash = "1" * 64
    assert "has no strategy any more" in wrong.recovered()[-1].words
    wrong.gateway.standing("BTC-USD", 0)
    LiveVenue(wrong.gateway, wrong.recovery).reconcile("ann")
    right = wrong.again(rules=LONG)
    assert [step.done for step in right.recovered()] == [True] * 6


def test_an_instrument_that_the_venue_does_not_list_any_more_is_no_difference_of_money(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.move("BTC-USD", 120)
    made.turns(2)
    assert made.held == made.positions == {}
    rules = made.truth.rules_
    made.truth.do_rules = lambda names: {one: rules[one] for one in names if one != "BTC-USD"}  # type: ignore[method-assign]
    made.turns(130)
    assert made.breaker.state == "closed"


def test_rules_that_a_venue_does_not_have_are_not_asked_for_at_every_turn(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    rules = made.truth.rules_
    made.truth.do_rules = lambda names: {one: rules[one] for one in names if one != "BTC-USD"}  # type: ignore[method-assign]
    made.turns(65)
    before = made.truth.calls.count("rules")
    made.turns(40, 250)
    assert made.truth.calls.count("rules") - before <= 12  # in ten seconds


def test_the_newest_quote_that_is_no_number_ends_nothing(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.time += 250
    made.gateway.hear([Quoted("BTC-USD", D("NaN"), D("NaN"), made.truth.time, made.truth.time)])
    made.gateway.attend()


def test_an_entry_that_rests_when_the_breaker_opens_is_taken_back(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.truth.totals["USD"] -= 1000  # somebody took money away: the breaker opens
    made.turns(70)
    assert made.breaker.state == "open"
    assert made.truth.working() == []


def test_what_cannot_be_is_told_also_while_the_breaker_is_open_already(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    made.breaker.open(made.truth.time, "ann", "looking")
    made.alarms.clear()
    made.gateway.hear([replace(resting, filled=D(1000), average=D(100))])
    made.turns(2)
    assert made.alarms


def test_a_breaker_that_is_half_open_is_not_closed_by_orders_from_before(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.turns(70)
    made.breaker.open(made.truth.time, "gateway", "something")
    turned_back = made.truth.time - HOUR // 2  # the wall clock, which the loop follows
    LiveVenue(made.gateway, made.recovery).resumed(turned_back, "ann", "looked")
    assert made.breaker.state == "half open"
    made.turns(3)
    assert made.breaker.state == "half open"


def test_a_session_that_ends_waits_until_its_entries_are_known_to_be_over(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from tb.runtime.running.loop import Loop, Waits
    from tb.runtime.running.stepper import Sending, Stepper

    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    venue = LiveVenue(made.gateway, made.recovery)
    recorder: Any = SimpleNamespace(flush=lambda: True, blocked="", trouble="", told=[], take_told=list)
    stepper = Stepper.__new__(Stepper)
    stepper.session, stepper.sending, stepper.recorder, stepper.last = made.session, Sending(venue, recorder), recorder, None
    stepper.entries = SimpleNamespace(hand_out=list)  # type: ignore[assignment]
    heard: list[Any] = []
    loop = Loop.__new__(Loop)
    loop.stepper, loop.files, loop.stopping, loop._troubles = stepper, None, "stopped by SIGTERM", {}
    loop.waits, loop._carried_out = Waits(), {}
    loop.journal = SimpleNamespace(write=lambda given: True, retry=lambda: None, trouble="")  # type: ignore[assignment]
    loop.alerts = SimpleNamespace(send=heard.append)  # type: ignore[assignment]

    def wait(span: int) -> None:
        made.truth.time += span

    loop.time = SimpleNamespace(  # type: ignore[assignment]
        now=lambda: made.truth.time, trouble=lambda *_: "", clock=SimpleNamespace(wait=wait, steady=lambda: made.truth.time)
    )
    made.truth.fault("cancel", "lost")
    loop._end(made.truth.time)
    assert made.truth.working() == []
    assert heard == []


def test_an_exit_at_market_that_the_venue_ended_unfilled_is_tried_again(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD)
    venue = LiveVenue(made.gateway, made.recovery)
    made.session.venue = venue
    made.step(1, "BTC-USD")
    later(made, 4)
    made.truth.shares.append(D(0))
    made.step(4)
    (exit_,) = made.truth.working()
    made.truth.do_cancel(exit_)  # nothing was there to trade with
    for _ in range(240):
        made.truth.time += 250
        venue.attend()
    assert made.held == {}


def test_that_recovery_cannot_finish_is_told_once_and_not_every_five_seconds(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    again = made.again()
    again.truth.fault("open_orders", *["lost"] * 10_000)
    venue = LiveVenue(again.gateway, Recovery(again.gateway))
    for _ in range(600):
        again.truth.time += 1_000
        venue.attend()
    assert 1 <= len(again.alarms) <= 10


def test_the_same_difference_is_not_recorded_every_five_seconds(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.totals["USD"] -= 1000
    made.turns(600)
    assert made.breaker.state == "open"
    assert len([one for one in made.handlings if one.what == "agreement" and one.status == "differs"]) <= 20
