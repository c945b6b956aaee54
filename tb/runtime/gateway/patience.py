"""How often a position that the venue does not let be protected, or closed, is tried again, and that people hear of it once.

INVARIANT: what a venue goes on refusing is asked for ever more seldom, and never given up.
"""

from __future__ import annotations

from collections.abc import Callable

from tb.runtime.drafts import Key
from tb.runtime.gateway.terms import Terms


class Patience:
    """`alert` tells people."""

    def __init__(self, terms: Terms, now: Callable[[], int], alert: Callable[[str], None]) -> None:
        self._terms, self._now, self._alert = terms, now, alert
        self._pauses: dict[tuple[Key, str], tuple[int, int]] = {}  # tries that were refused, and until when there is none
        self._cried: set[Key] = set()  # those that people were told of

    def waits(self, key: Key, what: str = "placing") -> bool:
        """Whether the venue has just refused to protect or close a position."""
        return self._pauses.get((key, what), (0, 0))[1] > self._now()

    def refused(self, key: Key, what: str = "placing") -> None:
        """The venue refused: each time the pause becomes longer."""
        tries = self._pauses.get((key, what), (0, 0))[0]
        wait = min(self._terms.longest_pause, self._terms.look_unknown << min(tries, 10))
        self._pauses[key, what] = (tries + 1, self._now() + wait)

    def turned_away(self, key: Key, wait: int, what: str = "placing") -> None:
        """The venue turned an order of a position away unread: the next try comes after a moment, however long it says."""
        tries, until = self._pauses.get((key, what), (0, 0))
        wait = min(max(wait, self._terms.look_unknown), self._terms.look_after)
        self._pauses[key, what] = (tries, max(until, self._now() + wait))

    def over(self, key: Key) -> None:
        """It is gone."""
        self.placed(key)
        self._pauses.pop((key, "closing"), None)

    def placed(self, key: Key) -> None:
        """It is protected."""
        self._pauses.pop((key, "placing"), None)
        self._cried.discard(key)

    def known(self) -> list[Key]:
        """The positions that there is something to remember of."""
        return [*self._cried, *(key for key, _ in self._pauses)]

    def cry(self, key: Key, words: str) -> None:
        """Somebody has to know that a position stands without its protection: once, until that is over."""
        if key not in self._cried:
            self._cried.add(key)
            self._alert(words)
