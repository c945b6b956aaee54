"""The trading days that begin while a course runs, as the session would have found them step by step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tb.core.time import DAY, day_start, next_day_start

Ints = NDArray[np.int64]
FLAT, HELD, LEFT = range(3)  # before the decision, while it is held, at the close of the bar that ended it


@dataclass(frozen=True, slots=True)
class Begun:
    """A day that begins at the step of a trade; `place` is the step's."""

    trade: int
    when: int
    place: int


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """The same in columns, in order of time."""

    trade: Ints
    when: Ints
    place: Ints

    def __len__(self) -> int:
        return len(self.trade)

    def part(self, begin: int, end: int) -> Days:
        """Those at trades from one to before another, with the numbers that these have among them."""
        which = slice(*self.trade.searchsorted((begin, end)))
        return Days(self.trade[which] - begin, self.when[which], self.place[which])

    def __iter__(self) -> Iterator[Begun]:
        return map(Begun, self.trade.tolist(), self.when.tolist(), self.place.tolist())


def days_of(found: list[Begun]) -> Days:
    """From a list."""
    return Days(*np.array([(one.trade, one.when, one.place) for one in found], dtype=np.int64).reshape(len(found), 3).T)


def begun(instants: Ints, decided: Ints, out: Ints, ends: int, zone: ZoneInfo) -> tuple[Days, int]:
    """The days that begin at steps of the trades, and when the last of them, or the one before them, ends. `decided` and `out`
    are the places at which each trade is decided and its exit's bar closes; a day ends at `ends`."""
    if zone.key != "UTC" or ends % DAY:
        return _one_by_one(instants, decided, out, ends, zone)
    last = int(instants[out[-1]])
    if last < ends:
        return days_of([]), ends
    # the first instant of each day, and the first trade that is not over by then; while nothing is held it begins with the next
    first = max(ends, int(instants[decided[0]]) // DAY * DAY)
    starts = _first_at(instants, np.arange(first, last + 1, DAY))
    starts = starts[np.flatnonzero(np.diff(starts, prepend=-1))]
    trade = out.searchsorted(starts)
    is_flat = starts <= decided[trade]
    place, when = np.where(is_flat, decided[trade], starts), np.where(starts == out[trade], LEFT, HELD)
    when[is_flat] = FLAT
    is_first = np.ones(len(starts), dtype=np.bool_)
    is_first[1:] = place[1:] != place[:-1]
    found = Days(trade[is_first], when[is_first], place[is_first])
    return found, int(instants[found.place[-1]]) // DAY * DAY + DAY


def _first_at(instants: Ints, days: Ints) -> Ints:
    """The place of the first instant that is not before each of some times, which ascend and are not after the last instant."""
    step = int(instants[1] - instants[0]) if len(instants) > 1 else DAY
    # where no instant is missing, all are as far from each other
    guess = np.clip(-((instants[0] - days) // step), 0, len(instants) - 1)
    is_right = (instants[guess] >= days) & ((guess == 0) | (instants[guess - 1] < days))
    return guess if bool(is_right.all()) else instants.searchsorted(days)


def _one_by_one(instants: Ints, decided: Ints, out: Ints, ends: int, zone: ZoneInfo) -> tuple[Days, int]:
    """Where days are not as long as one another."""
    found: list[Begun] = []
    at = instants.data
    for trade, (first, last) in enumerate(zip(decided.tolist(), out.tolist(), strict=True)):
        if at[last] < ends:
            continue
        if at[first] >= ends:
            ends = next_day_start(at[first], zone)
            found.append(Begun(trade, FLAT, first))
        while at[last] >= ends:
            place = bisect_left(at, ends, first, last + 1)
            found.append(Begun(trade, HELD if place < last else LEFT, place))
            ends = next_day_start(at[place], zone)
    return days_of(found), ends


def began(at: int, zone: ZoneInfo) -> int:
    """When the day of an instant began."""
    return day_start(at, zone)
