"""What empyrical, quantstats and scipy make of given returns and trades: the answers that `test_peer_metrics` compares with.

The series come out of integer arithmetic, so that they are the same everywhere. The answers stand in `peer_metrics.json`. Where
the libraries are installed (`make peers` makes an environment of their own for them, as pinned in `peer_metrics.txt`), this
program works them out anew: with `--write` it writes them, without it says where they differ and ends with code 1.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ANSWERS = Path(__file__).with_name("peer_metrics.json")
FIRST_DAY = "2024-01-01"  # a Monday


class Series(NamedTuple):
    """Daily returns, those of a benchmark, and how many days a year has; with 252 they are of weekdays."""

    returns: tuple[float, ...]
    benchmark: tuple[float, ...]
    per_year: int


def steps(seed: int) -> Iterator[int]:
    """Whole numbers from -10,000 to 10,000, evenly spread."""
    state = seed
    while True:
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        yield (state >> 33) % 20_001 - 10_000


def drawn(seed: int, count: int, drift: int, wide: int) -> tuple[float, ...]:
    """Returns around `drift` in millionths, now and then a large one."""
    source = steps(seed)
    found = []
    for at in range(count):
        size = wide * (5 if at % 37 == 36 else 1)
        found.append((drift + next(source) * size // 1_000) / 1_000_000)
    return tuple(found)


SERIES = {
    "rising": Series(drawn(1, 500, 700, 1_500), drawn(2, 500, 400, 2_000), 365),
    "falling": Series(drawn(3, 420, -2_500, 1_200), drawn(4, 420, 100, 900), 365),
    "weekdays": Series(drawn(5, 520, 300, 1_000), drawn(6, 520, 200, 1_000), 252),
    "short": Series(drawn(7, 120, 200, 3_000), drawn(8, 120, -100, 2_500), 365),
}
# R of closed trades, in order of their exits; none is zero, as one library leaves these out of the win rate
TRADES = tuple(value * 50 + 0.0125 for value in drawn(9, 61, 1_000, 9_000))


def answers() -> dict[str, dict[str, float]]:
    """The libraries' answers by series and `library.function`. Raises ImportError where one is not installed."""
    return {name: _of_returns(series) for name, series in SERIES.items()} | {"trades": _of_trades()}


def _of_returns(series: Series) -> dict[str, float]:
    import empyrical as em
    import pandas as pd
    import quantstats as qs

    days = pd.date_range(FIRST_DAY, periods=len(series.returns), freq="B" if series.per_year == 252 else "D")
    own, other = pd.Series(series.returns, days), pd.Series(series.benchmark, days)
    year = series.per_year
    found = {
        "empyrical.cum_returns_final": em.cum_returns_final(own),
        "empyrical.max_drawdown": em.max_drawdown(own),
        "empyrical.annual_return": em.annual_return(own, annualization=year),
        "empyrical.annual_volatility": em.annual_volatility(own, annualization=year),
        "empyrical.downside_risk": em.downside_risk(own, annualization=year),
        "empyrical.sharpe_ratio": em.sharpe_ratio(own, annualization=year),
        "empyrical.sortino_ratio": em.sortino_ratio(own, annualization=year),
        "empyrical.calmar_ratio": em.calmar_ratio(own, annualization=year),
        "empyrical.omega_ratio": em.omega_ratio(own, annualization=year),
        "empyrical.value_at_risk_95": em.value_at_risk(own, cutoff=0.05),
        "empyrical.value_at_risk_99": em.value_at_risk(own, cutoff=0.01),
        "empyrical.conditional_value_at_risk_95": em.conditional_value_at_risk(own, cutoff=0.05),
        "empyrical.conditional_value_at_risk_99": em.conditional_value_at_risk(own, cutoff=0.01),
        "empyrical.beta": em.beta(own, other),
        "empyrical.alpha": em.alpha(own, other, annualization=year),
        "empyrical.excess_sharpe": em.excess_sharpe(own, other),
    }
    greeks = qs.stats.greeks(own, other, periods=year, prepare_returns=False)
    found |= {
        "quantstats.comp": qs.stats.comp(own),
        "quantstats.cagr": qs.stats.cagr(own, periods=year),
        "quantstats.volatility": qs.stats.volatility(own, periods=year, prepare_returns=False),
        "quantstats.sharpe": qs.stats.sharpe(own, periods=year),
        "quantstats.sortino": qs.stats.sortino(own, periods=year),
        "quantstats.calmar": qs.stats.calmar(own, prepare_returns=False, periods=year),
        "quantstats.omega": qs.stats.omega(own, periods=year),
        "quantstats.max_drawdown": qs.stats.max_drawdown(own),
        "quantstats.ulcer_index": qs.stats.ulcer_index(own),
        "quantstats.best": qs.stats.best(own, prepare_returns=False),
        "quantstats.worst": qs.stats.worst(own, prepare_returns=False),
        "quantstats.skew": qs.stats.skew(own, prepare_returns=False),
        "quantstats.kurtosis": qs.stats.kurtosis(own, prepare_returns=False),
        "quantstats.probabilistic_sharpe_ratio": qs.stats.probabilistic_sharpe_ratio(own, periods=year),
        "quantstats.information_ratio": qs.stats.information_ratio(own, other, prepare_returns=False),
        "quantstats.beta": greeks["beta"],
        "quantstats.alpha": greeks["alpha"],
    }
    by_month = (1 + own).groupby([own.index.year, own.index.month]).prod() - 1
    found |= {f"pandas.month {year_}-{month:02}": value for (year_, month), value in by_month.items()}
    return {name: float(value) for name, value in found.items()}


def _of_trades() -> dict[str, float]:
    import pandas as pd
    import quantstats as qs
    from scipy import stats

    profits = pd.Series(TRADES)
    tested = stats.ttest_1samp(TRADES, 0.0)
    found = {
        "quantstats.win_rate": qs.stats.win_rate(profits, prepare_returns=False),
        "quantstats.profit_factor": qs.stats.profit_factor(profits, prepare_returns=False),
        "quantstats.payoff_ratio": qs.stats.payoff_ratio(profits, prepare_returns=False),
        "quantstats.kelly_criterion": qs.stats.kelly_criterion(profits, prepare_returns=False),
        "quantstats.avg_win": qs.stats.avg_win(profits, prepare_returns=False),
        "quantstats.avg_loss": qs.stats.avg_loss(profits, prepare_returns=False),
        "quantstats.consecutive_wins": qs.stats.consecutive_wins(profits, prepare_returns=False),
        "quantstats.consecutive_losses": qs.stats.consecutive_losses(profits, prepare_returns=False),
        "scipy.ttest_1samp statistic": tested.statistic,
        "scipy.ttest_1samp pvalue": tested.pvalue,
    }
    return {name: float(value) for name, value in found.items()}


def differences(known: dict[str, dict[str, float]], now: dict[str, dict[str, float]]) -> list[str]:
    """Where recorded answers are not those of the libraries installed here."""
    told = []
    for series in sorted({*known, *now}):
        one, other = known.get(series, {}), now.get(series, {})
        told += [
            f"{series} {name}: {one.get(name)} recorded, {other.get(name)} now"
            for name in sorted({*one, *other})
            if not math.isclose(one.get(name, math.nan), other.get(name, math.nan), rel_tol=1e-9, abs_tol=1e-12)
        ]
    return told


def main(arguments: list[str]) -> int:
    now = answers()
    if "--write" in arguments:
        ANSWERS.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    known: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    told = differences(known, now)
    sys.stdout.write("".join(f"{line}\n" for line in told) or "the recorded answers are those of the libraries\n")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
