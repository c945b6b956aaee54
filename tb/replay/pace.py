"""What may stand beside a replay: it is told of every record as it comes, waits where it likes, and may end the run early.

INVARIANT: it changes no record. A run that is followed to its end has the decision log of one that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tb.core.records import Record


class Pace(Protocol):
    """Whoever follows a replay."""

    def go_on(self, instant: int, flush: Callable[[], None]) -> int | None:
        """Asked before each instant that is stepped (ms UTC). None: go on. An earlier instant: the run ends there, and nothing
        later is recorded. Whoever waits long calls `flush` before, so that the records so far are on disk meanwhile."""
        ...

    def see(self, records: Sequence[Record]) -> None:
        """Told of records in their order, before they are written."""
        ...


class Records(Protocol):
    """Where records go."""

    def record(self, records: Sequence[Record]) -> None: ...


class Followed:
    """Stands where a recorder stands, and tells whoever follows of each record first."""

    def __init__(self, behind: Records, pace: Pace) -> None:
        self.behind, self.pace = behind, pace

    def record(self, records: Sequence[Record]) -> None:
        self.pace.see(records)
        self.behind.record(records)
