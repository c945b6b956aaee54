"""Resting orders, takes and stops that move on recorded hours: every decision is reproduced, orders end, money adds up."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from small_projects import Replayed, between, compiled, cut, run

from tb.core.records import Fill, Trade
from tb.core.time import HOUR, parse_instant
from tb.replay.data import load_market

D = Decimal

RULES = """
universe majors on venue
  tier core BTC-USD, ETH-USD
  tier edge SOL-USD, LINK-USD

strategy dip on majors every 1h
  enter long when rsi(close, 14) < 35
    size 5% of equity
    order limit at low - 0.3 * atr(14), valid 6h, post only
    stop 3 * atr(14) below entry
    stop to entry after 1R
    take 40% at 1R
    take 30% at 5% above entry
    target 3R
    because "RSI {rsi(close, 14):.0f}"
  exit when rsi(close, 14) > 75
  hold at most 5d

strategy breakout on majors every 4h
  enter long when close > sma(close, 30)
    size risking 0.5% of equity
    order stop at highest(high, 12), valid 3 bars
    stop trailing 2.5 * atr(14)
  enter short when close < sma(close, 30)
    size risking 0.5% of equity
    order stop at lowest(low, 12)
    stop 4% above entry
    stop trailing 2% after 1R
    take 50% at 1.5R
  cool down 12h after stop
"""
POLICY = """
limit gross after.gross <= 60% of equity otherwise shrink
limit position after.exposure(order.instrument) <= 15% of equity otherwise shrink
limit day loss(today) <= 1% of equity at day_start otherwise halt until tomorrow
require resting order.kind is limit or order.kind is stop
require patient order.valid <= 12h
"""
COSTS = "{fee: 10bps, slippage: 5bps, spread: 10bps, depth: 250k USD}"


@pytest.fixture(scope="module")
def recorded(recorded_data: Path) -> Replayed:
    whole = load_market(recorded_data / "crypto_1h", instruments=["BTC-USD", "ETH-USD", "SOL-USD", "LINK-USD"])
    first = parse_instant("2022-04-15") or 0
    project = compiled(RULES, POLICY, venue=COSTS, instruments="default: {tick: 0.001, lot: 0.0001, minimum: 10 USD}")
    return run(project, between(whole, first, first + 120 * 24 * HOUR))


def test_everything_happens_on_recorded_hours_and_reproduces(recorded: Replayed) -> None:
    causes = {fill.cause for fill in recorded.fills}
    assert {"entry", "stop", "trailing stop", "take"} <= causes
    assert {"expired", "halt day"} <= {cancel.cause for cancel in recorded.cancels}
    assert {trade.moved_by for trade in recorded.trades} >= {"", "break-even", "trailing"}
    assert any(len(trade.exits) > 2 for trade in recorded.trades)
    for decision in recorded.decisions[::3]:
        assert recorded.explained(decision, deep=False).differences == (), decision.seq


def test_each_order_ends_once_or_is_on_its_way_and_money_adds_up(recorded: Replayed) -> None:
    ended = [fill.order for fill in recorded.fills] + [cancel.order for cancel in recorded.cancels]
    assert len(ended) == len(set(ended))
    orders = {order.id for order in recorded.orders}
    assert len(orders - set(ended)) <= 8  # of two strategies in four instruments
    trades = recorded.trades
    assert sum((fill.fee for fill in recorded.fills), D(0)) == sum((trade.fees for trade in trades), D(0))
    for trade in trades:
        if trade.profit is not None and trade.exits:
            assert sum((part.quantity for part in trade.exits), D(0)) == trade.quantity


def test_cutting_off_the_future_changes_no_earlier_order(recorded: Replayed) -> None:
    last = recorded.market.last - 40 * 24 * HOUR
    short = run(recorded.compiled, cut(recorded.market, last))

    def until(done: Replayed) -> list[object]:
        kept = [*done.decisions, *done.orders, *done.cancels, *done.fills]
        return [record for record in kept if record.at <= last]

    assert until(short) == until(recorded)
    assert len(until(short)) > 100


def test_an_explanation_says_how_it_rests_and_what_moves(recorded: Replayed) -> None:
    decision = next(d for d in recorded.decisions if d.strategy == "dip" and d.approved)
    explanation = recorded.explained(decision)
    assert explanation.order.startswith("limit at ")
    assert "rests 6h" in explanation.order
    assert explanation.order.endswith("post only")
    assert [line.split(" at ")[0] for line in explanation.management] == [
        "take 40%",
        "take 30%",
        "stop moves to the entry after 1R",
    ]
    assert explanation.reproduced
    trade = next(t for t in recorded.records.of(Trade) if t.moved_by == "trailing" and t.side == "long")
    assert trade.last_stop is not None
    fills = [fill for fill in recorded.records.of(Fill) if fill.order == f"trailing stop of t{trade.seq}"]
    assert all(fill.price <= trade.last_stop for fill in fills)
