"""The controls of the library: each by itself over a plain project, held to its tests in the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tb.analysis.testing import Bench, run_tests
from tb.dsl.parse import parse
from tb.gate.gate import Gate
from tb.gate.limits import standard_names
from tb.replay.testing import TestHistory
from tb.runtime import policy as policies
from tb.vocabulary.controls import CONTROLS
from tb.vocabulary.facts import FACTS
from tb.vocabulary.std import CONTROLS as FILE

TESTS = Path(__file__).resolve().parent.parent / "language" / "controls"
ON_EVERY_ORDER = {"order_rate"}  # the rate of messages has to judge exits: a rule that misfires sends them as fast
SETTINGS = """\
name: controls
account: {currency: USD, equity: 10_000 USD}
instruments: {default: {tick: 0.01, lot: 0.001, minimum: 10 USD, max_quantity: 10, margin: 20%}}
venue: {fee: 10bps, slippage: 5bps, spread: 10bps, depth: 10k USD}
restricted: [XRP-USD]
"""
RULES = """\
universe u
  tier t  BTC-USD, ETH-USD, SOL-USD, XRP-USD

strategy s on u every 1h
  enter long when close > open
    size 1% of equity
"""
LIMITS = """\
min_order_value: 50 USD
max_order_value: 500 USD
price_collar_pct: 2%
price_window: 24h
price_window_pct: 10%
max_data_age: 2h
max_price_jump: 10%
max_spread: 60bps
depth_distance: 10bps
min_depth_multiple: 2
max_slippage: 25bps
max_position_pct: 5%
max_position_value: 500 USD
max_open_positions: 3
max_open_positions_per_strategy: 2
max_working_orders: 5
max_gross_pct: 100%
max_net_pct: 50%
max_cluster_pct: 15%
max_leverage: 2
margin_reserve_pct: 20%
max_daily_credit: 1_000 USD
max_daily_credit_per_strategy: 500 USD
max_daily_loss_pct: 3%
max_drawdown_pct: 10%
max_risk_pct: 1%
min_reward_risk: 2
max_trades_per_hour: 4
max_trades_per_day: 10
max_orders_per_10s: 20
max_proposals_per_10s: 50
duplicate_window: 10s
max_unattended_entries: 50
losses_before_pause: 3
pause_after_losses: 60m
stops_before_pause: 3
pause_after_stops: 4h
rejects_before_pause: 3
pause_after_rejects: 15m
max_heartbeat_age: 10s
max_reconciliation_age: 5m
max_unknown_orders: 1
max_clock_skew: 1s
"""
GROUPS = "group coins: BTC-USD, ETH-USD\n"
NEEDS = {
    "permitted": "group permitted: BTC-USD, ETH-USD\n",
    "trading_hours": "session trading_hours: 09:30..16:00 UTC on weekdays\n",
    "blackout_hours": "session blackout_hours: 13:00..14:00 UTC on Wed\n",
}


def project(name: str) -> policies.Tested:
    """A project whose policy is one control, with the control's tests."""
    used = "".join(NEEDS[need] for need in CONTROLS[name].needs)
    path = TESTS / f"{name}.tb"
    texts = {
        "tb.yaml": SETTINGS,
        "rules/rules.tb": RULES,
        "policy/policy.tb": f"use std.controls: {name}\n{GROUPS}{used}",
        "policy/limits.yaml": LIMITS,
    }
    return policies.compile_tests(policies.project_of(texts, Path()), {f"tests/{path.name}": path.read_text(encoding="utf-8")})


@pytest.fixture(scope="module")
def projects() -> dict[str, policies.Tested]:
    return {name: project(name) for name in CONTROLS}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_holds_its_tests_in_the_language(projects: dict[str, policies.Tested], name: str) -> None:
    tested = projects[name]
    plan, settings = tested.compiled.plan, tested.compiled.settings
    bench = Bench.of(tested.builder, plan, settings, TestHistory(plan, settings, Path()), tested.tests)
    report = run_tests(bench, tested.tests)
    failures = [f"{r.name}: {f.expected} / {f.actual} {f.hint}" for r in report.results for f in r.failures]
    assert failures == []
    assert report.passed
    assert len(tested.tests) >= 3


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_denies_whatever_it_reads_is_unknown(projects: dict[str, policies.Tested], name: str) -> None:
    """Each leaf by itself unknown, everything else as large as a wall or as small as nothing: never approved."""
    plan = projects[name].compiled.plan
    (policy,) = plan.policies.values()
    gate = Gate(plan.graph, policy)
    bits = [at for at, c in enumerate(policy.constraints) if c.name in CONTROLS[name].constraints]
    assert len(bits) == len(CONTROLS[name].constraints)
    assert all(policy.constraints[bit].acts not in {None, "warn", "approve"} for bit in bits)
    nothing = [None] * len(policy.leaves)
    failed, unknown = gate._judge(nothing)
    assert all((failed | unknown) >> bit & 1 for bit in bits if _reads_what_may_be_unknown(gate, bit))


def _reads_what_may_be_unknown(gate: Gate, bit: int) -> bool:
    """A stop or target that is not set is an answer where a control asks for that alone."""
    return gate.policy.constraints[bit].name != "sane_levels"


def test_a_position_can_always_be_closed(projects: dict[str, policies.Tested]) -> None:
    for name, tested in projects.items():
        (policy,) = tested.compiled.plan.policies.values()
        own = [c for c in policy.constraints if c.name in CONTROLS[name].constraints]
        assert {c.name for c in own if c.every_order} <= ON_EVERY_ORDER


def test_every_constraint_of_the_library_belongs_to_one_control_of_the_catalogue() -> None:
    file, findings = parse(FILE.path, FILE.text, is_policy=True)
    assert findings == []
    there = [str(getattr(node, "name", "")) for node in file.declarations]
    assert sorted(there) == sorted(name for control in CONTROLS.values() for name in control.constraints)
    assert {control.number for control in CONTROLS.values()} == set(range(1, 35))
    assert {path.stem for path in TESTS.glob("*.tb")} == set(CONTROLS)


def test_limits_of_controls_are_standard_ones() -> None:
    used = set(re.findall(r"limits\.(\w+)", FILE.text)) - {"yaml"}
    assert used <= set(standard_names())
    assert used == {line.split(":")[0] for line in LIMITS.splitlines()}


def test_shrinking_controls_read_the_quantity_through_derived_facts_alone(projects: dict[str, policies.Tested]) -> None:
    """So that any size can be judged again from the record."""
    for tested in projects.values():
        graph = tested.compiled.plan.graph
        for policy in tested.compiled.plan.policies.values():
            for leaf in policy.leaves:
                node = graph[leaf]
                assert node.stage == "market" or not FACTS[str(node.consts[0])].is_derived
