"""The bars that a run was made of, found again in the folder it names; if they are not the same any more, that is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tb.core.diagnostics import Refused
from tb.core.time import DAY, parse_instant

if TYPE_CHECKING:
    from tb.core.records import Run
    from tb.replay.data import Market
    from tb.runtime.policy import Compiled

LONG_GAP = 1.5  # days between two bars that show a market closed over the weekend


@dataclass(frozen=True, slots=True)
class Recorded:
    """`market` is None where the bars cannot be read; `remark` says that, or that they have changed; else it is empty."""

    market: Market | None
    remark: str


def bars_of(run: Run) -> Recorded:
    """The bars of a run, cut to its span and its instruments."""
    from tb.replay.data import load_market

    folder = Path(run.config.get("data_path", run.data))
    first, last = (parse_instant(run.config.get(name, "")) for name in ("from", "to"))
    try:
        market = load_market(folder, instruments=run.instruments, first=first, last=last)
    except Refused as refused:
        return Recorded(None, f"the data of run {run.id} cannot be read any more: {refused.findings[0].message}")
    if run.data_hash and market.hash != run.data_hash:  # the bars of a running session have no hash: they grow
        remark = f"the data in `{folder}` has changed since run {run.id}: what it shows may not be what the run decided on"
        return Recorded(market, remark)
    return Recorded(market, "")


def feeds_of(run: Run, recorded: Recorded, compiled: Compiled) -> Recorded:
    """The bars with the feeds of a run, from the folder it noted; if those are not the same any more, that is said."""
    from tb.replay.feeds import FeedPlaces
    from tb.replay.recordings import with_recordings

    folder = run.config.get("feeds_path")
    if recorded.market is None or folder is None:
        return recorded
    try:
        market = with_recordings(recorded.market, compiled.plan, FeedPlaces(Path(folder), compiled.settings.feed_files))
    except Refused as refused:
        return Recorded(None, f"the feeds of run {run.id} cannot be read any more: {refused.findings[0].message}")
    if market.feeds_hash == run.config.get("feeds_hash"):
        return Recorded(market, recorded.remark)
    remark = f"the feeds in `{folder}` have changed since run {run.id}: what they show may not be what the run decided on"
    return Recorded(market, "; ".join(filter(None, (recorded.remark, remark))))


def days_per_year(market: Market | None, run: Run) -> int:
    """252 where every instrument has gaps over weekends and the bars are of a day or less, 365 otherwise."""
    import numpy as np

    if market is None or run.period > DAY:
        return 365
    weeks = (run.last - run.first) / (7 * DAY)
    if weeks < 2:
        return 365
    for bars in market.bars.values():
        starts = bars.time
        gaps = np.flatnonzero(np.diff(starts) >= LONG_GAP * DAY)
        # 1970-01-01 was a Thursday, day 0; Saturday is day 2 of that week
        saturdays = (starts[gaps] // DAY - 2) // 7 != (starts[gaps + 1] // DAY - 2) // 7
        if np.count_nonzero(saturdays) < weeks / 2:
            return 365
    return 252
