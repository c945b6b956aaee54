"""Fields of the calendar: what the instant of a bar's close says, in UTC.

INVARIANT: they follow from the close alone, so a chunk says what the whole says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def calendar_field(name: str, closes: Ints) -> Floats | None:
    """One field over closes in ms UTC; None where the calendar has none of that name."""
    found = _parts(name, closes)
    return None if found is None else found.astype(np.float64)


def _parts(name: str, closes: Ints) -> Ints | None:
    match name:
        case "hour":
            return closes // _HOUR % 24
        case "weekday":
            return (closes // _DAY + 3) % 7  # 1970-01-01 was a Thursday
        case "minute_of_hour":
            return closes // _MINUTE % 60
        case "minute_of_day":
            return closes // _MINUTE % 1440
        case "day_number":
            return (closes - 1) // _DAY
        case "day_of_month" | "day_of_year" | "month_of_year" | "week_of_year":
            return _dated(name, closes)
        case _:
            return None


def _dated(name: str, closes: Ints) -> Ints:
    days = (closes // _DAY).astype("datetime64[D]")
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    match name:
        case "day_of_month":
            found = days - months
        case "day_of_year":
            found = days - years
        case "month_of_year":
            found = months - years
        case _:
            # the ISO week is that of its Thursday
            thursday = days + (3 - (days.astype(np.int64) + 3) % 7)
            return np.asarray((thursday - thursday.astype("datetime64[Y]")).astype(np.int64) // 7 + 1)
    return np.asarray(found.astype(np.int64) + 1)
