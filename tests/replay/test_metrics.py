"""Metrics against examples worked out by hand, against closed forms, and against bounds that must hold for any run."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.records import Decision, Fill, Latch, Mark, Trade
from tb.core.time import DAY, HOUR
from tb.replay import statistic
from tb.replay.figures import Metric
from tb.replay.metrics import Metrics, measure

START = 1_704_067_200_000  # 2024-01-01 00:00 UTC, a Monday


def trade(seq: int, profit: str | None, **changes: Any) -> Trade:
    """A closed trade of 2 units bought at 100 and held two hours, unless changed."""
    values: dict[str, Any] = {
        "seq": seq,
        "strategy": "momentum",
        "instrument": "BTC-USD",
        "side": "long",
        "decision": seq,
        "entry_at": START + seq * DAY,
        "entry_row": 0,
        "entry_price": Decimal(100),
        "quantity": Decimal(2),
        "stop": Decimal(95),
        "target": None,
        "exit_at": None if profit is None else START + seq * DAY + 2 * HOUR,
        "exit_row": None if profit is None else 2,
        "exit_price": None if profit is None else Decimal(101),
        "cause": None if profit is None else "stop",
        "fees": Decimal("0.5"),
        "profit": None if profit is None else Decimal(profit),
        "r": None if profit is None else Decimal(profit) / 10,
        "best": 0.04,
        "worst": 0.02,
    }
    return Trade(**(values | changes))


def decision(seq: int, proposed: str, approved: str, verdict: str, *deciding: str, **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "seq": seq,
        "at": START + seq * HOUR,
        "kind": "enter",
        "strategy": "momentum",
        "enter": 0,
        "instrument": "BTC-USD",
        "side": "buy",
        "row": seq,
        "verdict": verdict,
        "deciding": deciding,
        "proposed": Decimal(proposed),
        "approved": Decimal(approved),
        "price": Decimal(100),
        "stop": None,
        "target": None,
        "confidence": None,
        "reason": "trend",
        "failed": 0,
        "unknown": 0,
        "facts": (),
        "market": (),
        "ages": (),
        "rows": (),
    }
    return Decision(**(values | changes))


def fill(price: str, quantity: str, fee: str, slippage: str) -> Fill:
    return Fill(
        order="o",
        at=START,
        row=0,
        instrument="BTC-USD",
        side="buy",
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(fee),
        slippage=Decimal(slippage),
        cause="entry",
    )


def mark(at: int, equity: str, exposure: str, **usage: float | None) -> Mark:
    return Mark(at=at, equity=Decimal(equity), exposure=Decimal(exposure), usage=dict(usage))


def latch(at: int, rule: str, until: int | None, *, lifted: bool = False, verdict: Any = "halt", by: str = "") -> Latch:
    return Latch(at=at, rule=rule, verdict=verdict, until=until, lifted=lifted, by=by, reason="drawdown 11%")


def run(**changes: Any) -> Metrics:
    values: dict[str, Any] = {"equity": (), "trades": (), "fills": (), "decisions": (), "initial_equity": Decimal(1000)}
    return measure(**(values | changes))


def of_days(*values: float, **changes: Any) -> Metrics:
    """A run that starts at midnight with the first value and closes each day with the next."""
    points = [(START + i * DAY, value) for i, value in enumerate(values)]
    return run(equity=points, initial_equity=Decimal(repr(values[0])), **changes)


def value(metrics: Metrics, name: str) -> float:
    found = metrics[name].value
    assert found is not None, metrics[name].note
    return found


def absent(metrics: Metrics, name: str) -> str:
    assert metrics[name].value is None
    return metrics[name].note


# returns and risk


def test_returns_and_risk_of_four_days_by_hand() -> None:
    metrics = of_days(1000.0, 1100.0, 990.0, 990.0, 1188.0)  # +10 %, -10 %, 0, +20 %
    assert value(metrics, "total_return") == pytest.approx(0.188)
    assert value(metrics, "profit") == 188.0
    assert value(metrics, "best_day") == pytest.approx(0.2)
    assert value(metrics, "worst_day") == pytest.approx(-0.1)
    assert value(metrics, "positive_days") == 0.5
    spread = math.sqrt((0.05**2 + 0.15**2 + 0.05**2 + 0.15**2) / 3)  # around the mean of 5 %
    assert value(metrics, "volatility") == pytest.approx(spread * math.sqrt(365))
    assert value(metrics, "downside_deviation") == pytest.approx(0.05 * math.sqrt(365))  # sqrt(0.01 / 4)
    assert value(metrics, "sharpe") == pytest.approx(0.05 / spread * math.sqrt(365))
    assert value(metrics, "sortino") == pytest.approx(math.sqrt(365))
    assert value(metrics, "omega") == pytest.approx(3.0)
    assert value(metrics, "max_drawdown") == pytest.approx(0.1)
    assert value(metrics, "max_drawdown_money") == pytest.approx(110.0)
    assert value(metrics, "drawdown_duration") == 3 * DAY
    assert value(metrics, "time_under_water") == pytest.approx(0.5)  # from day 2 to day 4
    assert value(metrics, "ulcer") == pytest.approx(math.sqrt(0.02 / 4))
    assert metrics["sharpe"].note == "daily marked equity, x sqrt(365); only 4 days: unreliable"


def test_growth_over_a_year_and_over_half_a_year() -> None:
    assert value(run(equity=[(START + 365 * DAY, 1500)], first=START), "cagr") == pytest.approx(0.5)
    half = run(equity=[(START + 365 * DAY // 2, 1100)], first=START)
    assert value(half, "cagr") == pytest.approx(0.21)


def test_calmar_is_growth_over_drawdown() -> None:
    points = [(START + 100 * DAY, 800), (START + 365 * DAY, 1500)]
    assert value(run(equity=points, first=START), "calmar") == pytest.approx(0.5 / 0.2)


def test_growth_is_refused_under_thirty_days() -> None:
    short = run(equity=[(START + 30 * DAY - 1, 1100)], first=START)
    assert absent(short, "cagr") == absent(short, "calmar") == "the run is shorter than 30 days"
    assert run(equity=[(START + 30 * DAY, 1100)], first=START)["cagr"].value is not None


def test_tails_are_historical_quantiles() -> None:
    equity, values = 1000.0, [1000.0]
    for step in range(1, 102):  # returns of -50.5 .. +49.5 in steps of one basis point
        equity *= 1.0 + (step - 51) / 10_000
        values.append(equity)
    metrics = of_days(*values)
    assert value(metrics, "var_95") == pytest.approx(0.0045)  # the sixth smallest of 101: -50, -49, .. -45
    assert value(metrics, "cvar_95") == pytest.approx(0.00475)
    assert value(metrics, "var_99") == pytest.approx(0.0049)
    assert value(metrics, "cvar_99") == pytest.approx(0.00495)


def test_tails_need_enough_days() -> None:
    metrics = of_days(*(1000.0 + i for i in range(20)))
    assert absent(metrics, "var_95") == "needs at least 20 days, has 19"
    assert absent(metrics, "cvar_99") == "needs at least 100 days, has 19"


def test_probability_of_a_sharpe_above_zero() -> None:
    metrics = of_days(1000.0, 1020.0, 1009.8, 1029.996, 1019.69604)  # +2 %, -1 %, +2 %, -1 %: symmetric, kurtosis 1
    sharpe = 0.005 / math.sqrt(4 * 0.015**2 / 3)
    assert value(metrics, "skew") == pytest.approx(0.0, abs=1e-9)
    assert value(metrics, "kurtosis") == pytest.approx(1.0)
    assert value(metrics, "psr") == pytest.approx(statistic.normal(sharpe * math.sqrt(3)))
    assert value(metrics, "psr_1") == pytest.approx(statistic.normal((sharpe - 1 / math.sqrt(365)) * math.sqrt(3)))


def test_sparse_marks_are_carried_forward_to_each_day() -> None:
    metrics = run(equity=[(START + 12 * HOUR, 1100), (START + 3 * DAY + HOUR, 1210)], first=START, last=START + 4 * DAY)
    assert value(metrics, "best_day") == pytest.approx(0.1)
    assert value(metrics, "positive_days") == 0.5  # +10 %, 0, 0, +10 %
    assert value(metrics, "sharpe") == pytest.approx(0.05 / math.sqrt(0.01 / 3) * math.sqrt(365))


def test_weekends_are_no_days_where_markets_close() -> None:
    values = [1000.0, 1100.0, 1000.0, 1100.0, 1000.0, 1100.0, 1210.0, 1210.0, 1331.0]  # Monday to Monday
    open_markets = of_days(*values)
    closed_markets = of_days(*values, days_per_year=252)
    assert value(open_markets, "positive_days") == pytest.approx(5 / 8)
    assert value(closed_markets, "positive_days") == pytest.approx(4 / 6)  # Saturday's change falls into Monday
    assert value(closed_markets, "best_day") == pytest.approx(0.21)
    assert closed_markets["sharpe"].note.startswith("daily marked equity, x sqrt(252)")


def test_months_are_calendar_months_and_chain_to_the_total() -> None:
    points = [(START + 31 * DAY, 1100), (START + 31 * DAY + 1, 1210), (START + 95 * DAY, 1331)]  # midnight belongs to January
    months = run(equity=points, first=START + 14 * DAY).monthly
    assert [(m.year, m.month) for m in months] == [(2024, 1), (2024, 2), (2024, 3), (2024, 4)]
    assert [m.value for m in months] == [pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.0), pytest.approx(0.1)]


def test_drawdowns_are_listed_deepest_first() -> None:
    falls = of_days(1000.0, 900.0, 1000.0, 1200.0, 840.0, 960.0).drawdowns
    assert [(f.depth, f.money, f.recovered) for f in falls] == [
        (pytest.approx(0.3), 360.0, None),
        (pytest.approx(0.1), 100.0, START + 2 * DAY),
    ]
    assert (falls[0].peak, falls[0].trough) == (START + 3 * DAY, START + 4 * DAY)
    assert of_days(1000.0, 900.0, 950.0)["drawdown_duration"].note == "not recovered when the run ended"


def test_a_benchmark_that_moves_half_as_much() -> None:
    theirs = [(START + i * DAY, v) for i, v in enumerate([50.0, 51.0, 50.49, 51.4998])]  # +2 %, -1 %, +2 %
    metrics = of_days(1000.0, 1040.0, 1019.2, 1059.968, benchmark=theirs)  # twice as much each day
    assert value(metrics, "beta") == pytest.approx(2.0)
    assert value(metrics, "alpha") == pytest.approx(0.0, abs=1e-9)
    assert value(metrics, "correlation") == pytest.approx(1.0)
    assert value(metrics, "benchmark_return") == pytest.approx(51.4998 / 50 - 1)
    assert value(metrics, "information_ratio") == pytest.approx(0.01 / math.sqrt(0.0003) * math.sqrt(365))
    assert "beta" not in [metric.name for metric in of_days(1000.0, 1040.0).each()]


def test_a_benchmark_without_values_in_the_span() -> None:
    metrics = of_days(1000.0, 1040.0, 1030.0, benchmark=[(START + 9 * DAY, 5.0)])
    assert absent(metrics, "beta") == "the benchmark has no values in this span"


# nothing, one, and no variance


def test_nothing_happened_at_all() -> None:
    metrics = run()
    assert value(metrics, "total_return") == 0.0
    assert value(metrics, "max_drawdown") == 0.0
    for name in ("sharpe", "sortino", "omega", "psr", "volatility"):
        assert absent(metrics, name) == "needs at least two days"
    for name in ("win_rate", "profit_factor", "expectancy", "sqn", "kelly", "average_duration"):
        assert absent(metrics, name) == "no closed trades"
    assert absent(metrics, "time_under_water") == "the run has no length"
    assert absent(metrics, "refusal_rate") == "no proposals"


def test_equity_that_does_not_move() -> None:
    metrics = of_days(*[1000.0] * 40)
    assert value(metrics, "volatility") == 0.0
    assert value(metrics, "cagr") == 0.0
    assert absent(metrics, "sharpe") == absent(metrics, "psr") == absent(metrics, "skew") == "daily returns do not vary"
    assert absent(metrics, "sortino") == absent(metrics, "omega") == "no losing day"
    assert absent(metrics, "calmar") == "no drawdown"


def test_equity_that_grows_by_the_same_share_each_day_has_no_sharpe() -> None:
    values = [1000.0]
    for _ in range(60):
        values.append(values[-1] * 1.001)  # rounding makes the quotients differ in the last bit
    assert absent(of_days(*values), "sharpe") == "daily returns do not vary"


def test_one_day() -> None:
    metrics = run(equity=[(START + 5 * HOUR, 1010)], first=START + HOUR)
    assert value(metrics, "best_day") == pytest.approx(0.01)
    assert absent(metrics, "sharpe") == "needs at least two days"


def test_equity_below_zero_is_said_and_not_hidden() -> None:
    metrics = of_days(1000.0, 400.0, -100.0, 50.0)
    assert value(metrics, "total_return") == pytest.approx(-0.95)
    assert value(metrics, "max_drawdown") == 1.0
    assert metrics["max_drawdown"].note == "equity fell below zero: capped at 100%"
    assert value(metrics, "max_drawdown_money") == 1100.0
    assert (
        absent(metrics, "sharpe") == absent(metrics, "var_95") == absent(metrics, "best_day") == "equity fell to zero or below"
    )
    assert metrics.monthly[0].value == pytest.approx(-0.95)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"initial_equity": Decimal(0)}, "initial equity"),
        ({"equity": [(START + 1, 1), (START, 1)]}, "out of order"),
        ({"equity": [(START, 1)], "first": START + 1}, "out of order"),
        ({"equity": [(START, float("nan"))]}, "finite"),
    ],
)
def test_equity_no_run_can_have_is_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        run(**changes)


def test_a_metric_is_never_nan_and_never_absent_without_a_reason() -> None:
    words: dict[str, Any] = {"name": "x", "label": "X", "unit": "number", "definition": "x"}
    with pytest.raises(ValueError, match="finite"):
        Metric(value=float("nan"), **words)
    with pytest.raises(ValueError, match="no reason"):
        Metric(value=None, **words)
    with pytest.raises(KeyError):
        run()["sharp"]


# trades


def test_trades_by_hand() -> None:
    metrics = run(trades=[trade(1, "30"), trade(2, "-10"), trade(3, "-10"), trade(4, "10"), trade(5, "0"), trade(6, None)])
    assert value(metrics, "trades") == 5
    assert value(metrics, "open_trades") == 1
    assert value(metrics, "win_rate") == pytest.approx(0.4)
    assert value(metrics, "profit_factor") == pytest.approx(2.0)
    assert value(metrics, "payoff") == pytest.approx(2.0)
    assert value(metrics, "average_win") == 20.0
    assert value(metrics, "average_loss") == -10.0
    assert (value(metrics, "best_trade"), value(metrics, "worst_trade")) == (30.0, -10.0)
    assert value(metrics, "expectancy") == pytest.approx(4.0)
    assert value(metrics, "expectancy_r") == pytest.approx(0.4)
    assert value(metrics, "expectancy_ratio") == pytest.approx(0.2)  # (1 + 2) x 0.4 - 1
    assert value(metrics, "kelly") == pytest.approx(0.4 - 0.6 / 2)
    spread = math.sqrt((2.6**2 + 1.4**2 + 1.4**2 + 0.6**2 + 0.4**2) / 4)
    assert value(metrics, "sqn") == pytest.approx(math.sqrt(5) * 0.4 / spread)
    assert metrics["sqn"].note == "poor on Tharp's scale; unreliable under 30 trades"
    assert (value(metrics, "winning_streak"), value(metrics, "losing_streak")) == (1, 2)
    assert value(metrics, "average_duration") == value(metrics, "median_duration") == 2 * HOUR
    assert value(metrics, "mfe") == pytest.approx(0.04)
    assert value(metrics, "edge_ratio") == pytest.approx(2.0)


def test_the_p_value_has_its_closed_form_for_two_trades() -> None:
    metrics = run(trades=[trade(1, "30"), trade(2, "10")])  # R of 3 and 1: t = 2, one degree of freedom
    assert value(metrics, "p_value") == pytest.approx(1 - 2 / math.pi * math.atan(2.0))
    assert metrics["p_value"].note == "of mean R"


def test_without_stops_there_is_no_r() -> None:
    bare = [trade(1, "30", stop=None, r=None), trade(2, "10", stop=None, r=None)]
    metrics = run(trades=bare)
    assert absent(metrics, "expectancy_r") == absent(metrics, "sqn") == "no trade had a stop"
    assert value(metrics, "p_value") == pytest.approx(1 - 2 / math.pi * math.atan(2.0))  # returns of 15 % and 5 %
    mixed = run(trades=[*bare, trade(3, "20")])
    assert mixed["expectancy_r"].note == "over the 1 of 3 trades that had a stop"
    assert absent(mixed, "sqn") == "needs at least two trades"


def test_one_trade() -> None:
    metrics = run(trades=[trade(1, "30")])
    assert value(metrics, "win_rate") == 1.0
    for name in ("profit_factor", "payoff", "expectancy_ratio", "kelly", "average_loss"):
        assert absent(metrics, name) == "no losing trade"
    assert absent(metrics, "sqn") == absent(metrics, "p_value") == "needs at least two trades"


def test_only_losses() -> None:
    metrics = run(trades=[trade(1, "-10"), trade(2, "-10")])
    assert value(metrics, "profit_factor") == value(metrics, "payoff") == 0.0
    assert value(metrics, "expectancy_ratio") == -1.0
    assert absent(metrics, "kelly") == "no winning trade"
    assert absent(metrics, "sqn") == "R does not vary"
    assert absent(metrics, "p_value") == "trades do not vary"


def test_costs_and_use_of_the_market() -> None:
    trades = [
        trade(0, "10", exit_at=START + DAY),
        trade(1, None, entry_at=START + DAY // 2, side="short", entry_price=Decimal(99)),
    ]
    metrics = run(
        equity=[(START + 4 * DAY, 1000)],
        first=START,
        trades=trades,
        fills=[fill("101", "2", "0.5", "1"), fill("99", "3", "0.25", "0.5")],
        decisions=[decision(0, "2", "2", "approve"), decision(1, "2", "2", "approve")],
    )
    assert value(metrics, "fees") == 0.75
    assert value(metrics, "slippage") == 3.5
    assert value(metrics, "turnover") == pytest.approx((202 + 297) / 1000)
    assert value(metrics, "exposure_time") == 1.0  # the open one lasts until the end
    assert value(metrics, "entry_shortfall") == pytest.approx(50.0)  # nothing on 200, 2 on 200
    assert absent(run(), "entry_shortfall") == "no fills"


def test_time_in_the_market_counts_overlaps_once() -> None:
    trades = [
        trade(1, "1", entry_at=START, exit_at=START + 2 * DAY),
        trade(2, "1", entry_at=START + DAY, exit_at=START + 3 * DAY),
    ]
    assert value(run(trades=trades, first=START, last=START + 4 * DAY), "exposure_time") == 0.75


def test_breakdowns() -> None:
    metrics = run(trades=[trade(1, "30"), trade(2, "-10", instrument="ETH-USD", cause="target", r=None), trade(3, "5")])
    rows = {part.name: [(r.name, r.trades, r.wins, r.profit, r.mean_r) for r in part.rows] for part in metrics.breakdowns}
    assert rows["instrument"] == [("BTC-USD", 2, 2, 35.0, 1.75), ("ETH-USD", 1, 0, -10.0, None)]
    assert rows["cause"] == [("stop", 2, 2, 35.0, 1.75), ("target", 1, 0, -10.0, None)]
    assert rows["side"] == [("long", 3, 2, 25.0, 1.75)]


# policy


def test_verdicts_and_rules_by_hand() -> None:
    metrics = run(
        decisions=iter(
            [
                decision(1, "2", "2", "approve"),
                decision(2, "2", "2", "warn", "big_day"),
                decision(3, "2", "0.5", "shrink", "position"),
                decision(4, "2", "0", "reject", "position", "gross"),
                decision(5, "1", "0", "halt", "drawdown", unknown=4),
                decision(6, "2", "2", "approve", kind="exit"),
                decision(7, "2", "0", "reject", "rate", kind="exit"),
            ]
        )
    )
    names = ("proposals", "approved", "warned", "shrunk", "rejected", "unknown_refusals", "exits", "exits_refused")
    assert [value(metrics, name) for name in names] == [5, 2, 1, 1, 2, 1, 2, 1]
    assert value(metrics, "refusal_rate") == pytest.approx(0.4)
    assert value(metrics, "binding_share") == pytest.approx(0.6)
    assert value(metrics, "blocked_notional") == 450.0
    assert value(metrics, "approved_notional") == 450.0
    assert [(u.rule, u.refused, u.shrunk, u.warned, u.blocked) for u in metrics.rules] == [
        ("position", 1, 1, 0, 350.0),
        ("drawdown", 1, 0, 0, 100.0),
        ("gross", 1, 0, 0, 200.0),
        ("big_day", 0, 0, 1, 0.0),
    ]
    assert [u.binding for u in metrics.rules] == [pytest.approx(2 / 3), pytest.approx(1 / 3), pytest.approx(1 / 3), 0.0]


def test_an_entry_without_a_price_is_counted_and_said() -> None:
    metrics = run(
        decisions=[decision(1, "2", "0", "reject", "fresh", price=None, unknown=1), decision(2, "1", "0", "reject", "fresh")]
    )
    assert (value(metrics, "rejected"), value(metrics, "unknown_refusals"), value(metrics, "blocked_notional")) == (2, 1, 100.0)
    assert metrics["blocked_notional"].note == "without 1 entries of unknown price"


def test_use_of_limits() -> None:
    marks = [mark(START + i, "1000", "0", gross=i / 100, depth=None) for i in range(101)]
    gross, depth = run(marks=marks).limits
    assert (gross.limit, gross.highest, gross.p95, gross.known, gross.unknown) == ("gross", 1.0, pytest.approx(0.95), 101, 0)
    assert (depth.limit, depth.highest, depth.p95, depth.known, depth.unknown) == ("depth", None, None, 0, 101)


def test_exposure_counts_only_marks_with_a_position() -> None:
    metrics = run(marks=[mark(START, "1000", "0"), mark(START + 1, "1000", "200"), mark(START + 2, "1000", "400")])
    assert value(metrics, "peak_exposure") == pytest.approx(0.4)
    assert value(metrics, "mean_exposure") == pytest.approx(0.3)
    assert absent(run(), "peak_exposure") == "no marks were recorded"


def test_stops_end_by_time_by_a_person_or_not_at_all() -> None:
    latches = [
        latch(START, "daily", START + DAY),
        latch(START + DAY // 2, "daily", START + 2 * DAY),  # extends the first
        latch(START + 3 * DAY, "drawdown", None),
        latch(START + 4 * DAY, "drawdown", None, lifted=True, by="ann"),
        latch(START + 5 * DAY, "streak", START + 5 * DAY + HOUR, verdict="pause"),
        latch(START + 9 * DAY, "drawdown", None),
    ]
    metrics = run(latches=latches, first=START, last=START + 10 * DAY)
    assert [(s.rule, (s.start - START) / DAY, (s.end - START) / DAY, s.ongoing, s.lifted_by) for s in metrics.stoppages] == [
        ("daily", 0, 2, False, ""),
        ("drawdown", 3, 4, False, "ann"),
        ("streak", 5, 5 + 1 / 24, False, ""),
        ("drawdown", 9, 10, True, ""),
    ]
    assert (value(metrics, "halts"), value(metrics, "pauses")) == (3, 1)
    assert value(metrics, "stopped_time") == pytest.approx((4 + 1 / 24) / 10)


# statistics


@pytest.mark.parametrize("t", [0.0, 0.1, 1.0, 2.5, 40.0])
def test_student_has_its_closed_forms(t: float) -> None:
    assert statistic.student(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), abs=1e-12)
    assert statistic.student(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-12)
    three = 1 - 2 / math.pi * (math.atan(t / math.sqrt(3)) + t / math.sqrt(3) / (1 + t * t / 3))
    assert statistic.student(t, 3) == pytest.approx(three, abs=1e-12)


def test_student_meets_printed_tables_and_the_normal_distribution() -> None:
    assert statistic.student(2.228, 10) == pytest.approx(0.05, abs=1e-4)
    assert statistic.student(2.750, 30) == pytest.approx(0.01, abs=1e-4)
    assert statistic.student(1.96, 10_000_000) == pytest.approx(2 * statistic.normal(-1.96), abs=1e-6)


def test_quantiles_interpolate() -> None:
    assert statistic.quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert statistic.quantile([7.0], 0.95) == 7.0


# any run

amounts = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=60)
profits = st.lists(st.integers(-1000, 1000), max_size=40)


def world(values: list[float], gains: list[int], scale: int) -> Metrics:
    points = [(START + (i * 7 + 1) * HOUR, value * scale) for i, value in enumerate(values)]
    trades = [trade(i, str(gain * scale), r=Decimal(gain) / 7) for i, gain in enumerate(gains)]
    return run(equity=points, trades=trades, initial_equity=Decimal(1000 * scale), first=START)


@given(amounts, profits)
def test_bounds_hold_for_any_run(values: list[float], gains: list[int]) -> None:
    metrics = world(values, gains, 1)
    for name in (
        "max_drawdown",
        "time_under_water",
        "win_rate",
        "psr",
        "psr_1",
        "p_value",
        "positive_days",
        "ulcer",
        "exposure_time",
    ):
        found = metrics[name].value
        assert found is None or 0.0 <= found <= 1.0, (name, found)
    for name in ("volatility", "downside_deviation", "profit_factor", "payoff", "omega"):
        found = metrics[name].value
        assert found is None or found >= 0.0, (name, found)
    assert value(metrics, "total_return") > -1.0
    for better, worse in (("cvar_95", "var_95"), ("cvar_99", "var_99"), ("var_99", "var_95")):
        high, low = metrics[better].value, metrics[worse].value
        assert high is None or low is None or high >= low - 1e-12
    chained = math.prod(1.0 + (month.value or 0.0) for month in metrics.monthly)
    assert chained == pytest.approx(1.0 + value(metrics, "total_return"))


@given(amounts, profits, st.sampled_from([2, 1024]))
def test_the_size_of_the_account_changes_money_and_nothing_else(values: list[float], gains: list[int], scale: int) -> None:
    small, large = world(values, gains, 1), world(values, gains, scale)
    for one, other in zip(small.each(), large.each(), strict=True):
        assert one.name == other.name
        expected = one.value
        if expected is not None and one.unit == "money":
            expected *= scale
        assert other.value == (expected if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12))
