"""What tests need of replays, as a protocol: nothing here knows how history is played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.engine.markets import Markets
from tb.engine.recording import Recording


class History(Protocol):
    """Bars in, what the project decides on them out. `settings` may differ from the project's in what a test states."""

    def load(self, path: str, first: int | None, last: int | None) -> Recording:
        """Recorded bars of a folder of the project, with feeds and funding. Raises Refused where they cannot be used."""
        ...

    def markets(self, settings: Settings, recording: Recording) -> Markets:
        """The bars as the engine reads them."""
        ...

    def play(self, settings: Settings, recording: Recording) -> Sequence[Decision]:
        """Every decision of a replay of these bars, from a fresh account."""
        ...

    def why_not(self, settings: Settings, recording: Recording, instrument: str, at: int) -> str:
        """Why no strategy traded the instrument at the instant, in lines for people."""
        ...
