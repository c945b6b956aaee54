"""The nine steps: what each denies, that a denial leaves nothing behind, and what goes out where none does."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fake_exchange import Truth, rules_for
from gateway_world import LONG, START, World, world
from small_projects import strategy

from tb.core.records import Fill, Handling, Trade
from tb.core.time import HOUR
from tb.gate.gate import Approved, closing
from tb.runtime.gateway.ids import client_id
from tb.runtime.gateway.steps import STEPS
from tb.runtime.gateway.terms import Terms
from tb.runtime.ports.exchange import Lost

D = Decimal
RESTING = strategy(
    size="10% of equity",
    stop="10% below entry",
    target="20% above entry",
    members="BTC-USD, ETH-USD, SOL-USD",
).replace("    size", "    order limit at close * 0.99, valid 10h\n    size")


def refusals(made: World) -> list[tuple[str, str]]:
    return made.said("refused")


def denied(made: World, step: str, words: str, symbol: str = "BTC-USD", hour: int = 1) -> None:
    """The entry is refused at this step, the venue has seen nothing of it, and nothing is left of it here."""
    before = len(made.truth.arrived)
    bound = made.gateway.reservations.bound()
    made.step(hour, symbol)
    assert len(made.truth.arrived) == before
    assert refusals(made)[-1][0] == step
    assert words in refusals(made)[-1][1]
    assert made.cancels[-1].cause == f"refused: {step}"
    assert ("s", symbol) not in made.session.settling.waiting
    assert symbol not in [order.instrument for order in made.session.account.working.values()]
    assert made.gateway.reservations.bound() == bound
    assert made.gateway.locks.take(symbol)
    made.gateway.locks.free(symbol)


def test_there_are_nine_steps_in_this_order() -> None:
    names = "breaker, symbol lock, reservation, venue rules, idempotency, submit, follow, position, audit"
    assert ", ".join(name for name, _ in STEPS) == names


def test_an_approved_entry_goes_out_fills_and_is_protected(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    entry, guard = made.truth.arrived
    assert (entry.side, entry.quantity, entry.form, entry.reducing) == ("buy", D(10), "market", False)
    assert (guard.side, guard.quantity, guard.form, guard.reducing) == ("sell", D(10), "bracket", True)
    assert (guard.stop, guard.target) == (D(90), D(120))
    assert made.positions == made.held == {"BTC-USD": D(10)}
    (fill,) = made.fills
    assert (fill.order, fill.price, fill.fee, fill.cause) == (made.orders[0].id, D(100), D(1), "entry")
    assert entry.client_id == client_id(made.orders[0].id, "order")
    whats = [(one.what, one.status) for one in made.handlings if one.order]
    assert whats == [("sent", "sent"), ("answer", "filled"), ("sent", "sent"), ("answer", "open")]


def test_a_target_that_is_reached_ends_the_trade_and_a_stop_too(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD", "ETH-USD")
    made.truth.move("BTC-USD", 125)
    made.truth.move("ETH-USD", 85)
    made.turn()
    assert made.positions == made.held == {}
    assert [(trade.cause, trade.exit_price) for trade in made.trades if trade.cause] == [("target", D(120)), ("stop", D(85))]
    assert made.truth.working() == []


# --- 1 breaker ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draining", "open"])
def test_nothing_that_adds_risk_passes_a_breaker_that_is_not_closed(tmp_path: Path, state: str) -> None:
    made = world(tmp_path)
    (made.breaker.drain if state == "draining" else made.breaker.open)(made.truth.time, "ann", "a look")
    denied(made, "breaker", f"the breaker is {state}: a look")


def test_the_kill_file_stops_entries_and_before_recovery_nothing_passes(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.kill = True
    denied(made, "breaker", "kill file")
    made.kill, made.gateway.is_recovered = False, False
    denied(made, "breaker", "recovery has not finished", hour=2)


def test_a_silent_venue_and_records_that_wait_stop_entries(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.down_until = made.truth.time + HOUR
    made.turns(31)
    denied(made, "breaker", "the venue is silent")
    made = world(tmp_path / "other")
    made.kept.refuses = OSError("locked")
    made.truth.time += 1
    made.gateway.alert("x")
    made.gateway.flush()
    assert made.breaker.state == "draining"
    made.step(1, "BTC-USD")
    assert made.truth.arrived == []
    made.kept.refuses = None
    made.turn()
    assert refusals(made)[-1][0] == "breaker"
    assert [one.cause for one in made.cancels] == ["refused: breaker"]


def test_that_a_connection_was_lost_is_nothing_that_the_venue_said(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.down_until = made.truth.time + HOUR
    for _ in range(31):
        made.turn(1000)
        made.gateway.hear([Lost("orders", "no connection", made.truth.time)])
    denied(made, "breaker", "the venue is silent")


def test_half_open_lets_one_entry_pass_and_closes_when_it_went_well(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.breaker.open(made.truth.time, "gateway", "x")
    made.breaker.close(made.truth.time, "ann", "fine")
    made.step(1, "BTC-USD")
    denied(made, "breaker", "one order at a time", "ETH-USD", 2)
    made.truth.move("BTC-USD", 99)
    made.turn()
    made.turns(70)
    assert made.breaker.state == "closed"


def test_exits_pass_while_draining_and_not_while_open(tmp_path: Path) -> None:
    rules = LONG + "  hold at most 2h\n"
    made = world(tmp_path, rules=rules)
    made.step(1, "BTC-USD")
    made.breaker.open(made.truth.time, "ann", "a look")
    made.step(4)
    assert refusals(made)[-1][0] == "breaker"
    assert made.held == {"BTC-USD": D(10)}
    assert made.truth.protected("BTC-USD") == D(10)
    made.breaker.close(made.truth.time, "ann", "a look")
    made.breaker.drain(made.truth.time, "ann", "a look")
    made.step(5)
    assert made.held == made.positions == {}
    assert made.trades[-1].cause == "hold"
    assert made.truth.working() == []


# --- 2 to 5 ------------------------------------------------------------------------------------------------------------


def test_a_symbol_is_locked_while_the_fate_of_an_order_is_unknown(tmp_path: Path) -> None:
    two = LONG + "\n" + strategy(name="other", universe=False, size="10% of equity")
    made = world(tmp_path, rules=two)
    made.truth.fault("place", "dropped")
    made.truth.fault("find", *["lost"] * 20)
    made.step(1, "BTC-USD")
    assert made.gateway.standing("BTC-USD", 0).unknown_orders == 1
    before = len(made.truth.arrived)
    made.session.step(START + 2 * HOUR, [_ready(made, 1)])
    assert len(made.truth.arrived) == before
    assert refusals(made)[-1] == ("symbol lock", "the fate of another order of the instrument is not known")


def _ready(made: World, number: int) -> Any:
    from tb.runtime.drafts import Ready

    return Ready(number, 0, "BTC-USD", 1)


def test_cash_is_bound_before_anything_is_sent_and_no_time_limit_frees_it(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.totals["USD"] = D(1500)
    made = world(tmp_path, truth=truth)
    made.truth.fault("place", "dropped")
    made.truth.fault("find", *["lost"] * 100)
    made.step(1, "BTC-USD")
    (bound,) = made.gateway.reservations.bound().values()
    assert bound == ("USD", D(10) * 100 * D("1.02") * D("1.01"))
    denied(made, "reservation", "USD are needed", "ETH-USD")
    made.turns(20)
    assert made.gateway.reservations.bound() != {}
    made.truth.faults["find"].clear()
    made.turns(5)
    assert made.positions == made.held == {"BTC-USD": D(10)}
    assert [asset for asset, _ in made.gateway.reservations.bound().values()] == ["BTC"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "closed"}, "is closed at the venue"),
        ({"status": "cancel only"}, "is cancel only at the venue"),
        ({"status": "limit only"}, "is limit only at the venue"),
        ({"lot": D(3)}, "no multiple of the lot 3"),
        ({"min_quantity": D(11)}, "less than the venue takes, 11"),
        ({"max_quantity": D(9)}, "more than the venue takes, 9"),
        ({"min_notional": D(1001)}, "1000 USD is less than the venue takes, 1001"),
        ({"max_notional": D(999)}, "1000 USD is more than the venue takes, 999"),
    ],
)
def test_the_rules_of_the_venue(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", **changed)
    denied(world(tmp_path, truth=truth), "venue rules", words)


def test_a_missing_rule_denies(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    made = world(tmp_path, truth=truth)
    del truth.rules_["BTC-USD"]
    truth.time += 60_000
    made.turn()
    denied(made, "reservation", "the venue's rules for BTC-USD are not known")


def test_a_price_off_the_venues_grid_is_not_rounded_in_silence(tmp_path: Path) -> None:
    truth = Truth(START + HOUR)
    truth.rules_["BTC-USD"] = rules_for("BTC-USD", tick=D("0.7"))
    denied(world(tmp_path, truth=truth, rules=RESTING), "venue rules", "99 is no multiple of the tick 0.7")


def test_the_rate_of_messages_stops_entries_and_never_exits(tmp_path: Path) -> None:
    terms = Terms(orders_per_window=4, kept_back=2, window=1000)
    made = world(tmp_path, terms=terms)
    made.step(1, "BTC-USD")
    denied(made, "venue rules", "too many messages", "ETH-USD", 1)
    made.gateway.flatten("ann", "enough")
    assert made.held == {}


def test_no_trade_with_oneself(tmp_path: Path) -> None:
    other = strategy(
        name="other",
        universe=False,
        direction="short",
        size="1% of equity",
        stop="10% above entry",
    )
    truth = Truth(START + HOUR)
    truth.totals["BTC"] = D(50)
    made = world(tmp_path, truth=truth, rules=RESTING + "\n" + other)
    made.step(1, "BTC-USD")
    before = len(truth.arrived)
    made.session.step(START + 2 * HOUR, [_ready(made, 1)])
    assert len(truth.arrived) == before
    assert refusals(made)[-1] == ("venue rules", "it would trade with an own order that rests")


def test_the_same_order_is_not_sent_twice_whatever_the_run(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.move("BTC-USD", 125)
    made.turn()
    assert made.positions == {}
    made.session.run = "r2"
    made.session.step(START + HOUR, [_ready(made, 0)])
    assert refusals(made)[-1][0] == "idempotency"
    assert len(made.truth.arrived) == 2


# --- what is not an approval -------------------------------------------------------------------------------------------


def test_only_the_gate_makes_an_approval() -> None:

    with pytest.raises(TypeError):
        Approved(D(1))
    approved = closing(D(1), held=D(2))
    with pytest.raises(AttributeError):
        approved.quantity = D(2)  # type: ignore[misc]
    with pytest.raises(ValueError, match="cannot be closed"):
        closing(D(3), held=D(2))
    with pytest.raises(TypeError):
        type("Forged", (Approved,), {})
    with pytest.raises((TypeError, AttributeError)):
        pickle.loads(pickle.dumps(approved))


def test_the_gateway_takes_nothing_else(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    order = made.orders[0]

    class Looks:
        quantity = order.quantity

    before = len(made.truth.arrived)
    with pytest.raises(TypeError, match="no approval"):
        made.gateway.submit(Looks(), order)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="approved were"):
        made.gateway.submit(closing(D(1), held=D(1)), order)
    assert len(made.truth.arrived) == before


def test_what_is_recorded_is_complete(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.move("BTC-USD", 125)
    made.turn()
    order = made.orders[0].id
    about = [one for one in made.kept.of(Handling) if one.order == order]
    assert [(one.what, one.details.get("purpose")) for one in about] == [
        ("sent", "entry"),
        ("answer", "entry"),
        ("sent", "protection"),
        ("answer", "protection"),
        ("answer", "protection"),
    ]
    assert len(made.kept.of(Fill)) == 2
    assert made.kept.of(Trade)[-1].cause == "target"
