"""Sessions of the calendar: whether an instant lies inside, told from the instant and the time zone alone.

A session opens when the clock of its zone shows its start and is over when it shows its end: an instant at the start is inside,
one at the end is not. So an order decided at a close inside is sent while the session is open. A session whose end is not later
than its start ends on the next day; days of the week and days left out are those on which it starts. A time that the clock
shows twice counts when it comes first, one that a change of the clock skips as if the clock had not changed yet; a day
that a zone skipped altogether has no session.

INVARIANT: `during` and `session_time` over columns equal `is_during` and `session_time_at` at every instant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import Constant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """`days` are names of the week, `closed` the days left out, as ISO text."""

    start: time
    end: time
    zone: ZoneInfo
    days: tuple[str, ...]
    closed: tuple[str, ...]


def hours_of(consts: Sequence[Constant]) -> Hours:
    """From the constants of a `during` node: name, start, end, zone, days, days left out."""
    _, start, end, zone, days, closed = (str(const) for const in consts)
    opened, over = time.fromisoformat(start), time.fromisoformat(end)
    return Hours(opened, over, ZoneInfo(zone), tuple(days.split()), tuple(closed.split()))


def is_during(hours: Hours, at: int) -> bool:
    """Whether an instant, in ms UTC, lies inside the session of any day."""
    today = _date(hours, at)
    found = (_stretch(hours, today + days * _DAY) for days in (-2, -1, 0, 1))
    return any(stretch is not None and stretch[0] <= at < stretch[1] for stretch in found)


def during(hours: Hours, instants: NDArray[np.int64]) -> NDArray[np.float64]:
    """1.0 at instants inside, 0.0 at others; `instants` in ms UTC, in order of time."""
    if not len(instants):
        return np.empty(0)
    day, last = _date(hours, int(instants[0])) - 2 * _DAY, _date(hours, int(instants[-1])) + _DAY
    opens, ends = [], []
    while day <= last:
        stretch = _stretch(hours, day)
        if stretch is not None:
            opens.append(stretch[0])
            ends.append(stretch[1])
        day += _DAY
    # changes of the clock may let two days overlap, so openings and ends are counted, not paired
    opened = np.searchsorted(np.array(sorted(opens), dtype=np.int64), instants, side="right")
    ended = np.searchsorted(np.array(sorted(ends), dtype=np.int64), instants, side="right")
    return np.where(opened > ended, 1.0, 0.0)


def session_time(hours: Hours, since: bool, instants: NDArray[np.int64]) -> NDArray[np.float64]:
    """Milliseconds from the session's start (`since`) or to its end at instants inside, NaN at others; in order of time.

    Where a change of the clock lets two days overlap, the one that began last counts.
    """
    if not len(instants):
        return np.empty(0)
    day, last = _date(hours, int(instants[0])) - 2 * _DAY, _date(hours, int(instants[-1])) + _DAY
    stretches = []
    while day <= last:
        stretch = _stretch(hours, day)
        if stretch is not None:
            stretches.append(stretch)
        day += _DAY
    if not stretches:
        return np.full(len(instants), np.nan)
    opens, ends = np.array(sorted(stretches), dtype=np.int64).T
    place = np.searchsorted(opens, instants, side="right") - 1
    is_inside = (place >= 0) & (instants < ends[place])
    return np.where(is_inside, instants - opens[place] if since else ends[place] - instants, np.nan)


def session_time_at(hours: Hours, since: bool, at: int) -> float | None:
    """The same at one instant; None outside."""
    today = _date(hours, at)
    found = [stretch for days in (-2, -1, 0, 1) if (stretch := _stretch(hours, today + days * _DAY)) is not None]
    begun = [stretch for stretch in found if stretch[0] <= at]
    if not begun or at >= max(begun)[1]:
        return None
    start, end = max(begun)
    return float(at - start if since else end - at)


def session_column(op: str, consts: Sequence[Constant], instants: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values of a `during`, `since_open` or `to_close` node."""
    hours = hours_of(consts)
    return during(hours, instants) if op == "during" else session_time(hours, op == "since_open", instants)


def session_value(op: str, consts: Sequence[Constant], at: int) -> float:
    """The same at one instant; NaN for unknown."""
    hours = hours_of(consts)
    found = float(is_during(hours, at)) if op == "during" else session_time_at(hours, op == "since_open", at)
    return math.nan if found is None else found


def _stretch(hours: Hours, day: date) -> tuple[int, int] | None:
    """From when to when the session of a day is open; None where it has none."""
    if _WEEK[day.weekday()] not in hours.days or day.isoformat() in hours.closed:
        return None
    start = _instant(day, hours.start, hours.zone)
    if _date(hours, start) != day:
        return None
    end = _instant(day if hours.end > hours.start else day + _DAY, hours.end, hours.zone)
    return (start, end) if start < end else None


def _instant(day: date, clock: time, zone: ZoneInfo) -> int:
    return (datetime.combine(day, clock, tzinfo=zone).astimezone(UTC) - _EPOCH) // _MILLISECOND


def _date(hours: Hours, at: int) -> date:
    return (_EPOCH + at * _MILLISECOND).astimezone(hours.zone).date()
