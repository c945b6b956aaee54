"""The newest values of a node for many instruments, so that those that look back find them.

A row for each instrument, with room for `lead` values before those of the next chunk; what is older is overwritten. Before the
first bar every value is unknown.

INVARIANT: the `lead` values before those of the present step are the newest of their instrument, oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """A history as far as it goes at some time: the values of an instrument end before its place in `ends`, all before `end`
    where that is not None. It is right until the next step begins, of a history that takes turns until the one after that."""

    values: Floats
    ends: Places | None
    end: int | None

    def ends_of(self, places: Places) -> Places:
        """Where the values of these instruments end."""
        if self.end is not None:
            return np.full(len(places), self.end)
        assert self.ends is not None
        return self.ends[places]

    def before(self, rows: Places | None, count: int, back: int) -> Floats:
        """The `count` values [k, count] that end `back` values before the newest, of the instruments in those rows, of all
        where None."""
        if self.end is not None:
            some = slice(self.end - back - count, self.end - back)
            if rows is not None:
                return self.values[rows, some]
            return self.values[:, some] if len(self.values) == 1 else self.values[:, some].copy()
        places = np.arange(len(self.values)) if rows is None else rows
        begins = self.ends_of(places) - back - count
        found: Floats = self.values[places[:, None], begins[:, None] + np.arange(count)]
        return found


@dataclass(slots=True, eq=False)
class History:
    """`values` [instruments, lead + room]; those of an instrument end before its place in `ends`.

    `room` is how many values may come before older ones are moved to the front; `offset` shifts when that first happens, so
    that of many histories only some move at one step. Where it `is_whole`, there is room for all values that will come, and
    none moves. Where it `takes_turns`, they are moved into another array: the step before finds its own where they were.
    """

    instruments: int
    lead: int
    room: int
    offset: int = 0
    is_whole: bool = False
    takes_turns: bool = False
    values: Floats = field(init=False)
    ends: Places = field(init=False)
    _end: int | None = None  # of all rows, None where they differ
    _most: int = 0  # no row ends later
    _other: Floats | None = None  # whose turn it is next

    def __post_init__(self) -> None:
        self._end = self._most = self.lead + self.offset % (self.room + 1)
        self.values = np.empty((self.instruments, self.lead + self.room))
        self.values[:, : self._end] = np.nan
        self.ends = np.full(self.instruments, self._end)

    def begin(self, count: int) -> None:
        """Begins a step that brings at most so many values of an instrument."""
        if self.is_whole:
            return
        if self._most + count > self.values.shape[1]:
            kept = self.reach().before(None, self.lead, 0)
            self.room = max(self.room, count)
            self.values = self._next()
            self.values[:, : self.lead] = kept
            self.ends[:] = self._end = self._most = self.lead
        self._most += count

    def _next(self) -> Floats:
        """The array to move to."""
        found = self._other if self.takes_turns else self.values
        if self.takes_turns:
            self._other = self.values
        shape = self.instruments, self.lead + self.room
        return found if found is not None and found.shape == shape else np.empty(shape)

    def claim(self, count: int) -> Floats | None:
        """The next values [1, count] of a single instrument, for somebody to write: they count as taken. None of several."""
        if self.instruments > 1 or self._end is None:
            return None
        begin = self._end
        self._end += count
        self.ends += count
        return self.values[:, begin : begin + count]

    def extend(self, rows: Places | None, new: Floats) -> None:
        """Takes the next values [k, n] of the instruments in those rows, of all where None; once in a step for each."""
        count = new.shape[1]
        if rows is None and self._end is not None:
            self.values[:, self._end : self._end + count] = new
            self.ends += count
            self._end += count
            return
        places = np.arange(self.instruments) if rows is None else rows
        self.values[places[:, None], self.ends[places][:, None] + np.arange(count)] = new
        self.ends[places] += count
        self._end = None

    def reach(self) -> Reach:
        """As far as it goes now."""
        return Reach(self.values, None if self._end is not None else self.ends.copy(), self._end)
