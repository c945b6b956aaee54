"""What the gate says: the strictest verdict, exact shrinking, boundaries, and who has to answer to whom."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.planning import plan
from tb.gate.account import Account, Working
from tb.gate.facts import Moment
from tb.gate.gate import Gate, Judgement
from tb.gate.proposal import Proposal

RULES = """universe majors on exchange
  tier core BTC-USD, ETH-USD
strategy trend on majors every 1h
  enter long when close > open
    size 5% of equity
"""
LOT = Decimal("0.001")
ORDER = Proposal(
    "trend", "BTC-USD", 1, Decimal(1), Decimal(100), Decimal(92), Decimal(120), Decimal(100), None, "majors.core", True
)


def gate_of(*lines: str, rules: str = RULES) -> Gate:
    files = [parse("rules/r.tb", rules, is_policy=False), parse("policy/p.tb", "\n".join(lines) + "\n", is_policy=True)]
    program, findings = check([file for file, _ in files])
    assert [*files[0][1], *files[1][1], *findings] == []
    assert program is not None
    made = plan(program)
    return Gate(made.graph, next(iter(made.policies.values())))


def account(equity: str = "10000") -> Account:
    made = Account("USD", Decimal(equity))
    made.observe(0)
    made.begin_day(0, 86_400_000)
    return made


def judged(
    gate: Gate, order: Proposal = ORDER, book: Account | None = None, *, at: int = 3_600_000, **facts: object
) -> Judgement:
    values: dict[str, object] = {
        "minimum": Decimal(1),
        "maximum": None,
        "age": 0,
        "halted_by": None,
        "paused_by": None,
        **facts,
    }
    moment = Moment(at, order, book or account(), {"coins": ("BTC-USD", "ETH-USD")}, (), **values)  # type: ignore[arg-type]
    return gate.judge(moment, lambda _leaf: 1.0, LOT)


def said(judgement: Judgement) -> tuple[str, tuple[str, ...], Decimal]:
    return judgement.verdict, judgement.deciding, judgement.quantity


def order(quantity: str, price: str = "100", **changes: object) -> Proposal:
    return replace(ORDER, quantity=Decimal(quantity), price=Decimal(price), **changes)


# --- verdicts ----------------------------------------------------------------------------------------------------------


def test_an_order_that_breaks_nothing_is_approved() -> None:
    assert said(judged(gate_of("limit small order.notional <= 100 USD"))) == ("approve", (), Decimal(1))


LADDER = [
    ("warn w when order.quantity > 0 * order.quantity", "warn"),
    ("limit s order.notional <= 50 USD otherwise shrink", "shrink"),
    ("limit r order.notional <= 50 USD", "reject"),
    ("pause p for 5m when order.notional > 50 USD", "pause"),
    ("limit h order.notional <= 50 USD otherwise halt", "halt"),
]


@pytest.mark.parametrize("count", range(1, len(LADDER) + 1))
def test_the_strictest_verdict_wins_whatever_the_order(count: int) -> None:
    lines = [line for line, _ in LADDER[:count]]
    forward, backward = judged(gate_of(*lines)), judged(gate_of(*reversed(lines)))
    verdict = LADDER[count - 1][1]
    assert (forward.verdict, forward.deciding) == (verdict, (lines[-1].split()[1],))
    assert (backward.verdict, backward.deciding, backward.quantity) == (forward.verdict, forward.deciding, forward.quantity)
    assert (forward.approved is None) == (count > 2)


def test_all_rules_of_the_deciding_verdict_are_named() -> None:
    gate = gate_of("forbid a when order.notional > 1 USD", "limit b order.notional <= 2 USD", "warn c when entries(today) < 5")
    assert said(judged(gate)) == ("reject", ("a", "b"), Decimal(0))


def test_an_unknown_warning_warns_and_another_unknown_rejects() -> None:
    warned = judged(gate_of("warn c when order.confidence < 0.5"))
    assert (warned.verdict, warned.approved is not None) == ("warn", True)
    for line in (
        "limit c order.confidence >= 0.5 otherwise halt",
        "forbid c when order.confidence < 0.5",
        "require c order.confidence > 0.5",
    ):
        found = judged(gate_of(line))
        assert said(found) == ("reject", ("c",), Decimal(0))
        assert found.latches == ()


@pytest.mark.parametrize("fact", ["order.stop", "order.price", "mid", "data_age", "equity"])
def test_a_missing_input_denies(fact: str) -> None:
    gates = {
        "order.stop": "require c order.stop > 0 * mid",
        "order.price": "require c order.price > 0 * mid",
        "mid": "require c mid > 0 * mid",
        "data_age": "require c data_age <= 2 bars",
        "equity": "require c equity > 0 USD",
    }
    gate = gate_of(gates[fact])
    book = account()
    if fact == "equity":
        book.fill("other", "ETH-USD", Decimal(1), Decimal(10), Decimal(0))
        book.mark("ETH-USD", None)
    proposal = (
        replace(ORDER, stop=None) if fact == "order.stop" else replace(ORDER, price=None) if fact == "order.price" else ORDER
    )
    moment = Moment(0, proposal, book, {}, (), Decimal(1), None, None if fact == "data_age" else 0, None, None)
    found = gate.judge(moment, lambda _leaf: None if fact == "mid" else 1.0, LOT)
    assert found.verdict == "reject"
    assert "c" in found.deciding
    assert found.approved is None


# --- boundaries --------------------------------------------------------------------------------------------------------


@given(st.integers(1, 10**9), st.integers(1, 10_000), st.sampled_from(["<=", "<"]))
@settings(max_examples=60)
def test_a_value_exactly_at_a_limit_passes(cents: int, points: int, sign: str) -> None:
    equity = Decimal(cents) / 100
    bound = equity * Decimal(points) / 10_000
    gate = gate_of(f"limit share order.notional {sign} {points}bps of equity")
    book = account(str(equity))
    at_limit = judged(gate, order(str(bound), "1", stop=None, target=None), book, minimum=Decimal(0))
    assert at_limit.verdict == ("approve" if sign == "<=" else "reject")
    above = judged(gate, order(str(bound + Decimal("0.000001")), "1", stop=None, target=None), book, minimum=Decimal(0))
    assert said(above) == ("reject", ("share",), Decimal(0))


def test_a_loss_and_a_drawdown_exactly_at_their_limits_pass() -> None:
    gate = gate_of(
        "limit daily loss(today) <= 3% of equity at day_start otherwise halt until tomorrow",
        "limit fall drawdown <= 3% otherwise halt",
    )
    book = account()
    book.fill("trend", "ETH-USD", Decimal(10), Decimal(100), Decimal(0))
    book.mark("ETH-USD", Decimal(70))
    assert judged(gate, book=book).verdict == "approve"
    book.mark("ETH-USD", Decimal("69.99"))
    found = judged(gate, book=book)
    assert said(found) == ("halt", ("daily", "fall"), Decimal(0))
    assert [(c.name, c.until_tomorrow) for c in found.latches] == [("daily", True), ("fall", False)]


# --- shrinking ---------------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 5_000),
    st.integers(1, 400),
    st.integers(0, 600),
    st.integers(0, 600),
    st.sampled_from(["0.001", "0.25", "1", "3"]),
)
@settings(max_examples=120)
def test_shrinking_finds_the_largest_size_on_the_grid(lots: int, price: int, held: int, gross: int, grid: str) -> None:
    lot = Decimal(grid)
    gate = gate_of(
        "limit one after.exposure(order.instrument) <= 5% of equity otherwise shrink",
        "limit all after.gross <= 8% of equity otherwise shrink",
    )
    book = account()
    if held:
        book.fill("trend", "BTC-USD", Decimal(held) / 100, Decimal(100), Decimal(0))
    if gross:
        book.working["w"] = Working("w", "ETH-USD", -1, Decimal(gross) / 10, Decimal(10), "a")
    proposal = replace(ORDER, quantity=lot * lots, price=Decimal(price), stop=None, target=None)
    moment = Moment(1, proposal, book, {}, (), Decimal("0.0000001"), None, 0, None, None)
    found = gate.judge(moment, lambda _leaf: 1.0, lot)
    # cash falls by the fill and the position is worth what was paid: equity stays 10,000
    room = min(Decimal(500) - held, Decimal(800) - held - gross)
    fits = max(int(room / (lot * price)), 0) if room >= 0 else 0
    expected = lot * min(lots, fits)
    assert found.quantity == expected
    assert found.quantity % lot == 0
    if expected == proposal.quantity:
        assert found.verdict == "approve"
    else:
        assert found.verdict == ("shrink" if expected else "reject")
        more = gate.judge(replace(moment, proposal=replace(proposal, quantity=expected + lot)), lambda _leaf: 1.0, lot)
        assert more.verdict != "approve"
    if expected:
        again = gate.judge(replace(moment, proposal=replace(proposal, quantity=expected)), lambda _leaf: 1.0, lot)
        assert said(again) == ("approve", (), expected)


def test_a_shrunk_order_must_pass_everything_else() -> None:
    gate = gate_of("limit one order.notional <= 50 USD otherwise shrink", "require worth order.notional >= 60 USD")
    assert said(judged(gate)) == ("reject", ("one", "worth"), Decimal(0))


def test_an_order_off_the_grid_shrinks_to_the_largest_lot_that_fits() -> None:
    gate = gate_of("limit one order.notional <= 100 USD otherwise shrink")
    assert said(judged(gate, order("1.0005"))) == ("shrink", ("one",), Decimal("1.000"))


def test_what_is_no_size_shrinks_to_none() -> None:
    gate = gate_of("limit one equity <= 1 USD otherwise shrink on every order")
    assert said(judged(gate, order("Infinity", adds_risk=False))) == ("reject", ("one",), Decimal(0))


def test_without_a_lot_nothing_shrinks() -> None:
    gate = gate_of("limit one order.notional <= 50 USD otherwise shrink")
    moment = Moment(1, ORDER, account(), {}, (), Decimal(1), None, 0, None, None)
    assert said(gate.judge(moment, lambda _leaf: 1.0, None)) == ("reject", ("one",), Decimal(0))


# --- who answers to what -----------------------------------------------------------------------------------------------


def test_reducing_orders_answer_only_to_rules_on_every_order() -> None:
    closing = replace(ORDER, sign=-1, stop=None, target=None, adds_risk=False)
    strict = gate_of("limit none order.notional <= 1 USD", "require never equity < 0 USD otherwise halt")
    assert said(judged(strict, closing, halted_by="a halt")) == ("approve", (), Decimal(1))
    rated = gate_of("limit rate orders(10s) <= 1 on every order", "limit none order.notional <= 1 USD")
    book = account()
    assert judged(rated, closing, book).verdict == "approve"
    book.count_order(3_599_999, is_entry=False, strategy="a")
    book.count_order(3_600_000, is_entry=False, strategy="a")
    assert said(judged(rated, closing, book)) == ("reject", ("rate",), Decimal(0))


def test_a_halt_in_force_stops_entries() -> None:
    assert judged(gate_of("warn w when equity < 0 USD"), halted_by="drawdown").verdict == "halt"
    assert judged(gate_of("warn w when equity < 0 USD"), paused_by="streak").verdict == "pause"


def test_a_proposal_is_judged_in_the_light_of_those_approved_before() -> None:
    gate = gate_of("limit one after.exposure(coins) <= 3% of equity", "group coins: BTC-USD, ETH-USD")
    book = account()
    for expected in ("approve", "approve", "approve", "reject"):
        found = judged(gate, replace(ORDER, instrument="ETH-USD"), book)
        assert found.verdict == expected
        if found.approved is not None:
            name = f"o{len(book.working)}"
            book.working[name] = Working(name, "ETH-USD", 1, found.quantity, Decimal(100), "a")
    assert judged(gate, ORDER, book).verdict == "reject"
    book.working.popitem()
    assert judged(gate, ORDER, book).verdict == "approve"


def test_a_losing_streak_pauses_until_its_time_is_over() -> None:
    gate = gate_of("pause streak for 60m after 2 losses in a row")
    book = account()
    book.trade_closed(0, Decimal(-1), strategy="a", value=Decimal(100))
    assert judged(gate, book=book, at=1).verdict == "approve"
    book.trade_closed(1_000, Decimal(-1), strategy="a", value=Decimal(100))
    assert judged(gate, book=book, at=3_600_999).verdict == "pause"
    assert judged(gate, book=book, at=3_601_000).verdict == "approve"
    book.trade_closed(2_000, Decimal(1), strategy="a", value=Decimal(100))
    assert judged(gate, book=book, at=3_000).verdict == "approve"


def test_the_tiers_of_a_universe_are_limits_too() -> None:
    rules = RULES.replace("ETH-USD\n", "ETH-USD weight 1%..2%\n  tier rest SOL-USD\n")
    gate = gate_of("warn w when equity < 0 USD", rules=rules)
    assert said(judged(gate, order("5"))) == ("shrink", ("majors.core weight",), Decimal(2))
    assert judged(gate, order("5", tier="majors.rest", instrument="SOL-USD")).verdict == "approve"
    assert judged(gate, order("1", intended=Decimal("99.99"))).deciding == ("majors.core minimum weight",)
    assert judged(gate, order("1", intended=Decimal(100))).verdict == "approve"


def test_a_policy_asks_for_the_tier_of_an_order_by_its_plain_name() -> None:
    gate = gate_of("forbid core when order.tier is core")
    assert judged(gate).deciding == ("core",)
    assert judged(gate, replace(ORDER, tier="majors.rest")).verdict == "approve"
    assert judged(gate, replace(ORDER, tier=None)).verdict == "reject"


def test_what_every_order_must_be() -> None:
    gate = gate_of("warn w when equity < 0 USD")
    wrong = {
        "whole_order": replace(ORDER, quantity=Decimal(0)),
        "venue_minimum": replace(ORDER, quantity=Decimal("0.001")),
        "stop_side": replace(ORDER, stop=Decimal(100)),
        "target_side": replace(ORDER, target=Decimal(100)),
        "complete_order": replace(ORDER, missing="stop"),
    }
    for name, proposal in wrong.items():
        found = judged(gate, proposal)
        assert found.verdict == "reject"
        assert name in found.deciding
    assert judged(gate, order("2"), maximum=Decimal("1.999")).deciding == ("venue_maximum",)
    assert judged(gate, order("2"), maximum=Decimal(2)).verdict == "approve"


# --- what else the gate is asked ---------------------------------------------------------------------------------------


def test_rules_about_the_account_alone_are_watched_without_an_order() -> None:
    gate = gate_of(
        "limit fall drawdown <= 10% otherwise halt",
        "limit big order.notional <= 1 USD otherwise halt",
        "limit loss_ loss(today) <= 1 USD",
    )
    assert [c.name for c in gate.watched.constraints] == ["fall"]
    book = account()
    nobody = Moment(0, replace(ORDER, instrument="", quantity=Decimal(0)), book, {}, (), None, None, None, None, None)
    assert gate.watch(nobody) == ()
    book.fill("trend", "ETH-USD", Decimal(50), Decimal(100), Decimal(0))
    book.mark("ETH-USD", Decimal(79))
    assert [b.constraint.name for b in gate.watch(nobody)] == ["fall"]
    book.mark("ETH-USD", None)
    assert gate.watch(nobody) == ()


def test_use_of_limits_is_measured_over_bound() -> None:
    gate = gate_of(
        "limit a after.gross <= 5% of equity",
        "limit b entries(today) < 10",
        "limit c order.confidence <= 0.5",
        "limit d drawdown <= 0%",
    )
    book = account()
    for _ in range(4):
        book.count_order(0, is_entry=True, strategy="a")
    found = judged(gate, order("2"), book)
    assert gate.usage(found.inputs, Decimal(2)) == {"a": 0.4, "b": 0.4, "c": None, "d": None}
    assert gate.usage(found.inputs, Decimal(5)) == {"a": 1.0, "b": 0.4, "c": None, "d": None}


def test_the_verdict_without_a_rule() -> None:
    gate = gate_of("forbid a when order.notional > 1 USD", "limit b order.notional <= 2 USD otherwise halt")
    found = judged(gate)
    assert found.verdict == "halt"
    assert gate.without(found, frozenset({"b"})) == ("reject", ("a",))
    assert gate.without(found, frozenset({"a", "b"})) == ("approve", ())


def test_the_snapshot_alone_gives_the_verdict_again() -> None:
    gate = gate_of("limit one order.notional <= 50 USD otherwise shrink", "require c data_age <= 2 bars")
    found = judged(gate)
    assert gate.decide(found.inputs, True, ORDER.quantity, LOT) == found
    assert gate.decide(found.inputs, False, ORDER.quantity, LOT).verdict == "approve"


def test_a_reducing_order_shrinks_to_what_limits_on_every_order_let_pass_and_no_other_limit_keeps_it_in() -> None:
    gate = gate_of(
        "limit slice order.notional <= 500 USD on every order otherwise shrink",
        "limit position after.exposure(order.instrument) <= 1% of equity otherwise shrink",
    )
    book = account()
    book.fill("trend", "BTC-USD", Decimal(8), Decimal(100), Decimal(0))
    leaving = replace(ORDER, sign=-1, quantity=Decimal(8), stop=None, target=None, intended=None, adds_risk=False)
    judgement = judged(gate, leaving, book)
    assert (judgement.verdict, judgement.deciding, judgement.quantity) == ("shrink", ("slice",), 5)


SHARES = (
    "limit c after.gross / equity <= 2",
    "forbid c when order.notional / equity > 5%",
    "forbid c when not (order.notional / equity <= 50%)",
    "limit c order.risk / (equity - 10 USD) <= 1%",
    "limit c gross / cash <= 3",
    "limit c -(order.notional / equity) >= -2",
    "require c 1 / (equity / order.notional) <= 2",
    "limit c after.gross <= 200% of equity",
    "limit c after.gross <= 200% of equity otherwise shrink",
    "limit c equity >= 0.5 * after.gross",
    "limit c loss(today) <= 3% of equity at day_start otherwise halt",
    "limit c order.notional <= min(equity, 1000 USD) otherwise shrink",
)


@pytest.mark.parametrize("line", SHARES)
@pytest.mark.parametrize("equity", ["-5000", "-0.01", "0"])
def test_a_limit_that_is_a_share_of_equity_denies_where_there_is_none(line: str, equity: str) -> None:
    found = judged(gate_of(line), book=account(equity))
    is_at_limit = "loss" in line and Decimal(equity) == 0  # nothing was lost, of nothing
    assert (found.approved is None, "c" in found.deciding) == (not is_at_limit, not is_at_limit)
    rich = judged(gate_of(line), order("0.1"), account("10000"))
    assert rich.approved is not None
