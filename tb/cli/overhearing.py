"""The operator's orders as a dry-run or paper session hears them in a project whose account trades live.

There is one inbox, and an order is put aside once it was taken. What is ordered to a live account may not be put aside by a
session that sends nothing: it acts on the order too, and leaves it to the live session that runs, or the next one.
"""

from __future__ import annotations

from pathlib import Path

from tb.runtime.operator import Inbox, Word


class Overheard(Inbox):
    """An inbox from which nothing is taken away; each order is heard once by a session."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._heard: set[int] = set()
        self._begins = True

    def waiting(self) -> list[Word]:
        """What this session has not heard yet, in order; at first without flattens that a resume has ended since.

        Raises Refused TB853 as an inbox does."""
        found = super().waiting()
        if self._begins:
            self._begins = False
            ended = max((word.number for word in found if word.kind == "resume"), default=0)
            self._heard = {word.number for word in found if word.kind == "flatten" and word.number < ended}
        return [word for word in found if word.number not in self._heard]

    def taken(self, word: Word) -> None:
        self._heard.add(word.number)


def inbox_for(mode: str, folder: Path) -> Inbox:
    """The inbox of a session: its own, unless orders were sent to a venue from this folder and the session is not live."""
    from tb.runtime.gateway.looking import JOURNAL

    return Overheard(folder) if mode != "live" and (folder / JOURNAL).exists() else Inbox(folder)
