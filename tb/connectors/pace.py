"""How fast requests may go out: at most so many within any second, a part of them kept for what is urgent.

Guarantees: no more than `most` permits within a second; ordinary requests take at most `most - kept` of them, so that a
cancel finds room however much else is asked; whoever cannot go within its time is told so, and does not go.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

SECOND = 1_000_000_000


@dataclass(slots=True)
class Pace:
    """The permits of one lane. `clock` is monotonic, in ns; `pause` waits for so many seconds."""

    most: int
    kept: int
    clock: Callable[[], int] = time.monotonic_ns
    pause: Callable[[float], None] = time.sleep
    _given: deque[int] = field(default_factory=deque)
    _held: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, within: float, *, urgent: bool = False) -> int | None:
        """Waits for a permit, at most so many seconds: None once it is given, else the ms until one may be."""
        end = self.clock() + int(within * SECOND)
        while True:
            wait = self._try(urgent)
            if not wait:
                return None
            if self.clock() + wait > end:
                return -(-wait // 1_000_000)
            self.pause(wait / SECOND)

    def hold(self, ms: int) -> None:
        """Gives ordinary requests no permit for so long: the venue said that there were too many."""
        with self._lock:
            self._held = max(self._held, self.clock() + ms * 1_000_000)

    def _try(self, urgent: bool) -> int:
        """0 where the permit is given, else the ns until it is worth asking again."""
        with self._lock:
            now = self.clock()
            while self._given and self._given[0] <= now - SECOND:
                self._given.popleft()
            if not urgent and self._held > now:
                return self._held - now
            room = self.most if urgent else self.most - self.kept
            if len(self._given) < room:
                self._given.append(now)
                return 0
            # the permit whose second has to end before there is room
            return max(1, self._given[len(self._given) - room] + SECOND - now)
