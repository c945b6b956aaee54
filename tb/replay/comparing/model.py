"""compare: the metrics of several runs in one table, each against the first, with what the runs were made of.

A metric has a better side where traders agree on one; counts and times have none. The best is marked where at least two runs
have a value and these are not all the same. Whether runs can be compared at all is told apart from how they compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from tb.core.records import Run
from tb.core.time import show_duration, show_instant
from tb.replay.curve import Points
from tb.replay.figures import Metric, Metrics, Unit
from tb.replay.parity.origin import Aspect, origins

HIGHER = frozenset(
    "final_equity profit total_return cagr best_day worst_day positive_days sharpe sortino calmar omega psr psr_1 alpha "
    "information_ratio win_rate profit_factor payoff average_win average_loss best_trade worst_trade expectancy expectancy_r "
    "expectancy_ratio sqn kelly edge_ratio mfe".split()
)
LOWER = frozenset(
    "volatility downside_deviation max_drawdown max_drawdown_money drawdown_duration time_under_water ulcer var_95 cvar_95 "
    "var_99 cvar_99 p_value losing_streak mae fees slippage entry_shortfall stopped_time".split()
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run with its metrics. `label` names it in tables, `texts` are the files of its policy by path."""

    label: str
    run: Run
    metrics: Metrics
    equity: Points
    texts: Mapping[str, str]
    is_finished: bool


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over all runs, in their order. `differences` are to the first run; None where either value is missing, and for
    the first itself. `best` are the places of the best values; empty where there is no better side, or nothing to choose."""

    name: str
    label: str
    group: str
    unit: Unit
    definition: str
    values: tuple[float | None, ...]
    notes: tuple[str, ...]
    differences: tuple[float | None, ...]
    best: tuple[int, ...]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What one run was made of; `against_first` is empty for the first."""

    label: str
    run: str
    mode: str
    data: str
    data_hash: str
    policy_hash: str
    first: str
    last: str
    period: str
    instruments: tuple[str, ...]
    initial_equity: float
    currency: str
    days_per_year: int
    version: str
    against_first: tuple[Aspect, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`warnings` say why the runs are not comparable in full; empty where they are."""

    runs: tuple[Column, ...]
    warnings: tuple[str, ...]
    rows: tuple[Row, ...]


def compare(runs: Sequence[Measured]) -> Comparison:
    """The table of at least two runs, in the order given."""
    return Comparison(
        runs=tuple(_column(found, runs[0]) for found in runs), warnings=tuple(_warnings(runs)), rows=tuple(_rows(runs))
    )


def _column(found: Measured, first: Measured) -> Column:
    run = found.run
    return Column(
        label=found.label,
        run=run.id,
        mode=run.mode,
        data=run.data,
        data_hash=run.data_hash,
        policy_hash=run.policy_hash,
        first=show_instant(run.first),
        last=show_instant(run.last),
        period=show_duration(run.period),
        instruments=run.instruments,
        initial_equity=float(run.initial_equity),
        currency=run.currency,
        days_per_year=found.metrics.days_per_year,
        version=run.version,
        against_first=() if found is first else origins(first.run, run, first.texts, found.texts),
    )


def _rows(runs: Sequence[Measured]) -> list[Row]:
    """Metrics in the order of the first run's, then those that only others have."""
    places: dict[str, tuple[str, Metric]] = {}
    for found in runs:
        for group in found.metrics.groups:
            for metric in group.metrics:
                places.setdefault(metric.name, (group.label, metric))
    values = [{metric.name: metric for metric in found.metrics.each()} for found in runs]
    return [_row(group, metric, [known.get(name) for known in values]) for name, (group, metric) in places.items()]


def _row(group: str, metric: Metric, found: Sequence[Metric | None]) -> Row:
    values = tuple(None if one is None else one.value for one in found)
    base = values[0]
    return Row(
        name=metric.name,
        label=metric.label,
        group=group,
        unit=metric.unit,
        definition=metric.definition,
        values=values,
        notes=tuple("not measured" if one is None else one.note for one in found),
        differences=(None, *(None if base is None or value is None else value - base for value in values[1:])),
        best=best(metric.name, values),
    )


def best(name: str, values: Sequence[float | None]) -> tuple[int, ...]:
    """The places of the best values of a metric."""
    known = [value for value in values if value is not None]
    if name not in HIGHER | LOWER or len(known) < 2 or len(set(known)) == 1:
        return ()
    top = max(known) if name in HIGHER else min(known)
    return tuple(at for at, value in enumerate(values) if value == top)


def _warnings(runs: Sequence[Measured]) -> list[str]:
    """Why the numbers of some runs say nothing against those of others."""
    checks: tuple[tuple[str, Callable[[Measured], str], Callable[[Measured], object]], ...] = (
        ("span", _span, lambda m: (m.run.first, m.run.last)),
        (
            "capital",
            lambda m: f"{m.run.initial_equity:,.2f} {m.run.currency}",
            lambda m: (m.run.initial_equity, m.run.currency),
        ),
        ("data", lambda m: f"{m.run.data_hash[:8]} of {len(m.run.instruments)} instruments", lambda m: m.run.data_hash),
        ("period of bars", lambda m: show_duration(m.run.period), lambda m: m.run.period),
        ("days of a year", lambda m: str(m.metrics.days_per_year), lambda m: m.metrics.days_per_year),
        ("mode", lambda m: m.run.mode, lambda m: m.run.mode),
    )
    found = []
    for what, show, key in checks:
        groups: dict[object, list[Measured]] = {}
        for run in runs:
            groups.setdefault(key(run), []).append(run)
        if len(groups) > 1:
            parts = [f"{show(same[0])} ({', '.join(run.label for run in same)})" for same in groups.values()]
            found.append(f"not the same {what}: {', '.join(parts)}")
    found += [f"run {run.label} is unfinished" for run in runs if not run.is_finished]
    return found


def _span(found: Measured) -> str:
    return f"{show_instant(found.run.first)[:10]} to {show_instant(found.run.last)[:10]}"
