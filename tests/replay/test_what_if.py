"""What if: no change changes nothing, a changed input flips where its flip point says, another limit decides as in a run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click import UsageError
from hypothesis import given, settings
from small_projects import Replayed, bars, between, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects

from tb.cli.what_if import answer, assignments, text
from tb.core.records import Decision
from tb.core.time import DAY
from tb.engine.explain.words import describe
from tb.gate.explain.inputs import settable
from tb.gate.explain.what_if import Inputs, WhatIf, judge_again
from tb.gate.gate import Gate
from tb.replay.data import load_market
from tb.runtime.policy import compile_project, gates_of
from tb.runtime.project import load_project


def gate_of(done: Replayed, decision: Decision) -> Gate:
    return gates_of(done.compiled.plan)[done.compiled.plan.strategy(decision.strategy).period]


def asked(done: Replayed, decision: Decision, *changes: str) -> WhatIf:
    return answer(done.compiled, gate_of(done, decision), decision, assignments(changes), policy_hash="0" * 64, run="r1")


def check_unchanged(done: Replayed) -> None:
    plan, here = done.compiled.plan, done.compiled.settings
    for decision in done.decisions:
        again, evaluated = judge_again(plan, gate_of(done, decision), here, decision, Inputs({}, {}))
        if decision.together is None:
            assert again == decision
        assert not evaluated.differences or decision.together is not None


def check_flips(done: Replayed, decision: Decision) -> int:
    """Beyond its flip point every fact gives its constraint another status, before it the same."""
    plan, here, gate = done.compiled.plan, done.compiled.settings, gate_of(done, decision)
    explained, checked = done.explained(decision), 0
    places = {describe(plan.graph, leaf, expand=False): at for at, leaf in enumerate(gate.policy.leaves)}
    facts = {name: at for name, at in places.items() if plan.graph[gate.policy.leaves[at]].stage != "market"}
    for bit, rule in enumerate(explained.rules):
        for flip in rule.flips:
            if flip.input not in facts or flip.input.startswith("order.") or flip.input == "equity":
                continue  # these move the order, too
            at, was = Decimal(flip.exact), Decimal(str(decision.facts[facts[flip.input]]))
            away = (
                (1 if at > was else -1 if at < was else 1 if flip.change == "just above" else -1)
                * max(abs(at), abs(was), Decimal("1e-9"))
                * Decimal("1e-9")
            )
            failed = []
            for value in (at - away, at, at + away):
                again, _ = judge_again(plan, gate, here, decision, Inputs({}, {facts[flip.input]: value}))
                failed.append("false" if again.failed >> bit & 1 else "unknown" if again.unknown >> bit & 1 else "true")
            assert failed == [flip.inside, flip.at_point, flip.outside], (rule.name, flip)
            checked += 1
    return checked


def test_on_recorded_markets(root: Path, recorded_data: Path) -> None:
    whole = load_market(recorded_data / "crypto_1h")
    project = compile_project(load_project(root))
    done = run(project, between(whole, whole.first + 230 * DAY, whole.first + 255 * DAY))
    check_unchanged(done)
    entries = [decision for decision in done.decisions if decision.kind == "enter"]
    assert sum(check_flips(done, decision) for decision in entries[:2]) > 10


@settings(max_examples=8)
@given(projects(), markets())
def test_no_change_changes_nothing(written: Written, drawn: Drawn) -> None:
    check_unchanged(run(written.compiled, drawn.market))


RULES = "param least = 0.5 in 0..1\n\n" + strategy(
    "volume > 0 and close > least * open", size="10% of equity", stop="10% below entry"
)
POLICY = (
    "limit position  order.notional <= limits.max_position_pct of equity  otherwise shrink\n"
    "forbid thin     when spread > 60bps\n"
    "forbid many     when entries(today) >= 10\n"
)
LIMITS = "max_position_pct: 20%\n"


@pytest.fixture(scope="module")
def done() -> Replayed:
    return run(compiled(RULES, POLICY, limits=LIMITS), market(bars("BTC-USD", [flat(100, 1), flat(100)])))


def test_a_wide_spread_is_refused(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "spread = 90bps")
    assert (found.recorded.verdict, found.then.verdict, found.then.decided_by) == ("approve", "reject", ("thin",))
    assert [(c.name, c.was, c.now) for c in found.changes] == [("spread", "0%", "0.9%")]
    [thin] = found.rules
    assert (thin.name, thin.was, thin.now) == ("thin", "passed", "failed")
    assert [(c.clause, c.was, c.now, c.value) for c in thin.clauses] == [("spread > 60bps", "false", "true", "0.9%")]
    assert found.then.reproduced
    told = text(found)
    assert "  what if spread = 0.9%  (was 0%)" in told
    assert "forbid thin  passed -> failed  (policy/policy.tb:2)" in told


def test_what_is_unknown_is_refused(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "spread=unknown", "entries(today)=unknown")
    assert (found.then.verdict, found.then.decided_by) == ("reject", ("thin", "many"))
    assert {rule.now for rule in found.rules} == {"unknown"}
    assert found.then.missing == ("spread", "entries(today)")


def test_the_order_is_asked_for_again(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "equity=5_000 USD")
    assert (found.recorded.size.proposed, found.then.size.proposed) == ("10", "5")
    found = asked(done, done.decisions[0], "order.price=50")
    assert (found.then.size.proposed, found.then.stop) == ("20", "45")
    found = asked(done, done.decisions[0], "order.quantity=30")
    assert (found.then.size.proposed, found.then.size.approved, found.then.verdict) == ("30", "20", "shrink")


def test_a_condition_that_no_longer_holds_proposes_nothing(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "close=40")
    assert found.holds == "false"
    assert [(c.clause, c.was, c.now) for c in found.condition] == [("close > least * open", "true", "false")]
    assert "nothing would be proposed: the entry condition would be false" in text(found)


def test_another_parameter(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "least=1")
    assert found.holds == "false"
    assert [(c.name, c.was, c.now) for c in found.changes] == [("least", "0.5", "1")]


def test_another_limit_decides_as_a_run_with_it(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "limits.max_position_pct=4%")
    other = run(compiled(RULES, POLICY, limits="max_position_pct: 4%\n"), done.market)
    [first, *_] = other.decisions
    assert (found.then.verdict, found.then.size.approved) == (first.verdict, "4") == ("shrink", str(first.approved.normalize()))
    assert found.then.rules == other.explained(first).rules


def test_several_at_once(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "limits.max_position_pct=4%", "equity=5_000 USD", "spread=90bps")
    assert found.then.decided_by == ("thin",)
    assert [change.name for change in found.changes] == ["limits.max_position_pct", "equity", "spread"]


def test_a_value_that_would_be_rounded_is_said_as_it_was_written(done: Replayed) -> None:
    found = asked(done, done.decisions[0], "spread=60.0001bps")
    assert (found.changes[0].now, found.then.verdict) == ("60.0001bps", "reject")
    assert [(c.value, c.threshold) for rule in found.rules for c in rule.clauses] == [("0.6000010%", "0.6000000%")]


def test_outside_of_its_universe_nothing_would_be_proposed() -> None:
    rules = RULES.replace("  tier t BTC-USD\n", "  tier t BTC-USD\n  only when spread < 1%\n")
    here = run(compiled(rules, POLICY, limits=LIMITS), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    inside = here.explained(here.decisions[0])
    assert inside.membership is not None
    assert (inside.membership.name, inside.membership.text, inside.membership.truth) == ("tier t of u", "spread < 1%", "true")
    assert [(flip.input, flip.exact, flip.outside) for flip in inside.membership_flips] == [("spread", "0.01", "false")]
    found = asked(here, here.decisions[0], "spread=1%")
    assert (found.holds, [c.clause for c in found.condition]) == ("false", ["spread < 1%"])
    assert "nothing would be proposed" in text(found)
    assert asked(here, here.decisions[0], "spread=0.99%").holds == "true"


def test_a_parameter_that_decides_what_is_computed_is_refused() -> None:
    rules = "param length = 2 in 1..4\n\n" + strategy("close >= sma(close, length)")
    here = run(compiled(rules), market(bars("BTC-USD", [flat(100)] * 3)))
    with pytest.raises(UsageError, match=r"the record does not hold `sma\(close, 3\)`.*; replay with it instead"):
        asked(here, here.decisions[0], "length=3")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("spred=90bps", "the decision read no `spred`; did you mean `spread`?"),
        ("spread=90", "`spread` is a ratio, as `90bps` or `2%`, not `90`"),
        ("spread=-1%", "`spread` is never below 0%, and `-1%` is"),
        ("equity=5000", "`equity` is money, as `10_000 USD`, not `5000`"),
        ("equity=5_000 EUR", "`equity` is money, as `10_000 USD`, not `5_000 EUR`"),
        (
            "order.notional=5 USD",
            "`order.notional` is computed; change what it is computed from: `order.quantity`, `order.price`",
        ),
        ("order.instrument=ETH-USD", "`order.instrument` is what the order is: with another it would be another decision"),
        ("side as a sign=-1", "`side as a sign` is what the order is"),
        ("limits.max_positon_pct=4%", "did you mean `limits.max_position_pct`?"),
        ("limits.max_position_pct=4", "`limits.max_position_pct` is a ratio, as `20%`, not `4`"),
        ("least=3", "`least` is outside its range 0..1"),
        ("least=3%", "`least` is a number, as `0.5`, not `3%`"),
        ("spread", "`spread` says no value; write `spread=90bps`"),
        ("=5", "`=5` names nothing to change; write `spread=90bps`"),
        ("least=banana", "`least` is a number, as `0.5`, not `banana`"),
    ],
)
def test_what_cannot_be_changed_is_told_with_what_can(done: Replayed, change: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(done, done.decisions[0], change)
    assert says in str(caught.value)


def test_every_reading_of_an_explanation_can_be_named(done: Replayed) -> None:
    decision = done.decisions[0]
    able = settable(done.compiled.plan, gate_of(done, decision), done.compiled.settings, decision)
    assert {reading.name for reading in done.explained(decision).readings} == set(able.inputs)


def test_what_else_follows_from_a_changed_value_is_told_to_stay() -> None:
    rules = RULES.replace(
        "volume > 0", "volume > 0 and close >= sma(close, 2) and close >= close[1] and (close > 0) for 2 bars"
    )
    here = run(compiled(rules, POLICY, limits=LIMITS), market(bars("BTC-USD", [flat(100, 1)] * 3)))
    notes = asked(here, here.decisions[0], "close=101").notes
    assert notes == ("what also follows from `close` stays as it was recorded: `sma(close, 2)`, `(close > 0) for 2 bars`",)
    assert asked(here, here.decisions[0], "close=101", "sma(close, 2)=101", "(close > 0) for 2 bars=true").notes == ()
    assert asked(here, here.decisions[0], "close[1]=99").notes == ()
    assert asked(here, here.decisions[0], "spread=1%").notes == ()
