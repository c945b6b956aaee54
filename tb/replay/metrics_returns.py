"""Return, risk and ratios of one run, from its marked equity.

Ratios use the returns between daily closes, because the deviation of a bar's or a trade's return says nothing about a year.
Sources: Sortino and Price 1994 (Sortino); Martin 1987 (Ulcer); Keating and Shadwick 2002 (Omega); Bailey and Lopez de Prado
2012 (PSR).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tb.core.time import DAY
from tb.replay import statistic
from tb.replay.curve import Curve, Points, curve, daily, drawdowns, underwater
from tb.replay.figures import Drawdown, Group, Meaning, Metric, Missing, figure

YEAR = 365 * DAY
FEW_DAYS = 30
MEANINGS = {
    "initial_equity": Meaning("Initial equity", "money", "equity at the start of the run"),
    "final_equity": Meaning("Final equity", "money", "marked equity at the end of the run, open positions at their last close"),
    "profit": Meaning("Profit", "money", "final equity minus initial equity"),
    "total_return": Meaning("Total return", "ratio", "final equity / initial equity - 1"),
    "cagr": Meaning("CAGR", "ratio", "(final / initial equity) ^ (365 days / length of the run) - 1; refused under 30 days"),
    "best_day": Meaning("Best day", "ratio", "largest return between two daily closes"),
    "worst_day": Meaning("Worst day", "ratio", "smallest return between two daily closes"),
    "positive_days": Meaning("Positive days", "ratio", "share of daily returns above zero"),
    "volatility": Meaning("Volatility", "ratio", "standard deviation (n - 1) of daily returns x sqrt(days per year)"),
    "downside_deviation": Meaning(
        "Downside deviation",
        "ratio",
        "root of the mean of squared negative daily returns (over all days) x sqrt(days per year)",
    ),
    "max_drawdown": Meaning(
        "Max drawdown", "ratio", "largest fall of marked equity below its highest value so far, as a share of it"
    ),
    "max_drawdown_money": Meaning(
        "Max drawdown, money", "money", "largest fall of marked equity below its highest value so far, in money"
    ),
    "drawdown_duration": Meaning(
        "Longest drawdown",
        "duration",
        "longest time from a peak of equity until it was reached again, or until the end of the run",
    ),
    "time_under_water": Meaning(
        "Time under water", "ratio", "share of the run's time with equity below its highest value so far"
    ),
    "ulcer": Meaning("Ulcer index", "ratio", "root of the mean of squared drawdowns at daily closes"),
    "var_95": Meaning("VaR 95", "ratio", "daily loss not exceeded on 95 of 100 days: minus the 5 % quantile of daily returns"),
    "cvar_95": Meaning("CVaR 95", "ratio", "mean loss of the days at or beyond VaR 95"),
    "var_99": Meaning("VaR 99", "ratio", "daily loss not exceeded on 99 of 100 days: minus the 1 % quantile of daily returns"),
    "cvar_99": Meaning("CVaR 99", "ratio", "mean loss of the days at or beyond VaR 99"),
    "skew": Meaning("Skew", "number", "third standardised moment of daily returns; negative: the large moves are losses"),
    "kurtosis": Meaning("Kurtosis", "number", "fourth standardised moment of daily returns; 3 for a normal distribution"),
    "sharpe": Meaning(
        "Sharpe", "number", "mean / standard deviation (n - 1) of daily returns x sqrt(days per year), no riskless rate"
    ),
    "sortino": Meaning(
        "Sortino", "number", "mean of daily returns / their downside deviation x sqrt(days per year), target zero"
    ),
    "calmar": Meaning("Calmar", "number", "CAGR / max drawdown"),
    "omega": Meaning("Omega", "number", "sum of positive daily returns / sum of negative ones, threshold zero"),
    "psr": Meaning(
        "PSR above 0", "ratio", "probability that the true Sharpe is above 0, given length, skew and kurtosis of daily returns"
    ),
    "psr_1": Meaning("PSR above 1", "ratio", "probability that the true annual Sharpe is above 1, likewise"),
    "benchmark_return": Meaning("Benchmark return", "ratio", "total return of the benchmark over the same span"),
    "beta": Meaning("Beta", "number", "covariance of daily returns with the benchmark's / variance of the benchmark's"),
    "alpha": Meaning("Alpha", "ratio", "(mean daily return - beta x the benchmark's mean) x days per year"),
    "correlation": Meaning("Correlation", "number", "correlation of daily returns with the benchmark's"),
    "information_ratio": Meaning(
        "Information ratio",
        "number",
        "mean / standard deviation of the daily difference to the benchmark x sqrt(days per year)",
    ),
}


@dataclass(frozen=True, slots=True)
class Days:
    """Returns between daily closes, or the reason why there are none to calculate with."""

    returns: tuple[float, ...]
    per_year: int
    absent: Missing | None
    note: str

    @property
    def root(self) -> float:
        return math.sqrt(self.per_year)


def days_of(line: Curve, days_per_year: int) -> Days:
    """Daily returns; none at all once a daily close is not positive, for then a ratio of two closes means nothing."""
    closes = daily(line, weekdays_only=days_per_year < 300)
    if any(value <= 0.0 for _, value in closes):
        return Days((), days_per_year, Missing("equity fell to zero or below"), "")
    returns = tuple(later / earlier - 1.0 for (_, earlier), (_, later) in itertools.pairwise(closes))
    absent = Missing("needs at least two days") if len(returns) < 2 else None
    note = f"only {len(returns)} days: unreliable" if len(returns) < FEW_DAYS else ""
    return Days(returns, days_per_year, absent, note)


def growth(line: Curve) -> float | Missing:
    """Compound annual growth rate, refused under 30 days."""
    length = line.last - line.first
    if length < FEW_DAYS * DAY:
        return Missing("the run is shorter than 30 days")
    if line.final <= 0.0:
        return Missing("equity fell to zero or below")
    exponent = math.log(line.final / line.initial) * YEAR / length
    return math.expm1(exponent) if exponent < 700.0 else Missing("too large to be stated")


def returns(line: Curve, days: Days) -> Group:
    def known(name: str, value: float | Missing) -> Metric:
        return figure(MEANINGS, name, value, days.note if name == "positive_days" else "")

    r = days.returns
    none = days.absent if not r else None
    metrics = (
        known("initial_equity", line.initial),
        known("final_equity", line.final),
        known("profit", line.final - line.initial),
        known("total_return", line.final / line.initial - 1.0),
        known("cagr", growth(line)),
        known("best_day", none or max(r)),
        known("worst_day", none or min(r)),
        known("positive_days", none or sum(1 for v in r if v > 0.0) / len(r)),
    )
    return Group(name="returns", label="Return", metrics=metrics)


def risk(line: Curve, days: Days) -> Group:
    falls = drawdowns(line)
    depths = underwater(line.values)
    deepest = max(depths)
    depth_note = "equity fell below zero: capped at 100%" if min(line.values) < 0.0 else ""
    r, absent = days.returns, days.absent

    def spread(name: str, value: float | Missing) -> Metric:
        return figure(MEANINGS, name, absent or value, days.note)

    metrics = [
        spread("volatility", absent or statistic.deviation(r, 1.0) * days.root),
        spread("downside_deviation", absent or downside(r) * days.root),
        figure(MEANINGS, "max_drawdown", deepest, depth_note),
        figure(MEANINGS, "max_drawdown_money", max((fall.money for fall in falls), default=0.0)),
        _longest(falls, line.last),
        figure(MEANINGS, "time_under_water", _under_water(line, depths)),
        figure(MEANINGS, "ulcer", _ulcer(line, days)),
        *_tail(days, 95, 20),
        *_tail(days, 99, 100),
        spread("skew", absent or _shape(r, 3)),
        spread("kurtosis", absent or _shape(r, 4)),
    ]
    return Group(name="risk", label="Risk", metrics=tuple(metrics))


def downside(values: Sequence[float]) -> float:
    """Root of the mean of squared negative values, over all of them."""
    return math.sqrt(math.fsum(v * v for v in values if v < 0.0) / len(values))


def _longest(falls: Sequence[Drawdown], last: int) -> Metric:
    lengths = [((fall.recovered if fall.recovered is not None else last) - fall.peak, fall) for fall in falls]
    longest = max(lengths, key=lambda item: item[0], default=None)
    if longest is None:
        return figure(MEANINGS, "drawdown_duration", 0.0)
    note = "" if longest[1].recovered is not None else "not recovered when the run ended"
    return figure(MEANINGS, "drawdown_duration", float(longest[0]), note)


def _under_water(line: Curve, depths: Sequence[float]) -> float | Missing:
    if line.last == line.first:
        return Missing("the run has no length")
    stretches = zip(line.times, line.times[1:], depths, strict=False)
    return sum(end - start for start, end, depth in stretches if depth > 0.0) / (line.last - line.first)


def _ulcer(line: Curve, days: Days) -> float:
    depths = underwater([value for _, value in daily(line, weekdays_only=days.per_year < 300)])[1:]
    return math.sqrt(math.fsum(depth * depth for depth in depths) / len(depths))


def _tail(days: Days, level: int, needed: int) -> tuple[Metric, Metric]:
    value: float | Missing
    beyond: float | Missing
    if not days.returns and days.absent is not None:
        value = beyond = days.absent
    elif len(days.returns) < needed:
        value = beyond = Missing(f"needs at least {needed} days, has {len(days.returns)}")
    else:
        edge = statistic.quantile(days.returns, (100 - level) / 100)
        value, beyond = -edge, -statistic.mean([v for v in days.returns if v <= edge])
    return figure(MEANINGS, f"var_{level}", value), figure(MEANINGS, f"cvar_{level}", beyond)


def _shape(values: Sequence[float], order: int) -> float | Missing:
    return statistic.moment(values, order) if statistic.deviation(values, 1.0) > 0.0 else Missing("daily returns do not vary")


def ratios(line: Curve, days: Days) -> Group:
    r, absent = days.returns, days.absent
    still = Missing("daily returns do not vary")
    spread = 0.0 if absent else statistic.deviation(r, 1.0)
    losses = -math.fsum(v for v in r if v < 0.0)
    no_loss = Missing("no losing day")
    annual, deepest = growth(line), max(underwater(line.values))
    calmar = annual if isinstance(annual, Missing) else annual / deepest if deepest > 0.0 else Missing("no drawdown")
    values: dict[str, float | Missing] = {
        "sharpe": absent or (statistic.mean(r) / spread * days.root if spread > 0.0 else still),
        "sortino": absent or (statistic.mean(r) / downside(r) * days.root if losses > 0.0 else no_loss),
        "calmar": calmar,
        "omega": absent or (math.fsum(v for v in r if v > 0.0) / losses if losses > 0.0 else no_loss),
        "psr": absent or (probable(r, 0.0) if spread > 0.0 else still),
        "psr_1": absent or (probable(r, 1.0 / days.root) if spread > 0.0 else still),
    }
    scale = f"daily marked equity, x sqrt({days.per_year})"
    notes = {name: days.note for name in values if name != "calmar"}
    for name in ("sharpe", "sortino"):
        notes[name] = "; ".join(part for part in (scale, days.note) if part)
    found = tuple(figure(MEANINGS, name, value, notes.get(name, "")) for name, value in values.items())
    return Group(name="ratios", label="Ratios", metrics=found)


def probable(values: Sequence[float], hurdle: float) -> float | Missing:
    """Probabilistic Sharpe ratio: the chance that the true Sharpe per day exceeds `hurdle`. Values must vary."""
    sharpe = statistic.mean(values) / statistic.deviation(values, 1.0)
    skew, kurtosis = statistic.moment(values, 3), statistic.moment(values, 4)
    variance = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    if variance <= 0.0:
        return Missing("daily returns take too few values")
    return statistic.normal((sharpe - hurdle) * math.sqrt(len(values) - 1) / math.sqrt(variance))


def against(line: Curve, days: Days, points: Points) -> Group:
    """Daily returns set against those of a benchmark with positive values, both over the run's span.

    Its first point at or before the start, or else its first of all, is its base."""
    before = [value for at, value in points if at <= line.first]
    inside = [(at, value) for at, value in points if line.first < at <= line.last]
    base = before[-1] if before else inside[0][1] if inside else None
    other = None if base is None or base <= 0 else curve(inside, base, line.first, line.last)
    theirs = days_of(other, days.per_year) if other else None
    absent = days.absent or (Missing("the benchmark has no values in this span") if theirs is None else theirs.absent)
    if other is None or theirs is None or absent:
        why = absent or Missing("the benchmark has no values in this span")
        names = ("benchmark_return", "beta", "alpha", "correlation", "information_ratio")
        return Group(name="benchmark", label="Benchmark", metrics=tuple(figure(MEANINGS, name, why) for name in names))
    return Group(
        name="benchmark",
        label="Benchmark",
        metrics=(
            figure(MEANINGS, "benchmark_return", other.final / other.initial - 1.0),
            *_relation(days.returns, theirs.returns, days),
        ),
    )


def _relation(ours: Sequence[float], theirs: Sequence[float], days: Days) -> list[Metric]:
    mine, market = statistic.mean(ours), statistic.mean(theirs)
    covariance = math.fsum((a - mine) * (b - market) for a, b in zip(ours, theirs, strict=True)) / (len(ours) - 1)
    spread, width = statistic.deviation(ours, 1.0), statistic.deviation(theirs, 1.0)
    difference = [a - b for a, b in zip(ours, theirs, strict=True)]
    tracking = statistic.deviation(difference, 1.0)
    still = Missing("the benchmark's daily returns do not vary")
    beta = covariance / (width * width) if width > 0.0 else still
    values: dict[str, float | Missing] = {
        "beta": beta,
        "alpha": beta if isinstance(beta, Missing) else (mine - beta * market) * days.per_year,
        "correlation": covariance / (width * spread) if width > 0.0 and spread > 0.0 else Missing("daily returns do not vary"),
        "information_ratio": statistic.mean(difference) / tracking * days.root
        if tracking > 0.0
        else Missing("the difference to the benchmark does not vary"),
    }
    return [figure(MEANINGS, name, value, days.note) for name, value in values.items()]
