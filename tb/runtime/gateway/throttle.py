"""How many messages go to a venue in a window of time.

Orders that add risk have the window less what is kept back; cancels and orders that reduce risk have all of it, and are not
refused even beyond: a venue that refuses them says so.
"""

from __future__ import annotations

from collections import deque


class Throttle:
    """Counts messages by the instant (ms) at which they were sent."""

    def __init__(self, most: int, window: int, kept_back: int) -> None:
        self.most, self.window, self.kept_back = most, window, kept_back
        self._sent: deque[int] = deque()

    def has_room(self, now: int) -> bool:
        """Whether one more order that adds risk may go out."""
        while self._sent and self._sent[0] <= now - self.window:
            self._sent.popleft()
        return len(self._sent) < self.most - self.kept_back

    def count(self, now: int) -> None:
        """A message goes out."""
        self._sent.append(now)
