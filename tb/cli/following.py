"""Follows a replay as if it were live: on the simulated clock at so many times real time, with keys at a terminal.

Real time comes in here alone, from `clock`; what is decided never reads it.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

import click

from tb.cli.keys import NO_KEYS, Keys, keys_of_terminal
from tb.cli.output import progress
from tb.core.records import Decision, Record, Run

if TYPE_CHECKING:
    from tb.cli.happenings import Teller

Progress = Callable[[int, int], None]
_LONG = 0.2  # seconds; before waiting longer, what is recorded goes to disk
_PART = 0.05  # seconds between two looks at the keys


def speed(text: str) -> float:
    """`1000x`, `0.5x`, `60` or `max` (which is infinite)."""
    word = text.strip().lower()
    if word == "max":
        return math.inf
    try:
        found = float(word.removesuffix("x").replace("_", "").replace(",", ""))
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise click.BadParameter(f"`{text}` is not a speed; write `1000x`, a multiple of real time, or `max`")
    return found


@dataclass(slots=True)
class Follower:
    """A `tb.replay.pace.Pace`. `first` is where the simulated clock starts (ms); `teller` says what happens, if there is one.

    The keys: space pauses and goes on, `n` goes on to the next decision and pauses there, `q` ends the run as `stop` does.
    """

    first: int
    speed: float = math.inf
    teller: Teller | None = None
    keys: Keys = NO_KEYS
    clock: Callable[[], float] = time.monotonic
    begun: bool = False  # whether an instant was reached
    stopping: bool = False
    _at: int = field(init=False)  # where the simulated clock stands
    _zero: float = field(init=False)  # the real time at which it stood, or would have stood, at `first`
    _paused: bool = False
    _since: float = 0.0  # the real time since which it is paused
    _stepping: bool = False

    def __post_init__(self) -> None:
        self._at, self._zero = self.first, self.clock()

    def stop(self) -> None:
        """Ends the run before its next instant."""
        self.stopping = True

    def go_on(self, instant: int, flush: Callable[[], None]) -> int | None:
        if not self.begun:
            self.begun, self._zero = True, self.clock()
        self._press(self.keys.pressed(0))
        is_flushed = False
        while not self.stopping and (self._paused or self._left(instant) > 0):
            if not is_flushed and (self._paused or self._left(instant) > _LONG):
                flush()
                is_flushed = True
            self._show(instant)
            self._press(self.keys.pressed(_PART if self._paused else min(self._left(instant), _PART)))
        if self.stopping:
            return self._now(instant)
        self._at = instant
        return None

    def see(self, records: Sequence[Record]) -> None:
        for record in records:
            self._tell(record)
            if self._stepping and isinstance(record, Decision):
                self._pause()
                while self._paused and not self.stopping:
                    self._show(self._at)
                    self._press(self.keys.pressed(_PART))

    def _tell(self, record: Record) -> None:
        if self.teller is None:
            return
        try:
            self.teller.tell(record)
        except BrokenPipeError:  # nobody reads on: what was decided is kept, as after `q`
            self.teller, self.stopping = None, True

    def _left(self, instant: int) -> float:
        """Real seconds until the simulated clock comes to an instant."""
        return 0.0 if self._stepping else self._zero + self._span(instant) - self.clock()

    def _span(self, instant: int) -> float:
        return (instant - self.first) / 1000 / self.speed

    def _press(self, keys: str) -> None:
        for key in keys:
            if key == "q":
                self.stopping = True
            elif key == " " and not self._paused:
                self._pause()
            elif key in {" ", "n"}:
                self._zero += self.clock() - self._since if self._paused else 0.0  # as if no time had passed
                self._paused, self._stepping = False, key == "n"

    def _pause(self) -> None:
        self._since = self.clock()
        if self._stepping:  # it did not wait on its way here
            self._zero = self._since - self._span(self._at)
        self._paused, self._stepping = True, False

    def _now(self, instant: int) -> int:
        """Where the simulated clock stands on its way to an instant."""
        if self._stepping or math.isinf(self.speed):
            return self._at
        passed = (self._since if self._paused else self.clock()) - self._zero
        return min(max(self.first + int(passed * self.speed * 1000), self._at), instant)

    def _show(self, instant: int) -> None:
        if self.teller is not None:
            self.teller.show_clock(self._now(instant), is_paused=self._paused)


@dataclass(slots=True)
class Following:
    """How a replay is followed: with lines as things happen, or silently with a bar. Either way Ctrl-C ends it where it is."""

    speed: float = math.inf
    said: str = ""  # the speed, as people wrote it; empty: silently
    as_json: bool = False
    was_killed: bool = False  # by Ctrl-C

    @classmethod
    def of(cls, text: str, *, as_json: bool) -> Following:
        """Raises click.BadParameter for what is no speed."""
        return cls(speed(text), text, as_json)

    @contextmanager
    def of_run(self, run: Run) -> Iterator[tuple[Follower, Progress | None]]:
        """Follows one run: gives its pace, and whom to tell of its progress."""
        if not self.said:
            follower = Follower(run.first - run.period)
            with progress("replay") as told, self._ending(follower):
                yield follower, told
            return
        from tb.cli.happenings import Teller

        with keys_of_terminal() as keys:
            teller = Teller(self.said, run.currency, as_json=self.as_json, with_keys=keys is not NO_KEYS)
            follower = Follower(run.first - run.period, self.speed, teller, keys)
            with self._ending(follower):
                yield follower, None
            teller.clear()

    @contextmanager
    def _ending(self, follower: Follower) -> Iterator[None]:
        """While this lasts, Ctrl-C ends the run before its next instant; a second one, or one before its first, is as usual."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def end(_number: int, _frame: FrameType | None) -> None:
            if follower.stopping or not follower.begun:
                raise KeyboardInterrupt
            follower.stop()
            self.was_killed = True

        before = signal.signal(signal.SIGINT, end)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
