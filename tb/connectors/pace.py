"""How fast requests may go out: at most so many within any second, a part of them kept for what must not wait.

Guarantees: no second has more permits than the last rank may see; each rank leaves those above it their part, so that a cancel
finds room however much else is asked; whoever cannot go within its time is told so, and does not go.
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
    """The permits of one lane. `rooms` are how many a second may have when one of a rank is given, the lowest rank first.

    `clock` is monotonic, in ns; `pause` waits for so many seconds.
    """

    rooms: tuple[int, ...]
    clock: Callable[[], int] = time.monotonic_ns
    pause: Callable[[float], None] = time.sleep
    _given: deque[int] = field(default_factory=deque)
    _held: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, within: float, rank: int = 0) -> int | None:
        """Waits for a permit, at most so many seconds: None once it is given, else the ms until one may be."""
        end = self.clock() + int(within * SECOND)
        while True:
            wait = self._try(rank)
            if not wait:
                return None
            if self.clock() + wait > end:
                return -(-wait // 1_000_000)
            self.pause(wait / SECOND)

    def hold(self, ms: int) -> None:
        """Gives the lowest rank no permit for so long: the venue said that there were too many."""
        with self._lock:
            self._held = max(self._held, self.clock() + ms * 1_000_000)

    def _try(self, rank: int) -> int:
        """0 where the permit is given, else the ns until it is worth asking again."""
        with self._lock:
            now = self.clock()
            while self._given and self._given[0] <= now - SECOND:
                self._given.popleft()
            if not rank and self._held > now:
                return self._held - now
            room = self.rooms[min(rank, len(self.rooms) - 1)]
            if len(self._given) < room:
                self._given.append(now)
                return 0
            # the permit whose second has to end before there is room
            return max(1, self._given[len(self._given) - room] + SECOND - now)
