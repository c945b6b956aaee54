"""What a running session needs to know of the world: closed bars, feeds, and what time it is.

1. A bar comes once, closed. What of it is not known is None; a bar that is not there is no bar: nothing stands in for it.
2. `NoAnswer` is not "nothing there": whoever asked knows nothing.
3. Time comes through `Clock` alone: the wall's, which people may turn, and a steady one, which only goes on.

Times are milliseconds since 1970 UTC, those of `Clock.steady` milliseconds since some instant that never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from tb.runtime.ports.exchange import NoAnswer


class Bar(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A closed bar of one instrument from its `start` on; bid and ask are the quote as of its close."""

    start: int
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None
    bid: float | None = None
    ask: float | None = None


class FeedRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value of a feed, of one instrument where it has values of each (else ""), and when it came to be known here."""

    feed: str
    instrument: str
    known: int
    value: float | None


Meanwhile = Callable[[], bool]


def go_on() -> bool:
    """Nothing is to be done meanwhile."""
    return True


class BarFeed(Protocol):
    """Where closed bars come from. Those of the instruments in `quoted` bring bid and ask, None: all do; where they do not, the
    spread that the settings state stands in.

    `meanwhile` is called between two questions that each may take long, so that nobody waits for all of them; where it says
    False no more is asked, and there is no answer.
    """

    name: str
    quoted: Collection[str] | None
    settles: int  # how long after its close a bar is final there, in ms

    def history(
        self, instruments: Sequence[str], period: int, first: int, last: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Sequence[Bar]] | NoAnswer:
        """The closed bars that start in `first <= start < last`, oldest first, of the instruments that have any."""
        ...

    def closed(
        self, instruments: Sequence[str], period: int, start: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Bar | NoAnswer] | NoAnswer:
        """The bars that start at this instant, of those instruments whose bar is there already; asked again for others. Of an
        instrument that is left out it was said that there is no bar; what was not answered is none of that."""
        ...

    def rows(self, after: int, until: int) -> Sequence[FeedRow] | NoAnswer:
        """What feeds came to say later than one instant and not later than another, in order."""
        ...

    def time(self) -> int | NoAnswer | None:
        """What time it is there; None where it has no clock."""
        ...


class Clock(Protocol):
    """What time it is here."""

    def now(self) -> int:
        """The wall clock's time, which people may turn."""
        ...

    def steady(self) -> int:
        """A clock that nobody turns and that does not stop while the machine sleeps."""
        ...

    def wait(self, span: int) -> None:
        """Returns after that many milliseconds of the steady clock, or earlier."""
        ...
