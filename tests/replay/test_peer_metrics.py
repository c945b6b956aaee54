"""The metrics against empyrical, quantstats and scipy, wherever these define the same.

Their answers are recorded (`peer_metrics` makes and renews them); where the libraries are installed here, they are asked again.
What they define otherwise stands in `OTHERWISE` with the reason, and with the formula that leads from one to the other, so that
it is compared all the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import peer_metrics
import pytest
from peer_metrics import SERIES, TRADES, Series
from test_metrics import START, trade

from tb.core.time import DAY
from tb.replay import statistic
from tb.replay.metrics import Metrics, measure

KNOWN: dict[str, dict[str, float]] = json.loads(peer_metrics.ANSWERS.read_text(encoding="utf-8"))
SAME = {
    "empyrical.cum_returns_final": "total_return",
    "empyrical.annual_volatility": "volatility",
    "empyrical.downside_risk": "downside_deviation",
    "empyrical.sharpe_ratio": "sharpe",
    "empyrical.sortino_ratio": "sortino",
    "empyrical.omega_ratio": "omega",
    "empyrical.beta": "beta",
    "quantstats.comp": "total_return",
    "quantstats.volatility": "volatility",
    "quantstats.sharpe": "sharpe",
    "quantstats.sortino": "sortino",
    "quantstats.omega": "omega",
    "quantstats.best": "best_day",
    "quantstats.worst": "worst_day",
    "quantstats.beta": "beta",
    "quantstats.alpha": "alpha",
}
SAME_OF_TRADES = {
    "quantstats.win_rate": "win_rate",
    "quantstats.profit_factor": "profit_factor",
    "quantstats.payoff_ratio": "payoff",
    "quantstats.kelly_criterion": "kelly",
    "quantstats.avg_win": "average_win",
    "quantstats.avg_loss": "average_loss",
    "quantstats.consecutive_wins": "winning_streak",
    "quantstats.consecutive_losses": "losing_streak",
    "scipy.ttest_1samp statistic": "sqn",  # a system quality number is the t statistic of R
    "scipy.ttest_1samp pvalue": "p_value",
}


class Otherwise(NamedTuple):
    """`theirs` makes our value, and the metrics it may need, into what the library says."""

    name: str
    why: str
    theirs: Callable[[float, Metrics, Series], float]


def negative(value: float, _metrics: Metrics, _series: Series) -> float:
    return -value


def years(metrics: Metrics) -> float:
    assert metrics.first is not None
    assert metrics.last is not None
    return (metrics.last - metrics.first) / (365 * DAY)


def per_session(value: float, metrics: Metrics, series: Series) -> float:
    """The growth rate where a year is so many returns, not 365 days of the calendar."""
    grown = math.log1p(value) * years(metrics)
    return math.expm1(grown * series.per_year / len(series.returns))


def calmar(value: float, metrics: Metrics, series: Series) -> float:
    growth = metrics["cagr"].value
    assert growth
    return value / growth * per_session(growth, metrics, series)


def of_a_sample(value: float, _metrics: Metrics, series: Series) -> float:
    n = len(series.returns)
    return value * math.sqrt(n / (n - 1))


def skew(value: float, _metrics: Metrics, series: Series) -> float:
    n = len(series.returns)
    return value * math.sqrt(n * (n - 1)) / (n - 2)


def kurtosis(value: float, _metrics: Metrics, series: Series) -> float:
    n = len(series.returns)
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (value - 3) + 6)


def probability(_value: float, metrics: Metrics, series: Series) -> float:
    ratio = number(metrics, "sharpe") / math.sqrt(series.per_year)
    leaning = skew(number(metrics, "skew"), metrics, series)
    tails = kurtosis(number(metrics, "kurtosis"), metrics, series) + 3
    spread = math.sqrt((1 - leaning * ratio + (tails - 1) / 4 * ratio * ratio) / (len(series.returns) - 1))
    return statistic.normal(ratio / spread)


def compounded(value: float, _metrics: Metrics, series: Series) -> float:
    return (1 + value / series.per_year) ** series.per_year - 1


def of_a_day(value: float, _metrics: Metrics, series: Series) -> float:
    return value / math.sqrt(series.per_year)


OTHERWISE = {
    "empyrical.max_drawdown": Otherwise("max_drawdown", "a drawdown is negative there", negative),
    "quantstats.max_drawdown": Otherwise("max_drawdown", "a drawdown is negative there", negative),
    "empyrical.value_at_risk_95": Otherwise("var_95", "a loss is negative there", negative),
    "empyrical.value_at_risk_99": Otherwise("var_99", "a loss is negative there", negative),
    "empyrical.conditional_value_at_risk_95": Otherwise("cvar_95", "a loss is negative there", negative),
    "empyrical.conditional_value_at_risk_99": Otherwise("cvar_99", "a loss is negative there", negative),
    "empyrical.annual_return": Otherwise("cagr", "a year is a number of returns there, here 365 days", per_session),
    "quantstats.cagr": Otherwise("cagr", "a year is a number of returns there, here 365 days", per_session),
    "empyrical.calmar_ratio": Otherwise("calmar", "as for its growth rate", calmar),
    "quantstats.calmar": Otherwise("calmar", "as for its growth rate", calmar),
    "empyrical.alpha": Otherwise("alpha", "compounded over the year there, here times the days", compounded),
    "empyrical.excess_sharpe": Otherwise("information_ratio", "not scaled to a year there", of_a_day),
    "quantstats.information_ratio": Otherwise("information_ratio", "not scaled to a year there", of_a_day),
    "quantstats.ulcer_index": Otherwise("ulcer", "divided by n - 1 there, here by n as its author does", of_a_sample),
    "quantstats.skew": Otherwise("skew", "of a sample there, here of the returns as they are", skew),
    "quantstats.kurtosis": Otherwise("kurtosis", "of a sample and above that of a normal there", kurtosis),
    "quantstats.probabilistic_sharpe_ratio": Otherwise("psr", "skew and kurtosis of a sample there", probability),
}


def number(metrics: Metrics, name: str) -> float:
    value = metrics[name].value
    assert value is not None, metrics[name].note
    return value


def closes(returns: tuple[float, ...], per_year: int) -> list[tuple[int, float]]:
    """Equity at the end of each day, of each weekday where a year has 252."""
    value, at = 10_000.0, START
    points = [(at, value)]
    for change in returns:
        value *= 1.0 + change
        at += DAY
        while per_year == 252 and (at // DAY - 1 + 3) % 7 >= 5:  # the day that ends here is a Saturday or a Sunday
            at += DAY
        points.append((at, value))
    return points


def measured(series: Series) -> Metrics:
    return measure(
        equity=closes(series.returns, series.per_year),
        trades=(),
        fills=(),
        decisions=(),
        initial_equity=Decimal(10_000),
        days_per_year=series.per_year,
        benchmark=closes(series.benchmark, series.per_year),
    )


@pytest.mark.parametrize("name", SERIES)
def test_what_the_libraries_define_the_same_is_the_same(name: str) -> None:
    metrics = measured(SERIES[name])
    found = {theirs: number(metrics, ours) for theirs, ours in SAME.items()}
    assert found == pytest.approx({theirs: KNOWN[name][theirs] for theirs in SAME}, rel=1e-9)


@pytest.mark.parametrize("name", SERIES)
def test_what_they_define_otherwise_differs_by_the_formula_stated(name: str) -> None:
    series = SERIES[name]
    metrics = measured(series)
    found = {theirs: other.theirs(number(metrics, other.name), metrics, series) for theirs, other in OTHERWISE.items()}
    assert found == pytest.approx({theirs: KNOWN[name][theirs] for theirs in OTHERWISE}, rel=1e-9)


@pytest.mark.parametrize("name", SERIES)
def test_monthly_returns(name: str) -> None:
    theirs = {key.removeprefix("pandas.month "): value for key, value in KNOWN[name].items() if key.startswith("pandas.")}
    ours = {f"{month.year}-{month.month:02}": month.value for month in measured(SERIES[name]).monthly}
    assert {key: ours[key] for key in theirs} == pytest.approx(theirs, rel=1e-9)
    # a month that holds nothing but the weekend before its first day of trade has no return of its own
    assert {value for key, value in ours.items() if key not in theirs} <= {0.0}


def test_trades() -> None:
    closed = [trade(at, repr(profit), r=Decimal(repr(profit))) for at, profit in enumerate(TRADES, 1)]
    metrics = measure(equity=(), trades=closed, fills=(), decisions=(), initial_equity=Decimal(10_000))
    found = {theirs: number(metrics, ours) for theirs, ours in SAME_OF_TRADES.items()}
    assert found == pytest.approx(KNOWN["trades"], rel=1e-9)


def test_every_recorded_answer_is_compared() -> None:
    for name in SERIES:
        assert {key for key in KNOWN[name] if not key.startswith("pandas.")} == {*SAME, *OTHERWISE}
    assert set(KNOWN) == {*SERIES, "trades"}


def test_the_recorded_answers_are_those_of_the_libraries() -> None:
    try:
        import empyrical  # noqa: F401
        import quantstats  # noqa: F401
    except ImportError:
        pytest.skip("empyrical and quantstats are not installed here; `make peers` asks them in an environment of their own")
    assert peer_metrics.differences(KNOWN, peer_metrics.answers()) == []
