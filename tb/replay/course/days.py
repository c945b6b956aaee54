"""The trading days that begin while a course runs, as the session would have found them step by step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tb.core.time import DAY, day_start, next_day_start

FLAT, HELD, LEFT = range(3)  # before the decision, while it is held, at the close of the bar that ended it


@dataclass(frozen=True, slots=True)
class Begun:
    """A day that begins at the step of a trade; `place` is the step's."""

    trade: int
    when: int
    place: int


def begun(
    instants: NDArray[np.int64], decided: Sequence[int], out: Sequence[int], ends: int, zone: ZoneInfo
) -> tuple[list[Begun], int]:
    """The days that begin at steps of the trades, and when the last of them, or the one before them, ends. `decided` and `out`
    are the places at which each trade is decided and its exit's bar closes; a day ends at `ends`."""
    found: list[Begun] = []
    at, is_utc = instants.data, zone.key == "UTC"
    for trade, (first, last) in enumerate(zip(decided, out, strict=True)):
        if at[last] < ends:
            continue
        if at[first] >= ends:
            ends = at[first] // DAY * DAY + DAY if is_utc else next_day_start(at[first], zone)
            found.append(Begun(trade, FLAT, first))
        while at[last] >= ends:
            place = bisect_left(at, ends, first, last + 1)
            found.append(Begun(trade, HELD if place < last else LEFT, place))
            ends = at[place] // DAY * DAY + DAY if is_utc else next_day_start(at[place], zone)
    return found, ends


def began(at: int, zone: ZoneInfo) -> int:
    """When the day of an instant began."""
    return day_start(at, zone)
