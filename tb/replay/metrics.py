"""The metrics of one run: every value finite or missing with a reason, from plain sequences of records.

Where things are: daily closes, months and drawdowns in `curve`; return, risk and ratios in `metrics_returns`; trades and costs
in `metrics_trades`; verdicts, limits and stops in `metrics_policy`. Conventions: a year of calendar growth has 365 days; ratios
and deviations are of daily marked equity, scaled by sqrt(days_per_year); quantiles are historical; the riskless rate is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tb.core.records import Decision, Fill, Latch, Mark, Trade
from tb.replay import metrics_policy, metrics_refused, metrics_returns, metrics_trades, statistic
from tb.replay.curve import Points, curve, daily, drawdowns, months
from tb.replay.figures import Breakdown, Drawdown, Group, LimitUse, Metric, Metrics, Month, Row, RuleUse, Stoppage, Unit
from tb.replay.what_if import WhatIf

__all__ = [
    "Breakdown",
    "Drawdown",
    "Group",
    "LimitUse",
    "Metric",
    "Metrics",
    "Month",
    "Row",
    "RuleUse",
    "Stoppage",
    "Unit",
    "measure",
]
DEEPEST = 5  # drawdowns listed


def measure(
    *,
    equity: Points,
    trades: Sequence[Trade],
    fills: Sequence[Fill],
    decisions: Iterable[Decision],
    initial_equity: Decimal,
    days_per_year: int = 365,
    marks: Sequence[Mark] = (),
    latches: Iterable[Latch] = (),
    first: int | None = None,
    last: int | None = None,
    benchmark: Points | None = None,
    what_if: WhatIf | None = None,
) -> Metrics:
    """Measure one run.

    `equity` holds (instant, marked equity), ascending, possibly sparse: the last value is carried forward. `first` and
    `last` are the run's span (default: of `equity`). `days_per_year` scales daily ratios: 365 where markets never close, 252
    elsewhere; under 300, Saturdays and Sundays are no days of their own. `marks` give exposure and use of limits, `latches`
    pauses and halts in order of time; `benchmark` (instant, positive value) and `what_if` (refused entries) add a group
    each. `decisions` is walked once. Raises ValueError for input no run can have: equity out of order, outside the span or not
    finite, initial equity not positive.
    """
    line = curve(equity, initial_equity, first, last)
    days = metrics_returns.days_of(line, days_per_year)
    closed = metrics_trades.closed_of(trades)
    tally = metrics_policy.tally_of(decisions, frozenset(trade.decision for trade in trades))
    stops = metrics_policy.stoppages(latches, line.last)
    closes = [value for _, value in daily(line, weekdays_only=False)]
    groups = [
        metrics_returns.returns(line, days),
        metrics_returns.risk(line, days),
        metrics_returns.ratios(line, days),
        metrics_trades.success(closed),
        metrics_trades.course(closed),
        metrics_trades.costs(trades, fills, tally.prices, line, statistic.mean(closes)),
        metrics_policy.verdicts(tally),
        metrics_policy.standing(marks, stops, line),
    ]
    if what_if is not None:
        groups.append(metrics_refused.refused(what_if))
    if benchmark is not None:
        groups.append(metrics_returns.against(line, days, benchmark))
    return Metrics(
        days_per_year=days_per_year,
        first=line.first,
        last=line.last,
        groups=tuple(groups),
        monthly=tuple(months(line)),
        drawdowns=tuple(sorted(drawdowns(line), key=lambda fall: (-fall.depth, fall.peak))[:DEEPEST]),
        breakdowns=metrics_trades.breakdowns(closed),
        rules=metrics_policy.rules(tally, {} if what_if is None else metrics_refused.by_rule(what_if)),
        limits=metrics_policy.limits(marks),
        stoppages=stops,
    )
