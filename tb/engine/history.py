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


@dataclass(slots=True, eq=False)
class History:
    """`values` [instruments, lead + room]; those of an instrument end before its place in `ends`.

    `room` is how many values may come before older ones are moved to the front; `offset` shifts when that first happens, so
    that of many histories only some move at one step. Where it
    `is_whole`, there is room for all values that will come, and none moves.
    """

    instruments: int
    lead: int
    room: int
    offset: int = 0
    is_whole: bool = False
    values: Floats = field(init=False)
    ends: Places = field(init=False)
    _end: int | None = None  # of all rows, None where they differ
    _reach: int = 0  # no row ends later

    def __post_init__(self) -> None:
        self._end = self._reach = self.lead + self.offset % (self.room + 1)
        self.values = np.empty((self.instruments, self.lead + self.room))
        self.values[:, : self._end] = np.nan
        self.ends = np.full(self.instruments, self._end)

    def begin(self, count: int) -> None:
        """Begins a step that brings at most so many values of an instrument."""
        if self.is_whole:
            return
        if self._reach + count > self.values.shape[1]:
            kept = self.before(None, self.lead, 0)
            if count > self.room:
                self.room = count
                self.values = np.empty((self.instruments, self.lead + count))
            self.values[:, : self.lead] = kept
            self.ends[:] = self._end = self._reach = self.lead
        self._reach += count

    def space(self, count: int) -> Floats | None:
        """Where the next values [1, count] of a single instrument belong: what is written there need not be copied when
        `extend` takes it. None where there are several."""
        if self.instruments > 1 or self._end is None:
            return None
        return self.values[:, self._end : self._end + count]

    def extend(self, rows: Places | None, new: Floats) -> None:
        """Takes the next values [k, n] of the instruments in those rows, of all where None; once in a step for each."""
        count = new.shape[1]
        if rows is None and self._end is not None:
            if new.base is not self.values:  # else it was written where it belongs
                self.values[:, self._end : self._end + count] = new
            self.ends += count
            self._end += count
            return
        places = self._places(rows)
        self.values[places[:, None], self.ends[places][:, None] + np.arange(count)] = new
        self.ends[places] += count
        self._end = None

    def before(self, rows: Places | None, count: int, back: int) -> Floats:
        """The `count` values [k, count] that end `back` values before the newest of each instrument; they are right until the
        next step begins."""
        if self._end is not None:
            some = slice(self._end - back - count, self._end - back)
            if rows is not None:
                return self.values[rows, some]
            return self.values[:, some] if self.instruments == 1 else self.values[:, some].copy()
        places = self._places(rows)
        found: Floats = self.values[places[:, None], (self.ends[places] - back - count)[:, None] + np.arange(count)]
        return found

    def _places(self, rows: Places | None) -> Places:
        return np.arange(self.instruments) if rows is None else rows
