"""Answers that come late, in parts or not at all: nothing is sold or bought twice, and what is held keeps its stop."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fake_exchange import Truth, rules_for
from gateway_world import START, world
from hard_venues import BOTH, PATIENT, Forgets, Only, Smallest, late_of_another_policy, later, rich, sold
from test_gateway_protection import HELD, TAKES, TRAILING
from test_gateway_steps import RESTING

from tb.core.records import Fill
from tb.core.time import HOUR
from tb.runtime.ports.exchange import OrderState
from tb.runtime.running.live import LiveVenue

D = Decimal


def test_a_stop_that_filled_at_a_price_not_told_yet_is_not_placed_again(tmp_path: Path) -> None:
    truth = rich()
    made = world(tmp_path, truth=truth, call=Forgets(truth, lambda one: one.side == "sell"))
    made.step(1, "BTC-USD")
    made.truth.move("BTC-USD", 85)
    made.turn()
    made.gateway.exchange.call.on = False
    made.turns(3)
    assert sold(made) == D(10)
    assert made.truth.holding("BTC-USD") == D(10)


def test_an_exit_that_filled_at_a_price_not_told_yet_is_not_sent_again(tmp_path: Path) -> None:
    truth = rich()
    made = world(
        tmp_path, truth=truth, rules=HELD, call=Forgets(truth, lambda one: one.side == "sell" and one.form == "market")
    )
    made.step(1, "BTC-USD")
    later(made, 4)
    made.step(4)
    assert sold(made) == D(10)
    assert [one.form for one in made.truth.working()] == []  # no stop for what is not held any more


def test_no_exit_goes_out_beside_a_stop_that_filled_at_a_price_not_told_yet(tmp_path: Path) -> None:
    truth = rich()
    made = world(
        tmp_path, truth=truth, rules=HELD, call=Forgets(truth, lambda one: one.side == "sell" and one.form != "market")
    )
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.truth.move("BTC-USD", 85)
    made.truth.fault("place", "refused")  # so that no stop is placed again
    made.turn()
    made.step(4)
    assert sold(made) == D(10)


def test_a_new_position_does_not_inherit_the_time_that_the_last_one_stood_without_a_stop(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD, terms=PATIENT)
    made.step(1, "BTC-USD")
    later(made, 4)
    made.truth.shares.append(D(0))  # the exit is taken up, and fills a moment later: as venues do
    made.step(4)
    (exit_,) = made.truth.working()
    made.truth.finish(exit_.client_id)
    made.turn()
    assert made.positions == made.held == {}
    assert made.gateway.leaving_since == {}


def test_a_single_lost_answer_does_not_close_a_new_position(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD, terms=PATIENT)
    made.step(1, "BTC-USD")
    later(made, 4)
    made.truth.shares.append(D(0))
    made.step(4)
    (exit_,) = made.truth.working()
    made.truth.finish(exit_.client_id)
    made.turn()
    later(made, 8)
    made.turns(70)
    made.truth.fault("place", "fine", "dropped")  # the stop arrives, its answer is lost
    made.truth.fault("find", "fine", "lost")
    made.step(8, "BTC-USD")
    made.turns(3)
    assert made.held == made.positions != {}
    assert made.alarms == []


def test_the_next_position_without_its_stop_is_an_alert_again(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD, terms=PATIENT)
    made.step(1, "BTC-USD")
    later(made, 4)
    made.truth.shares.append(D(0))
    made.step(4)
    made.turns(12)
    assert ["is being closed, and has no stop" in words for words in made.alarms] == [True]
    (exit_,) = made.truth.working()
    made.truth.finish(exit_.client_id)
    made.turn()
    assert made.positions == made.held == {}
    later(made, 8)
    made.turns(70)
    made.alarms.clear()
    made.truth.fault("place", "fine", *["lost"] * 100)
    made.step(8, "BTC-USD")
    made.turns(60)
    assert made.held
    assert made.truth.protected("BTC-USD") == 0
    assert made.alarms


def test_a_stop_is_not_taken_away_where_no_other_can_be_placed(tmp_path: Path) -> None:
    made = world(tmp_path, rules=TRAILING)
    made.truth.prices["BTC-USD"] = D(90)
    made.step(1, "BTC-USD")
    made.truth.time = START + 2 * HOUR + 1000
    made.truth.move("BTC-USD", 100)
    made.turn()
    assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD") > 0
    made.journal._failed = "input/output error"
    made.step(2)  # the stop moves
    made.turns(20)
    assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD") > 0


def test_where_the_venue_takes_no_order_at_market_the_stop_comes_back(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    made = world(tmp_path, truth=truth, call=Only(truth))
    made.step(1, "BTC-USD")
    made.gateway.exchange.call.refused.append("market")
    venue = LiveVenue(made.gateway, made.recovery)
    venue.flatten("ann", "enough")
    covered = 0
    for _ in range(1200):
        truth.time += 250
        venue.attend()
        covered += truth.protected("BTC-USD") == truth.holding("BTC-USD")
    assert covered > 600  # of five minutes, most


def test_a_stop_that_is_not_found_for_a_moment_is_not_taken_to_be_gone(tmp_path: Path) -> None:
    truth = rich()
    made = world(tmp_path, truth=truth, rules=HELD)
    made.step(1, "BTC-USD")
    later(made, 4)
    (guard,) = truth.working()
    truth.is_deaf = True
    truth.fill(guard.client_id, D(10), D(90))  # it fills as it is taken back
    hidden = truth.orders.pop(guard.client_id)  # it works no more, and the list of what is over is behind
    made.step(4)
    truth.orders[guard.client_id] = hidden
    made.turns(10)
    assert sold(made) == D(10)


def test_an_entry_that_rests_is_believed_to_be_gone_only_after_thirty_seconds_of_that_word(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.turns(60)
    (resting,) = made.truth.working()
    hidden = made.truth.orders.pop(resting.client_id)
    made.turns(6)
    made.truth.orders[resting.client_id] = hidden
    assert resting.client_id in made.gateway.reservations.bound()
    assert made.session.account.working


def test_an_entry_that_was_hidden_for_a_moment_is_not_bought_twice(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    later(made, 2)
    made.turns(60)
    (resting,) = made.truth.working()
    made.truth.is_deaf = True
    made.truth.finish(resting.client_id)
    hidden = made.truth.orders.pop(resting.client_id)  # it works no more, and the list of what is over is behind
    made.turns(6)
    made.step(2, "BTC-USD")
    made.truth.orders[resting.client_id] = hidden
    for state in made.truth.working():
        if state.side == "buy":
            made.truth.finish(state.client_id)
    assert made.truth.holding("BTC-USD") == hidden.quantity


def test_a_flatten_goes_on_until_no_entry_can_fill_any_more(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    (resting,) = made.truth.working()
    venue = LiveVenue(made.gateway, made.recovery)
    made.truth.fault("cancel", "lost", "lost")
    venue.flatten("ann", "enough")
    made.truth.time += 250
    venue.attend()
    made.truth.fill(resting.client_id, D(4), D(99))
    made.truth.tell(resting.client_id)
    for _ in range(40):
        made.truth.time += 250
        venue.attend()
    assert made.positions == made.held == {}


def test_a_late_fill_of_a_strategy_that_is_gone_does_not_end_the_session(tmp_path: Path) -> None:
    made = late_of_another_policy(tmp_path, RESTING, RESTING.replace("strategy s ", "strategy other "))
    made.turns(3)
    assert made.held == made.positions == {"BTC-USD": D(4)}
    assert made.truth.protected("BTC-USD") == D(4)


def test_a_late_fill_of_another_policy_has_the_levels_that_were_approved(tmp_path: Path) -> None:
    made = late_of_another_policy(tmp_path, RESTING, RESTING.replace("10% below entry", "50% below entry"))
    made.turns(3)
    (position,) = made.session.positions.values()
    assert position.stop == D("89.1")


def test_a_recovery_that_could_not_read_its_strategies_loses_no_record(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.turns(2)
    (resting,) = made.truth.working()
    made.kept.refuses = OSError("locked")  # the fill is in the journal; the process dies before the ledger has it
    made.truth.fill(resting.client_id, D(4), D(99))
    made.truth.tell(resting.client_id)
    made.turns(2)
    made.kept.refuses = None
    assert made.fills == []
    wrong = made.again(rules=RESTING.replace("strategy s ", "strategy other "))
    wrong.gateway.policy_hash = "1" * 64
    assert "has no strategy any more" in wrong.recovered()[-1].words
    right = wrong.again(rules=RESTING)
    assert [step.done for step in right.recovered(list(made.kept))] == [True] * 6
    assert [one.quantity for one in right.kept.of(Fill)] == [D(4)]


def test_rules_that_are_not_told_for_a_while_move_no_stop_off_the_grid(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", tick=D("0.5"))
    truth.prices["BTC-USD"] = D("100.37")
    made = world(tmp_path, truth=truth)
    made.step(1, "BTC-USD")
    (guard,) = truth.working()
    assert guard.stop == D("90.5")
    truth.fault("rules", *["lost"] * 10_000)
    made.turns(130, 5_000)
    (guard,) = truth.working()
    assert (guard.stop, guard.target) == (D("90.5"), D("120"))


def test_a_rest_whose_stop_is_at_work_keeps_it_when_the_stop_of_a_take_fills(tmp_path: Path) -> None:
    made = world(tmp_path, rules=TAKES)
    made.step(1, "BTC-USD")
    take, rest = sorted(made.truth.working(), key=lambda one: one.target or 0)
    made.truth.fill(take.client_id, D(5), D(90))
    made.truth.tell(take.client_id)
    made.turn()
    assert [one.client_id for one in made.truth.working()] == [rest.client_id]


def test_what_is_left_of_a_late_fill_that_turns_a_position_round_is_protected(tmp_path: Path) -> None:
    truth = rich()
    made = world(tmp_path, truth=truth, rules=BOTH)
    made.step(1, "BTC-USD")
    (resting,) = truth.working()
    made.session.settling.stop_entries("s", START + HOUR, "halt deep")
    made.turns(3)
    later(made, 2)
    truth.shares.append(D(1))
    made.step(2, "BTC-USD", enter=1)
    made.turns(2)
    (short,) = made.session.positions.values()
    assert short.sign < 0
    truth.fill(resting.client_id, resting.quantity, D(99))
    truth.tell(resting.client_id)
    made.turns(20)
    (position,) = made.session.positions.values()
    assert (position.sign, position.stop) == (1, D("89.1"))
    assert truth.protected("BTC-USD") == position.remaining == D("0.101")


def test_a_small_part_of_an_entry_that_fills_later_does_not_close_the_position(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", min_quantity=D("0.1"))
    made = world(tmp_path, truth=truth, rules=RESTING, call=Smallest(truth, "0.1"))
    made.step(1, "BTC-USD")
    (resting,) = truth.working()
    for quantity in ("4", "0.05", "2"):
        truth.fill(resting.client_id, D(quantity), D(99))
        truth.tell(resting.client_id)
        made.turns(2)
    assert made.held == made.positions == {"BTC-USD": D("6.05")}
    assert made.alarms == []
    assert truth.protected("BTC-USD") >= D("6")


def test_a_take_that_is_too_small_does_not_close_the_position(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", min_quantity=D("0.1"))
    made = world(tmp_path, truth=truth, rules=TAKES.replace("take 50%", "take 0.5%"), call=Smallest(truth, "0.1"))
    made.step(1, "BTC-USD")
    made.turns(3)
    assert made.held == made.positions == {"BTC-USD": D(10)}
    assert truth.protected("BTC-USD") == D(10)


def test_a_rest_that_is_too_small_leaves_with_the_take_before_it(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", min_quantity=D("0.1"))
    made = world(tmp_path, truth=truth, rules=TAKES.replace("take 50%", "take 99.5%"), call=Smallest(truth, "0.1"))
    made.step(1, "BTC-USD")
    made.turns(20)
    assert made.held == made.positions == {"BTC-USD": D(10)}
    assert truth.protected("BTC-USD") == D(10)
    truth.move("BTC-USD", 111)
    made.turns(12)
    assert made.held == made.positions == {}
    assert made.trades[-1].cause == "take"
    assert made.alarms == []


@pytest.mark.parametrize("why", ["no room", "refused a moment ago"])
def test_a_stop_is_not_taken_away_for_a_part_that_grew_where_no_other_can_be_placed(tmp_path: Path, why: str) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", min_quantity=D("0.1"))
    made = world(tmp_path, truth=truth, rules=RESTING, call=Smallest(truth, "0.1"))
    made.step(1, "BTC-USD")
    (resting,) = truth.working()
    truth.fill(resting.client_id, D(4), D(99))
    truth.tell(resting.client_id)
    made.turns(2)
    (key,) = made.session.positions
    if why == "no room":
        made.journal._failed = "input/output error"
    else:
        for _ in range(8):
            made.gateway.patience.refused(key)
    truth.fill(resting.client_id, D("0.05"), D(99))
    truth.tell(resting.client_id)
    made.turns(4)
    assert truth.protected("BTC-USD") == D(4)


def test_an_entry_whose_position_cannot_be_protected_goes_on_filling_no_longer(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    made = world(tmp_path, truth=truth, rules=RESTING, call=Only(truth, "bracket"))
    made.step(1, "BTC-USD")
    (resting,) = truth.working()
    truth.fill(resting.client_id, D(4), D(99))
    truth.tell(resting.client_id)
    made.turns(3)
    assert made.held == {}
    assert truth.working() == []


class Nameless(Forgets):
    """A venue that says of working protection only that its status is none that is known."""

    def bare(self, state: Any) -> Any:
        is_it = isinstance(state, OrderState) and self.on and not state.is_over and self.which(state)
        return replace(state, status="unknown") if is_it else state


def test_what_the_venue_has_under_a_status_that_nobody_knows_is_taken_back_by_its_id(tmp_path: Path) -> None:
    truth = rich()
    made = world(tmp_path, truth=truth, call=Nameless(truth, lambda one: one.form != "market"))
    made.step(1, "BTC-USD")
    made.turns(3)
    assert made.truth.protected("BTC-USD") == D(10)
    made.gateway.flatten("ann", "enough")
    made.turns(6)
    assert made.truth.holding("BTC-USD") == D(10)  # what was there before
    assert sold(made) == D(10)
    assert made.truth.working() == []
