"""Cuts the records of a run into groups, each of which is written at once.

A group ends with the record that completes a block of the decision log, and after `GROUP` records at the latest. Where groups
end follows from the records alone, not from how they were handed over: the same run gives the same bytes, and a run that is
killed keeps all groups before the one it was in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

from tb.core.records import Curve, Mark, Quiet, Record
from tb.ledger.log import BLOCK
from tb.ledger.promises import Promised
from tb.ledger.segments import DECIDING, Group
from tb.ledger.sheets import SheetGroup, Stream

GROUP = 4_096  # records in a group at most
BESIDE = frozenset((Mark, Curve, Quiet))  # what can come after the end of a stream without being of its trades
TOGETHER = 20  # groups that are handed on at once at most: fewer, and what writes them is in the way of what makes the next


class Grouping:
    """Hands on each group as it is complete."""

    __slots__ = ("_after", "_hand_on", "_next", "_pending", "_room", "_tail")

    def __init__(self, hand_on: Callable[..., None]) -> None:
        """`hand_on` is called with one group, or with several that follow one another."""
        self._hand_on = hand_on
        self._pending: list[Record | Promised] = []
        self._tail: tuple[Stream, int] | None = None  # what is pending of a stream, in place of its records
        self._after: list[Record] = []  # and what came after that
        self._next = 1  # number of the first record that is pending
        self._room = BLOCK  # decisive records to the end of the block

    def take(self, records: Iterable[Record | Promised]) -> None:
        """The next records of the run."""
        for record in records:
            kind = type(record)
            if self._tail is None:
                self._pending.append(record)
                size = len(self._pending)
            elif kind in BESIDE:
                self._after.append(record)  # type: ignore[arg-type]
                size = self._size
            else:
                self._spill()
                self._pending.append(record)
                size = len(self._pending)
            if kind in DECIDING:
                self._room -= 1
                if not self._room:
                    self.close()
                    continue
            if size == GROUP:
                self.close()

    @property
    def _size(self) -> int:
        """How many records are pending."""
        tail = 0 if self._tail is None else self._tail[0].count - self._tail[1]
        return len(self._pending) + tail + len(self._after)

    def take_stream(self, stream: Stream) -> None:
        """The next records of the run, as columns: what is a group of its own is handed on as that, several at once."""
        if self._tail is not None:
            self._spill()
        at, groups = 0, list[Group]()
        while at < stream.count:
            of = bisect_left(stream.decisive, at) + self._room - 1
            block = stream.decisive[of] + 1 if of < len(stream.decisive) else stream.count + 1
            end = min(block, at + GROUP - len(self._pending))
            if self._pending:
                self._hand_on_all(groups)
                self.take(stream.records(at, min(end, stream.count)))
            elif end > stream.count:
                self._room -= len(stream.decisive) - bisect_left(stream.decisive, at)
                self._tail = stream, at
            else:
                groups.append(stream.group(self._next, at, end))
                self._room -= bisect_left(stream.decisive, end) - bisect_left(stream.decisive, at)
                self._room = self._room or BLOCK
                self._next += groups[-1].size
                if len(groups) == TOGETHER:
                    self._hand_on_all(groups)
            at = end
        self._hand_on_all(groups)

    def _hand_on_all(self, groups: list[Group]) -> None:
        if groups:
            self._hand_on(*groups)
            groups.clear()

    def _spill(self) -> None:
        """Makes records of what is pending of a stream."""
        assert self._tail is not None
        stream, at = self._tail
        self._pending = [*stream.records(at, stream.count), *self._after]
        self._tail, self._after = None, []

    def close(self) -> None:
        """Hands on what is left; also the end of the run."""
        group = self._rest()
        self._next += group.size
        self._pending, self._tail, self._after = [], None, []
        self._room = self._room or BLOCK
        if group.size:
            self._hand_on(group)

    def _rest(self) -> Group:
        if self._tail is None:
            return Group(self._next, self._pending)
        stream, at = self._tail
        group = stream.group(self._next, at, stream.count)
        if not self._after:
            return group
        return (
            group.with_more(self._after)
            if isinstance(group, SheetGroup)
            else Group(group.first, [*group.records, *self._after])
        )
