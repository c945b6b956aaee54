"""Bars of tests played as history is: the same session, the same simulated venue, a fresh account each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.engine.markets import Markets
from tb.engine.plan import Plan
from tb.engine.recording import Recording
from tb.ledger import DecisionLog, Group
from tb.replay.data import Market, load_market
from tb.replay.recordings import feed_places, with_recordings
from tb.replay.run import markets_of, replay_market
from tb.replay.why_not import text, why_not


@dataclass(slots=True)
class _Decisions:
    """Keeps what was decided and nothing else."""

    found: list[Decision]

    def append_group(self, run: str, *groups: Group, log: DecisionLog | None = None) -> None:
        self.found.extend(record for group in groups for record in group.records if isinstance(record, Decision))


@dataclass(slots=True)
class TestHistory:
    """The `tb.analysis.testing.History` of a project in a folder. Recorded bars are read once."""

    __test__ = False

    plan: Plan
    settings: Settings
    root: Path
    _read: dict[tuple[str, int | None, int | None], Recording] = field(default_factory=dict)

    def load(self, path: str, first: int | None, last: int | None) -> Recording:
        """What is recorded in a folder, relative to the project's. Raises Refused where it cannot be used."""
        key = (path, first, last)
        if key not in self._read:
            folder = self.root / path
            market = load_market(folder, first=first, last=last)
            found = with_recordings(market, self.plan, feed_places(self.settings, folder, self.root))
            self._read[key] = Recording(found.bars, found.feeds, found.funding)
        return self._read[key]

    def markets(self, settings: Settings, recording: Recording) -> Markets:
        return markets_of(self.plan, _market(recording), settings)

    def play(self, settings: Settings, recording: Recording) -> Sequence[Decision]:
        """Every decision of a replay of these bars."""
        kept = _Decisions([])
        replay_market(run="r0", plan=self.plan, settings=settings, market=_market(recording), policy_hash="", ledger=kept)
        return kept.found

    def why_not(self, settings: Settings, recording: Recording, instrument: str, at: int) -> str:
        return text(why_not(self.plan, self.markets(settings, recording), instrument, at))


def _market(recording: Recording) -> Market:
    bars = dict(sorted(recording.bars.items()))
    period = next(iter(bars.values())).period
    return Market("bars of a test", bars, period, (), "", recording.feeds, "", recording.funding)
