"""What time it is for a session: a steady clock, set once; the wall clock is only compared with it.

Where the wall's clock is turned, closes come when they come, and no new risk is taken until both agree again, for a while.
Where somebody else's clock agrees with the wall's, it is right, and ours is set anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tb.core.time import show_duration
from tb.runtime.ports.feed import Clock


@dataclass(slots=True)
class Timekeeping:
    """`skew` is how far clocks may be apart, `calm` how long they must agree after that, in ms."""

    clock: Clock
    skew: int
    calm: int
    _anchor: int = field(init=False)  # the time at which the steady clock was nought
    _off_until: int | None = None  # of the steady clock: until when no new risk is taken
    _jump: str = ""

    def __post_init__(self) -> None:
        self._anchor = self.clock.now() - self.clock.steady()

    def now(self) -> int:
        return self._anchor + self.clock.steady()

    def trouble(self, theirs: int | None = None) -> str:
        """Why the time is in doubt, empty where it is not; `theirs` is what time it is at the feed, where that is known."""
        steady, wall = self.clock.steady(), self.clock.now()
        apart = wall - self.now()
        if abs(apart) > self.skew:
            way = "forward" if apart > 0 else "back"
            self._jump = f"the clock jumped {way} by {show_duration(_whole(abs(apart)))}"
            self._off_until = steady + self.calm
            if theirs is not None and abs(theirs - wall) <= self.skew:
                self._anchor = wall - steady
        if theirs is not None and abs(theirs - self.now()) > self.skew:
            self._jump = f"the clock is {show_duration(_whole(abs(theirs - self.now())))} from that of the feed"
            self._off_until = steady + self.calm
        if self._off_until is not None and steady >= self._off_until:
            self._off_until, self._jump = None, ""
        return self._jump


def unturned(clock: Clock) -> Callable[[], int]:
    """The wall's time as it is now, moved on by the steady clock alone: for waits, which nobody may make longer or shorter by
    turning the clock, and for tokens, which a venue would refuse."""
    anchor = clock.now() - clock.steady()
    return lambda: anchor + clock.steady()


def _whole(span: int) -> int:
    """To a whole second where it is longer than one."""
    return span if span < 1000 else span // 1000 * 1000
