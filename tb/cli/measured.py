"""A run from the ledger with everything that its report, its metrics and a comparison say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tb.cli.recorded import bars_of, days_per_year

if TYPE_CHECKING:
    from decimal import Decimal

    from tb.core.records import Latch, Run, Trade
    from tb.ledger import RunInfo
    from tb.ledger.store import Ledger
    from tb.replay.data import Market
    from tb.replay.figures import Metrics


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """`market` is None where the bars cannot be read any more; `remark` says what there is to say of them."""

    info: RunInfo
    metrics: Metrics
    equity: Sequence[tuple[int, Decimal]]
    trades: Sequence[Trade]
    latches: Sequence[Latch]
    market: Market | None
    remark: str

    @property
    def run(self) -> Run:
        return self.info.run


@dataclass(slots=True)
class Markets:
    """The bars of runs, those of runs over the same data read once."""

    _known: dict[tuple[str, ...], tuple[Market | None, str]] = field(default_factory=dict)

    def of(self, run: Run) -> tuple[Market | None, str]:
        key = (run.data_hash, *(f"{name}={value}" for name, value in sorted(run.config.items())), *run.instruments)
        if key not in self._known:
            recorded = bars_of(run)
            self._known[key] = recorded.market, recorded.remark
        return self._known[key]


def measured(ledger: Ledger, info: RunInfo, markets: Markets | None = None) -> MeasuredRun:
    """The run and its metrics; its bars are read for what only they say, such as how many days its year has."""
    from tb.core.curve import joined
    from tb.replay.metrics import measure

    run = info.run
    market, remark = (markets or Markets()).of(run)
    marks = joined(ledger.curves(run.id), ledger.marks(run.id))
    trades, latches = ledger.trades(run.id), ledger.latches(run.id)
    equity = [(mark.at, mark.equity) for mark in marks]
    metrics = measure(
        equity=equity,
        trades=trades,
        fills=ledger.fills(run.id),
        decisions=ledger.decisions(run.id),
        initial_equity=run.initial_equity,
        days_per_year=days_per_year(market, run),
        marks=marks,
        latches=latches,
        first=run.first,
        last=run.last,
    )
    return MeasuredRun(info, metrics, equity, trades, latches, market, remark)
