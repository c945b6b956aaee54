"""A run from the ledger with everything that its report, its metrics and a comparison say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tb.cli.opening import policy_of
from tb.cli.recorded import Recorded, bars_of, days_per_year, feeds_of
from tb.core.diagnostics import Refused, did_you_mean, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from decimal import Decimal

    from tb.core.records import Decision, Latch, Run, Trade
    from tb.ledger import RunInfo
    from tb.ledger.store import Ledger
    from tb.replay.data import Market
    from tb.replay.figures import Metrics
    from tb.replay.what_if import WhatIf

NO_BENCHMARK = "TB681"


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """`market` is None where the bars cannot be read any more; `remark` says what there is to say of them. `benchmark` is the
    instrument that returns are set against, empty for none."""

    info: RunInfo
    metrics: Metrics
    equity: Sequence[tuple[int, Decimal]]
    trades: Sequence[Trade]
    latches: Sequence[Latch]
    refused: Sequence[Decision]
    market: Market | None
    remark: str
    benchmark: str = ""

    @property
    def run(self) -> Run:
        return self.info.run


@dataclass(slots=True)
class Markets:
    """The bars of runs, those of runs over the same data read once."""

    _known: dict[tuple[str, ...], Recorded] = field(default_factory=dict)

    def of(self, run: Run) -> Recorded:
        key = (run.data_hash, *(f"{name}={value}" for name, value in sorted(run.config.items())), *run.instruments)
        if key not in self._known:
            self._known[key] = bars_of(run)
        return self._known[key]


def measured(
    ledger: Ledger, info: RunInfo, project: Path, *, markets: Markets | None = None, benchmark: str | None = None
) -> MeasuredRun:
    """The run and its metrics, with what its bars alone say: how many days its year has, and what refused entries would have
    come to. Raises Refused TB681 for a benchmark without data."""
    from tb.core.curve import joined
    from tb.replay.metrics import measure

    run = info.run
    recorded = (markets or Markets()).of(run)
    marks = joined(ledger.curves(run.id), ledger.marks(run.id))
    info = _as_far_as_it_came(ledger, info, [mark.at for mark in marks])
    run = info.run
    trades, latches = ledger.trades(run.id), ledger.latches(run.id)
    refused = list(ledger.decisions(run.id, refused_only=True))
    equity = [(mark.at, mark.equity) for mark in marks]
    what_if, remark = _what_if(ledger, run, project, recorded, refused)
    metrics = measure(
        equity=equity,
        trades=trades,
        fills=ledger.fills(run.id),
        decisions=ledger.decisions(run.id),
        initial_equity=run.initial_equity,
        days_per_year=days_per_year(recorded.market, run),
        marks=marks,
        latches=latches,
        first=run.first,
        last=run.last,
        benchmark=None if benchmark is None else _benchmark(run, recorded, benchmark),
        what_if=what_if,
    )
    return MeasuredRun(info, metrics, equity, trades, latches, refused, recorded.market, remark, benchmark or "")


def _as_far_as_it_came(ledger: Ledger, info: RunInfo, marked: Sequence[int]) -> RunInfo:
    """A run that was killed or ended early, with the instant that it came to for its last one."""
    from msgspec import structs

    from tb.core.time import parse_instant

    run = info.run
    if info.interrupted is None and not info.unfinished:
        return info
    told = [*marked, *(one.at for one in ledger.decisions(run.id)), *(one.at for one in ledger.fills(run.id))]
    until = None if info.interrupted is None else parse_instant(info.interrupted)
    last = min(run.last, max([run.first, *told] if until is None else [until, *marked]))
    return replace(info, run=structs.replace(run, last=last))


def _what_if(ledger: Ledger, run: Run, project: Path, recorded: Recorded, refused: Sequence[Decision]) -> tuple[WhatIf, str]:
    """What refused entries would have come to, and what there is to say of the data that tells it. Bars that have changed tell
    nothing of what was refused on others."""
    from tb.replay.run import markets_of
    from tb.replay.what_if import WhatIf, follow

    if recorded.market is None or recorded.remark:
        return WhatIf(absent="the bars of the run are not there any more, or have changed"), recorded.remark
    if not refused:
        return WhatIf(), ""
    try:
        compiled = policy_of(ledger, run, project)
    except Refused:
        return WhatIf(absent="the policy of the run cannot be read by this version"), ""
    with_feeds = feeds_of(run, recorded, compiled)
    if with_feeds.market is None or with_feeds.remark:
        return WhatIf(absent="the feeds of the run are not there any more, or have changed"), with_feeds.remark
    return follow(
        refused, compiled.plan, compiled.settings, markets_of(compiled.plan, with_feeds.market, compiled.settings)
    ), ""


def _benchmark(run: Run, recorded: Recorded, symbol: str) -> list[tuple[int, float]]:
    """The closes of an instrument of the run's data that are known."""
    if recorded.market is None or symbol not in recorded.market.bars:
        names = () if recorded.market is None else tuple(recorded.market.bars)
        near = did_you_mean(symbol, names) or (f"it has {', '.join(names)}" if names else "put the data back")
        place = whole_file(run.config.get("data_path", run.data))
        raise Refused([error(NO_BENCHMARK, f"the data of run {run.id} has no bars of `{symbol}`", place, near)])
    bars = recorded.market.bars[symbol]
    pairs = zip(bars.closes.tolist(), bars.close.tolist(), strict=True)
    return [(int(at), float(close)) for at, close in pairs if close == close]  # noqa: PLR0124 - NaN differs from itself
