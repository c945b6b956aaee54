"""Recovery: six steps, and no trading where one of them cannot finish."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from crash_scenarios import SCENARIOS
from crashing import HOWS, Scenario, crashed, wrongs
from fake_exchange import Truth
from gateway_world import LONG, START, World, world
from small_projects import strategy
from test_gateway_steps import RESTING

from tb.core.diagnostics import Refused
from tb.core.records import Cancel, Fill, Order
from tb.core.time import HOUR
from tb.runtime.gateway.recovery import Recovery

D = Decimal
STEPS = ["breaker", "journal", "orders", "agreement", "reservations", "protection"]


def not_done(made: World) -> tuple[str, str]:
    """The step that stops recovery. Nothing that adds risk passes then."""
    steps = made.recovered(made.kept)
    assert [step.done for step in steps] == [True] * (len(steps) - 1) + [False]
    assert not made.gateway.is_recovered
    assert made.gateway.standing("BTC-USD", 0).breaker == "halted"
    before = len(made.truth.arrived)
    made.step(9, "SOL-USD")
    assert [one for one in made.truth.arrived[before:] if not one.reducing] == []
    return steps[-1].name, steps[-1].words


def test_the_six_steps_in_their_order(tmp_path: Path) -> None:
    made = World(tmp_path, Truth(START + HOUR)).start()
    assert [step.name for step in made.recovered()] == STEPS == list(Recovery.STEPS)
    assert made.gateway.is_recovered


def test_everything_is_as_it_was(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD", "ETH-USD")
    made.truth.fill_up_to("buy", D("0.4"))
    made.turn()
    later = made.again()
    assert all(step.done for step in later.recovered(later.kept))
    assert later.positions == later.held == made.positions
    for name in ("cash", "order_times", "entry_times"):
        assert getattr(later.session.account, name) == getattr(made.session.account, name)
    assert later.session.settling.waiting == made.session.settling.waiting
    assert list(later.session.account.working.values()) == list(made.session.account.working.values())
    assert later.session.account.activity.sent == made.session.account.activity.sent
    assert later.gateway.reservations.bound() == made.gateway.reservations.bound()
    assert len(later.truth.arrived) == len(made.truth.arrived)
    assert later.kept.of(Fill) == made.kept.of(Fill)
    assert later.session.is_busy(("s", "BTC-USD"), 0)


def test_what_filled_while_nobody_was_there_is_booked_recorded_and_protected(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.truth.move("BTC-USD", 98)
    later = made.again()
    assert all(step.done for step in later.recovered(later.kept))
    assert later.positions == later.held == {"BTC-USD": D("10.101")}
    assert later.truth.protected("BTC-USD") == D("10.101")
    assert [fill.quantity for fill in later.fills] == [D("10.101")]


def test_no_answer_keeps_trading_off_until_there_is_one(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    later = made.again()
    later.truth.down_until = later.truth.time + 5_000
    name, words = not_done(later)
    assert name == "orders"
    assert words.startswith("the venue does not answer about entry of 10.101 BTC-USD")
    later.truth.down_until = 0
    assert all(step.done for step in later.recovery.run())


@pytest.mark.parametrize(
    ("method", "step"), [("find", "orders"), ("balances", "agreement"), ("open_orders", "agreement"), ("rules", "agreement")]
)
def test_each_question_without_an_answer_keeps_trading_off(tmp_path: Path, method: str, step: str) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    later = made.again()
    later.truth.fault(method, *["lost"] * 40)
    assert not_done(later)[0] == step


def test_an_order_that_is_not_proved_yet_keeps_trading_off(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "lost")
    made.step(1, "BTC-USD")
    later = made.again()
    steps = later.recovered()
    assert (steps[-1].name, steps[-1].done) == ("orders", False)
    assert "is not proved yet" in steps[-1].words
    later.truth.time += 6_000
    assert all(step.done for step in later.recovery.run())
    assert later.gateway.reservations.bound() == {}
    assert later.cancels[-1].cause == "never arrived"


def test_an_account_that_differs_opens_the_breaker(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.totals["ETH"] = D(7)
    later = made.again()
    assert not_done(later) == ("agreement", "differs")
    assert later.breaker.state == "open"


def test_an_open_breaker_stays_open_and_recovery_still_protects(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    made.breaker.open(made.truth.time, "ann", "look")
    made.truth.move("BTC-USD", 98)
    later = made.again()
    assert all(step.done for step in later.recovered())
    assert later.breaker.state == "open"
    assert later.truth.protected("BTC-USD") == D("10.101")
    before = len(later.truth.arrived)
    later.step(2, "ETH-USD")
    assert len(later.truth.arrived) == before


def test_an_exit_that_was_not_sent_leaves_the_position_protected(tmp_path: Path) -> None:
    made = world(tmp_path, rules=LONG + "  hold at most 2h\n")
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.fault("cancel", "lost")
    made.step(4)
    later = made.again()
    assert all(step.done for step in later.recovered(later.kept))
    assert later.truth.protected("BTC-USD") == later.held["BTC-USD"] == D(10)
    assert later.cancels[-1].cause == "not sent"
    later.truth.time = START + 5 * HOUR + 500
    later.turn()
    later.step(5)
    assert later.held == {}


def test_a_strategy_that_is_gone_keeps_trading_off(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    other = strategy(name="other", size="10% of equity", members="BTC-USD, ETH-USD, SOL-USD")
    later = made.again(rules=other)
    name, words = not_done(later)
    assert name == "journal"
    assert words == ("the policy has no strategy any more for what is open of s in BTC-USD: put it back until that is closed")


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.journal.close()
    path = tmp_path / "journal"
    path.write_bytes(path.read_bytes().replace(b'"quantity":"10"', b'"quantity":"99"', 1))
    with pytest.raises(Refused, match="damaged"):
        World(tmp_path, made.truth).start()


def test_what_the_ledger_has_and_the_journal_has_not_was_never_sent(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    order = made.orders[0]
    made.journal.close()
    (tmp_path / "journal").unlink()
    fresh = World(tmp_path, Truth(START + HOUR)).start()
    assert all(step.done for step in fresh.recovered([order]))
    assert [(one.order, one.cause) for one in fresh.kept.of(Cancel)] == [(order.id, "never sent")]


def test_fills_that_the_ledger_did_not_get_are_made_up_for_once(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    fill = made.kept.of(Fill)[0]
    for _ in range(2):
        made = made.again()
        made.recovered(made.kept)
    assert made.kept.of(Fill) == [fill]
    assert isinstance(made.orders[0], Order)


CHOSEN = {"bought and stopped", "filled in parts", "closed by the session", "reply dropped", "breaker opens", "halted"}


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.name in CHOSEN], ids=lambda one: one.name)
def test_a_process_may_die_anywhere(scenario: Scenario) -> None:
    """Every ninth point of these; `tests/soak/crashes.py` takes every point of all."""
    whole, _, _ = crashed(scenario, 0)
    assert whole.report is not None
    names = whole.report["names"]
    assert len(names) > 90
    for at in range(1 + len(scenario.name) % 9, len(names) + 1, 9):
        _, after, _ = crashed(scenario, at, HOWS[at % 3])
        assert after is not None
        assert list(wrongs(scenario, after)) == [], f"died at {at}, {names[at - 1]}"


def test_what_the_harness_looks_for_it_finds() -> None:
    scenario = next(one for one in SCENARIOS if one.name == "bought and held")
    whole, _, _ = crashed(scenario, 0)
    truth = whole.truth
    assert list(wrongs(scenario, whole)) == []
    truth.totals["BTC"] += 1
    truth.do_place(truth.arrived[0])
    found = " ".join(wrongs(scenario, whole))
    for part in ("sent twice", "held at the venue", "protected"):
        assert part in found
    assert scenario.rules == LONG
