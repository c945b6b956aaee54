"""What tests need of replays, as a protocol: nothing here knows how history is played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.engine.bars import Bars
from tb.engine.markets import Markets


class History(Protocol):
    """Bars in, what the project decides on them out. `settings` may differ from the project's in what a test states."""

    def load(self, path: str, first: int | None, last: int | None) -> Mapping[str, Bars]:
        """Recorded bars of a folder of the project, by instrument. Raises Refused where they cannot be used."""
        ...

    def markets(self, settings: Settings, bars: Mapping[str, Bars]) -> Markets:
        """The bars as the engine reads them."""
        ...

    def play(self, settings: Settings, bars: Mapping[str, Bars]) -> Sequence[Decision]:
        """Every decision of a replay of these bars, from a fresh account."""
        ...

    def why_not(self, settings: Settings, bars: Mapping[str, Bars], instrument: str, at: int) -> str:
        """Why no strategy traded the instrument at the instant, in lines for people."""
        ...
