"""Margins of a decision, near misses, where numbers come from, one rule alone, and the drawing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from small_projects import Replayed, bars, between, compiled, flat, market, run, strategy

from tb.core.records import Decision
from tb.core.time import DAY
from tb.engine.explain.words import describe
from tb.gate.explain import dot, html, rule_text, text
from tb.gate.explain.reproduce import facts_of
from tb.replay.data import load_market
from tb.runtime.policy import compile_project, gates_of, project_of
from tb.runtime.project import load_project

POLICY = (
    "limit position  order.notional <= limits.max_position_pct of equity  otherwise shrink\n"
    "forbid thin     when spread > 60bps\n"
    "forbid thinner  when spread > 90bps\n"
    "forbid many     when entries(today) >= 3\n"
)


def one(spread: str = "20bps", limits: str = "max_position_pct: 20%\n", rules: str = "") -> Replayed:
    venue = f"{{fee: 0%, slippage: 0%, spread: {spread}, depth: 1B USD}}"
    return run(
        compiled(rules or strategy(), POLICY, limits=limits, venue=venue), market(bars("BTC-USD", [flat(100, 1), flat(100)]))
    )


def told(done: Replayed) -> dict[str, tuple[str, str, str, str]]:
    found = done.explained(done.decisions[0])
    return {flip.input: (flip.at, flip.inside, flip.at_point, flip.outside) for flip in found.margins}


def test_each_input_has_the_nearest_value_that_changes_the_verdict() -> None:
    found = told(one())
    assert found["spread"] == ("0.6%", "approve", "approve", "reject")
    assert found["entries(today)"] == ("3", "approve", "reject", "reject")
    # down to the smallest order that the venue takes is nearer than up to the limit
    assert found["order.quantity"] == ("0.00999001", "approve", "approve", "reject")
    assert found["equity"] == ("4,999.99 USD", "approve", "approve", "shrink")


def test_an_input_that_has_to_pass_two_thresholds_changes_the_verdict_at_the_second() -> None:
    assert told(one("1%"))["spread"] == ("0.6%", "reject", "approve", "approve")


def test_one_of_two_reasons_alone_changes_nothing() -> None:
    policy = "forbid thin when spread > 60bps\nforbid small when order.notional < 2000 USD\n"
    venue = "{fee: 0%, slippage: 0%, spread: 1%, depth: 1B USD}"
    done = run(compiled(strategy(), policy, venue=venue), market(bars("BTC-USD", [flat(100, 1)])))
    assert done.explained(done.decisions[0]).margins == ()


HELD = "limit position  after.exposure(order.instrument) <= limits.max_position_pct of equity  otherwise shrink\n"


def of(policy: str, limits: str) -> dict[str, tuple[str, str, str, str]]:
    """The margins of the first decision: a buy for a tenth of 10,000 USD, where the smallest order is 1 USD."""
    venue = "{fee: 0%, slippage: 0%, spread: 20bps, depth: 1B USD}"
    return told(
        run(compiled(strategy(), policy, limits=limits, venue=venue), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    )


def test_an_order_is_refused_where_nothing_is_left_of_it_that_the_venue_takes() -> None:
    found = of(POLICY, "max_position_pct: 5%\n")
    # the limit alone would be met at 20,000 USD; the other way the verdict changes sooner
    assert found["equity"] == ("20.02 USD", "shrink", "reject", "reject")
    assert found["order.minimum"] == ("500.00 USD", "shrink", "shrink", "reject")


def test_a_refused_order_is_shrunk_before_all_of_it_passes() -> None:
    found = of(POLICY, "max_position_pct: 0.001%\n")
    assert found["equity"] == ("100,100.00 USD", "reject", "shrink", "shrink")


def test_a_rule_that_decides_on_what_is_left_of_an_order_says_so() -> None:
    done = one(limits="max_position_pct: 0.005%\n")
    found = done.explained(done.decisions[0])
    assert found.decided_by == ("position", "venue_minimum")
    assert [rule.name for rule in found.rules if rule.decides_what_is_left] == ["venue_minimum"]
    words = "what is proposed passes it; what the limits that shrink leave of it does not"
    assert words in text(found)
    assert words in html(found)


def test_an_input_that_counts_only_beyond_another_is_found_from_zero() -> None:
    found = of(HELD, "max_position_pct: 20%\n")
    assert found["short side, worst case"] == ("-2,000.00 USD", "approve", "approve", "reject")
    assert found["long side, worst case"] == ("1,000.00 USD", "approve", "approve", "shrink")


def check(done: Replayed, decision: Decision) -> int:
    """Every margin by judging again: the verdict is another at or beyond the point, and the same just before it."""
    gate = gates_of(done.compiled.plan)[done.compiled.plan.strategy(decision.strategy).period]
    spec = done.compiled.settings.instrument(decision.instrument)
    leaves = [describe(gate.graph, leaf, expand=False) for leaf in gate.policy.leaves]
    found = done.explained(decision)
    inputs = facts_of(gate.graph, gate, decision)
    for flip in found.margins:
        place = leaves.index(flip.input)
        value, point = inputs[place], Decimal(flip.exact)
        assert isinstance(value, Decimal)
        step = max(abs(point), abs(value), Decimal("1e-9")) * Decimal("1e-9")
        away = 1 if point > value or flip.change == "just above" else -1
        verdicts = []
        before = value if point == value else point - away * step  # a value at its point may flip on either side
        for moved in (before, point, point + away * step):
            quantity = moved if flip.input == "order.quantity" else decision.proposed
            changed = [*inputs[:place], moved, *inputs[place + 1 :]]
            lot = None if spec is None else spec.lot
            verdicts.append(gate.decide(changed, decision.kind == "enter", quantity, lot).verdict)
        assert verdicts == [flip.inside, flip.at_point, flip.outside]
        assert flip.inside == decision.verdict
        assert {flip.at_point, flip.outside} != {decision.verdict}
    return len(found.margins)


def test_on_recorded_markets(root: Path, recorded_data: Path) -> None:
    whole = load_market(recorded_data / "crypto_1h")
    project = compile_project(load_project(root))
    done = run(project, between(whole, whole.first + 230 * DAY, whole.first + 260 * DAY))
    some = {(decision.kind, decision.verdict): decision for decision in done.decisions}
    assert sum(check(done, decision) for decision in some.values()) > 10


def test_near_misses_of_constraints_that_are_no_limits() -> None:
    found = one("59.8bps").explained(one("59.8bps").decisions[0])
    assert [line for line in found.near_misses if line.startswith("thin:")] == [
        "thin: fails if spread goes from 0.598% to 0.6% (+0.002%)"
    ]
    assert not [line for line in one().explained(one().decisions[0]).near_misses if line.startswith("thin")]


def test_near_misses_of_the_condition() -> None:
    rules = strategy("volume > 0 and rsi(close, 2) < 50")
    rows = [flat(100, 1), flat(101, 1), flat(100, 1), flat(100.02, 1), flat(99.99, 1)]
    done = run(compiled(rules, POLICY, limits="max_position_pct: 20%\n"), market(bars("BTC-USD", rows)))
    lines = [line for decision in done.decisions for line in done.explained(decision).near_misses]
    assert all(line.startswith(("the condition: fails if", "position:", "thin")) for line in lines)


def test_where_numbers_come_from() -> None:
    rules = "param least = 0.5 in 0..1\n\n" + strategy("volume > 0 and close > least * open")
    done = run(compiled(rules, POLICY, limits="\nmax_position_pct: 20%\n"), market(bars("BTC-USD", [flat(100, 1)])))
    origins = {origin.name: (origin.value, origin.origin) for origin in done.explained(done.decisions[0]).origins}
    assert origins["limits.max_position_pct"] == ("20%", "policy/limits.yaml:2")
    assert origins["least"] == ("0.5", "default, rules/rules.tb:1")
    texts = dict(done.compiled.project.texts)
    texts["tb.yaml"] += "parameters:\n  least: 0.75\n"
    other = run(compile_project(project_of(texts, Path())), done.market)
    origins = {origin.name: (origin.value, origin.origin) for origin in other.explained(other.decisions[0]).origins}
    line = len(texts["tb.yaml"].splitlines())
    assert origins["least"] == ("0.75", f"tb.yaml:{line} over the default, rules/rules.tb:1")


def test_one_rule_alone() -> None:
    done = one()
    shown = rule_text(done.explained(done.decisions[0]), "thin")
    assert "thin passed, and did not decide it" in shown
    assert "spread > 60bps" in shown
    assert "flips if spread goes from 0.2% to 0.6% (+0.4%)" in shown
    with pytest.raises(KeyError):
        rule_text(done.explained(done.decisions[0]), "thick")


def test_forms_show_the_margins() -> None:
    done = one()
    found = done.explained(done.decisions[0])
    assert "the verdict changes if\n" in text(found)
    assert "spread goes from 0.2% to 0.6% (+0.4%): reject" in text(found)
    assert "the verdict changes if" in html(found)


def test_the_drawing_has_every_rule_and_balanced_quotes() -> None:
    done = one("1%")
    drawn = dot(done.explained(done.decisions[0]))
    assert drawn.startswith("digraph decision {\n")
    assert drawn.endswith("}\n")
    assert all(name in drawn for name in ("limit position", "forbid thin: failed", "forbid many: passed"))
    assert all(line.replace('\\"', "").count('"') % 2 == 0 for line in drawn.splitlines())
    assert "forbid many" not in dot(done.explained(done.decisions[0]), only_failing=True)
