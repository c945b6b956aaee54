"""Cuts the records of a run into groups, each of which is written at once.

A group ends with the record that completes a block of the decision log, and after `GROUP` records at the latest. Where groups
end follows from the records alone, not from how they were handed over: the same run gives the same bytes, and a run that is
killed keeps all groups before the one it was in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

from tb.core.records import Record
from tb.ledger.log import BLOCK
from tb.ledger.segments import DECISIVE, Group
from tb.ledger.sheets import Stream

GROUP = 4_096  # records in a group at most
TOGETHER = 6  # groups that are handed on at once at most


class Grouping:
    """Hands on each group as it is complete."""

    __slots__ = ("_hand_on", "_next", "_pending", "_room")

    def __init__(self, hand_on: Callable[..., None]) -> None:
        """`hand_on` is called with one group, or with several that follow one another."""
        self._hand_on = hand_on
        self._pending: list[Record] = []
        self._next = 1  # number of the first record that is pending
        self._room = BLOCK  # decisive records to the end of the block

    def take(self, records: Iterable[Record]) -> None:
        """The next records of the run."""
        for record in records:
            self._pending.append(record)
            if type(record) in DECISIVE:
                self._room -= 1
            if not self._room or len(self._pending) == GROUP:
                self.close()

    def take_stream(self, stream: Stream) -> None:
        """The next records of the run, as columns: what is a group of its own is handed on as that, several at once."""
        at, groups = 0, list[Group]()
        while at < stream.count:
            of = bisect_left(stream.decisive, at) + self._room - 1
            block = stream.decisive[of] + 1 if of < len(stream.decisive) else stream.count + 1
            end = min(block, at + GROUP - len(self._pending))
            if self._pending or end > stream.count:
                self._hand_on_all(groups)
                self.take(stream.records(at, min(end, stream.count)))
            else:
                group = stream.group(self._next, at, end)
                self._room -= bisect_left(stream.decisive, end) - bisect_left(stream.decisive, at)
                self._room = self._room or BLOCK
                self._next += group.size
                groups.append(group)
                if len(groups) == TOGETHER:
                    self._hand_on_all(groups)
            at = end
        self._hand_on_all(groups)

    def _hand_on_all(self, groups: list[Group]) -> None:
        if groups:
            self._hand_on(*groups)
            groups.clear()

    def close(self) -> None:
        """Hands on what is left; also the end of the run."""
        group = Group(self._next, self._pending)
        self._next += group.size
        self._pending = []
        self._room = self._room or BLOCK
        if group.records:
            self._hand_on(group)
