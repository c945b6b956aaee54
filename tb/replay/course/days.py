"""The trading days that begin while a course runs, as the session would have found them step by step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tb.core.time import DAY, day_start, next_day_start

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FLAT, HELD, LEFT = range(3)  # before the decision, while it is held, at the close of the bar that ended it or after that


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


def begun(instants: Ints, decided: Ints, out: Ints, seen: Ints, ends: int, zone: ZoneInfo) -> tuple[Days, int]:
    """The days that begin at steps of the trades, and when the last of them, or the one before them, ends. `decided` and `out`
    are the places at which each trade is decided and its exit's bar closes; `seen` is the last place before each decision that
    is stepped although nothing is held; a day ends at `ends`."""
    if zone.key != "UTC" or ends % DAY:
        return _one_by_one(instants, decided, out, seen, ends, zone)
    last = int(instants[out[-1]])
    if last < ends:
        return days_of([]), ends
    # the first instant of each day, and the first trade that is not over by then; where nothing is stepped it begins with that
    first = max(ends, int(instants[0 if seen[0] >= 0 else decided[0]]) // DAY * DAY)
    starts = _first_at(instants, np.arange(first, last + 1, DAY))
    starts = starts[np.flatnonzero(np.diff(starts, prepend=-1))]
    trade = out.searchsorted(starts)
    is_flat, is_seen = starts <= decided[trade], starts <= seen[trade]
    place, when = np.where(is_flat & ~is_seen, decided[trade], starts), np.where(starts == out[trade], LEFT, HELD)
    when[is_flat] = FLAT
    is_after = is_flat & is_seen & (trade > 0)
    when[is_after], trade[is_after] = LEFT, trade[is_after] - 1
    is_first = np.ones(len(starts), dtype=np.bool_)
    is_first[1:] = place[1:] != place[:-1]
    found = Days(trade[is_first], when[is_first], place[is_first])
    return found, int(instants[found.place[-1]]) // DAY * DAY + DAY


def seen_until(
    instants: Ints, decided: Ints, out: Ints, is_taken: Bools, windows: Sequence[str], settled: int | None, zone: ZoneInfo
) -> Ints:
    """The last place before each decision that is stepped although nothing is held, -1 where none is: through `windows` watched
    constraints look back at what was held, which an order that was refused is not. Before the first trade it is stepped until
    `settled`, if at all."""
    first = -1 if settled is None else int(instants.searchsorted(settled))
    until = np.full(len(decided), first, dtype=np.int64)
    if windows:
        last = instants[out[:-1]]
        ends = [_next_days(last, zone) if window == "today" else last + int(window) for window in windows]
        after = instants.searchsorted(np.max(ends, axis=0))
        trade = np.maximum.accumulate(np.where(is_taken[:-1], np.arange(len(last)), -1))  # the one before each order
        until[1:] = np.where(trade < 0, first, after[np.maximum(trade, 0)])
    else:
        until[1:][np.logical_or.accumulate(is_taken[:-1])] = -1
    return np.minimum(until, decided - 1)


def _next_days(instants: Ints, zone: ZoneInfo) -> Ints:
    """When the day of each ends; they ascend."""
    if zone.key == "UTC":
        return instants // DAY * DAY + DAY
    found, ends = [], 0
    for at in instants.tolist():
        ends = next_day_start(at, zone) if at >= ends else ends
        found.append(ends)
    return np.array(found, dtype=np.int64)


def _first_at(instants: Ints, days: Ints) -> Ints:
    """The place of the first instant that is not before each of some times, which ascend and are not after the last instant."""
    step = int(instants[1] - instants[0]) if len(instants) > 1 else DAY
    # where no instant is missing, all are as far from each other
    guess = np.clip(-((instants[0] - days) // step), 0, len(instants) - 1)
    is_right = (instants[guess] >= days) & ((guess == 0) | (instants[guess - 1] < days))
    return guess if bool(is_right.all()) else instants.searchsorted(days)


def _one_by_one(instants: Ints, decided: Ints, out: Ints, seen: Ints, ends: int, zone: ZoneInfo) -> tuple[Days, int]:
    """Where days are not as long as one another."""
    found: list[Begun] = []
    at, before = instants.data, -1
    for trade, (first, last, until) in enumerate(zip(decided.tolist(), out.tolist(), seen.tolist(), strict=True)):
        while at[last] >= ends and (place := bisect_left(at, ends, before + 1, first)) < min(until + 1, first):
            ends = next_day_start(at[place], zone)
            found.append(Begun(trade - 1, LEFT, place) if trade else Begun(trade, FLAT, place))
        before = last
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
