"""The library at work on recorded bars: triggers propose, controls judge, and every decision explains itself again."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import Replayed, run

from tb.core.records import Fill, Latch
from tb.core.time import parse_instant
from tb.replay.data import load_market
from tb.runtime.policy import Compiled, compile_project, project_of

SETTINGS = """\
name: library
account: {currency: USD, equity: 10_000 USD}
instruments: {default: {tick: 0.01, lot: 0.0001, minimum: 1 USD, max_quantity: 1000, margin: 20%}}
venue: {fee: 10bps, slippage: 5bps, spread: 10bps, depth: 250k USD}
restricted: [SOL-USD]
replay: {halts_lifted_after: 7d}
parameters: {breakout_bars: 72, spike: 2}
"""
RULES = """\
use std.triggers: volume_spike, breakout, bullish_fvg, momentum_up

universe u
  tier t  BTC-USD, ETH-USD, SOL-USD

strategy spikes on u every 1h
  enter long when volume_spike and momentum_up
    size   5% of equity
    stop   4% below entry
    target 10% above entry
    because "{volume_spike.because}"
  hold at most 2d

strategy breakouts on u every 1h
  enter long when breakout or bullish_fvg and momentum_up
    size   30% of equity
    stop   2% below entry
    target 5% above entry
    because "{breakout.because}"
  hold at most 1d
"""
POLICY = """\
use std.controls: well_formed, instrument_known, on_the_grid, max_quantity, max_order_value, collar, sane_levels, market_data,
    max_spread, min_depth, max_slippage, position, max_positions, strategy_positions, max_working_orders, gross_exposure,
    net_exposure, group_exposure, max_leverage, margin, credit, strategy_credit, cash_available, daily_loss, max_drawdown,
    risk_per_trade, min_reward_risk, protected, order_rate, trades_per_hour, trades_per_day, duplicate_order,
    repeated_execution, parent_bound, cool_down, cool_down_stops, cool_down_rejects, self_trade, restricted_list,
    permitted_list, session_open, venue_open, circuit_breaker, reconciled

group permitted: BTC-USD, ETH-USD, SOL-USD
session trading_hours: 06:00..22:00 UTC
"""
LIMITS = """\
max_order_value: 2_000 USD
price_collar_pct: 2%
price_window: 24h
price_window_pct: 15%
max_data_age: 2h
max_price_jump: 10%
max_spread: 60bps
depth_distance: 10bps
min_depth_multiple: 2
max_slippage: 25bps
max_position_pct: 15%
max_open_positions: 3
max_open_positions_per_strategy: 2
max_working_orders: 3
max_gross_pct: 100%
max_net_pct: 80%
max_cluster_pct: 40%
max_leverage: 1
margin_reserve_pct: 50%
max_daily_credit: 10_000 USD
max_daily_credit_per_strategy: 6_000 USD
max_daily_loss_pct: 2%
max_drawdown_pct: 20%
max_risk_pct: 1%
min_reward_risk: 2
max_trades_per_hour: 2
max_trades_per_day: 6
max_orders_per_10s: 10
max_proposals_per_10s: 40
duplicate_window: 10s
max_unattended_entries: 100
losses_before_pause: 4
pause_after_losses: 6h
stops_before_pause: 3
pause_after_stops: 12h
rejects_before_pause: 3
pause_after_rejects: 15m
max_heartbeat_age: 10s
max_reconciliation_age: 5m
max_unknown_orders: 0
max_clock_skew: 1s
"""


@pytest.fixture(scope="module")
def project() -> Compiled:
    texts = {"tb.yaml": SETTINGS, "rules/r.tb": RULES, "policy/p.tb": POLICY, "policy/limits.yaml": LIMITS}
    return compile_project(project_of(texts, Path()))


@pytest.fixture(scope="module")
def replayed(project: Compiled, recorded_data: Path) -> Replayed:
    market = load_market(
        recorded_data / "crypto_1h", instruments=("BTC-USD", "ETH-USD", "SOL-USD"), last=parse_instant("2021-04-01")
    )
    return run(project, market)


def test_controls_judge_a_replay_and_let_what_keeps_to_them_pass(replayed: Replayed) -> None:
    counts = replayed.outcome.counts
    assert counts["approved"] + counts["shrunk"] > 50
    assert counts["rejected"] > 50
    deciding = {name for decision in replayed.decisions for name in decision.deciding}
    assert {"max_order_value", "position", "restricted_list", "session_open", "cool_down_stops"} <= deciding
    # what only a connection knows is stated by the simulated venue, so it stops nothing here
    assert not deciding & {"venue_open", "circuit_breaker", "reconciled", "self_trade"}
    assert all(trade.instrument != "SOL-USD" for trade in replayed.trades)


def test_every_decision_under_the_library_is_reproduced_from_its_record(replayed: Replayed) -> None:
    decisions = replayed.decisions
    for decision in decisions[:: max(1, len(decisions) // 60)]:
        said = replayed.explained(decision, deep=False)
        assert said.reproduced, (decision.seq, said.differences)
        assert all(rule.place.startswith("std/") or " weight" in rule.name for rule in said.rules)


def test_a_strategy_trades_no_further_than_a_person_looks_after_it(replayed: Replayed) -> None:
    """`repeated_execution` halts at 100 entries of a strategy; a lifted halt counts anew."""
    sides = {order.id: order.strategy for order in replayed.orders}
    filled, most, halts = dict.fromkeys(("spikes", "breakouts"), 0), 0, 0
    for record in replayed.records.records:
        if isinstance(record, Latch) and record.rule == "repeated_execution":
            halts += not record.lifted
            filled = dict.fromkeys(filled, 0) if record.lifted else filled
        if isinstance(record, Fill) and record.cause == "entry":
            filled[sides[record.order]] += 1
            most = max(most, *filled.values())
    assert halts > 0
    assert most == 100
