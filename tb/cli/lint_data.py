"""What `tb lint --data` is given: a folder of bars, or a run of the ledger with the bars that it was made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tb.cli.texts import Texts
from tb.core.diagnostics import Diagnostic, Refused

if TYPE_CHECKING:
    from tb.analysis.observed import Observed
    from tb.analysis.subject import DataSpan
    from tb.core.settings import Settings
    from tb.engine.markets import Markets
    from tb.engine.plan import Plan
    from tb.replay.data import Market

_RUN = re.compile(r"r[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Given:
    """The bars and the run, None where there is none; `findings` are what is wrong with the bars."""

    market: Market | None = None
    observed: Observed | None = None
    findings: tuple[Diagnostic, ...] = ()

    @property
    def span(self) -> DataSpan | None:
        from tb.analysis.subject import DataSpan

        market = self.market
        return None if market is None else DataSpan(market.period, {symbol: len(bars) for symbol, bars in market.bars.items()})

    def markets(self, settings: Settings) -> Callable[[Plan], Markets] | None:
        """The bars as the engine reads them."""
        if self.market is None:
            return None
        from tb.replay.run import markets_of

        market = self.market
        return lambda plan: markets_of(plan, market, settings)


def data_of(texts: Texts, project: Path, given: str | None) -> Given:
    """What is given, else the data that the settings name. Raises Refused where there is no such run."""
    if texts.settings is None:
        return Given()
    if given is not None and _RUN.fullmatch(given) and not Path(given).exists():
        return _of_run(project, given)
    if given is None and texts.settings.data is None:
        return Given()
    from tb.replay.data import load_market

    folder = Path(given) if given is not None else project / str(texts.settings.data)
    try:
        market = load_market(folder)
    except Refused as refused:
        return Given(findings=tuple(refused.findings))
    return Given(market, findings=tuple(market.warnings))


def _of_run(project: Path, name: str) -> Given:
    """A run, with its bars where they can still be read."""
    from tb.analysis.observing import observed
    from tb.cli.opening import policy_of, reading, run_of
    from tb.cli.output import say
    from tb.cli.recorded import bars_of
    from tb.runtime.policy import gates_of

    with reading(project, None) as ledger:
        run = run_of(ledger, name).run
        plan = policy_of(ledger, run, project).plan
        seen = observed(run.id, plan, gates_of(plan), ledger.decisions(run.id), ledger.marks(run.id), ledger.trades(run.id))
    recorded = bars_of(run)
    if recorded.remark:
        say(f"note: {recorded.remark}")
    return Given(recorded.market, seen)
