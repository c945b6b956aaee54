"""Market fields a rule may read by name, with their units and ranges.

A field is unknown (NaN) at a bar whose data does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from tb.core.units import DURATION, NUMBER, PRICE, QUANTITY, RATIO, Unit


class Origin(Enum):
    """Where the values of a field come from."""

    BAR = "bar"
    QUOTE = "quote"
    FUNDING = "funding"
    CALENDAR = "calendar"  # from the time of the bar's close alone


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `output_range` bounds its values, None where open."""

    name: str
    unit: Unit
    origin: Origin
    doc: str
    output_range: tuple[float | None, float | None] = (None, None)

    @property
    def is_calendar(self) -> bool:
        return self.origin is Origin.CALENDAR


_FIELDS = (
    Field("open", PRICE, Origin.BAR, "first price of the bar", (0, None)),
    Field("high", PRICE, Origin.BAR, "highest price of the bar", (0, None)),
    Field("low", PRICE, Origin.BAR, "lowest price of the bar", (0, None)),
    Field("close", PRICE, Origin.BAR, "last price of the bar", (0, None)),
    Field("volume", QUANTITY, Origin.BAR, "units of the instrument traded in the bar", (0, None)),
    Field("bid", PRICE, Origin.QUOTE, "best price a seller gets, at the bar's close", (0, None)),
    Field("ask", PRICE, Origin.QUOTE, "best price a buyer pays, at the bar's close", (0, None)),
    Field("mid", PRICE, Origin.QUOTE, "halfway between bid and ask, at the bar's close", (0, None)),
    Field("spread", RATIO, Origin.QUOTE, "distance from bid to ask as a share of mid, at the bar's close", (0, None)),
    Field("funding_rate", RATIO, Origin.FUNDING, "what longs paid shorts of a perpetual at the last funding instant"),
    Field(
        "funding_paid", RATIO, Origin.FUNDING, "what longs paid shorts of a perpetual within the bar, 0 where nothing fell due"
    ),
    Field("funding_period", DURATION, Origin.FUNDING, "time from one funding instant to the next", (0, None)),
    Field(
        "missing_bars", NUMBER, Origin.BAR, "bars missing between this one and the one before; unknown at the first", (0, None)
    ),
    Field("hour", NUMBER, Origin.CALENDAR, "hour of the bar's close in UTC, 0 to 23", (0, 23)),
    Field("weekday", NUMBER, Origin.CALENDAR, "day of the bar's close in UTC, Monday 0 to Sunday 6", (0, 6)),
    Field("minute_of_hour", NUMBER, Origin.CALENDAR, "minute of the bar's close, 0 to 59", (0, 59)),
    Field("minute_of_day", NUMBER, Origin.CALENDAR, "minutes from midnight UTC to the bar's close, 0 to 1439", (0, 1439)),
    Field("day_of_month", NUMBER, Origin.CALENDAR, "day of the month of the bar's close in UTC, 1 to 31", (1, 31)),
    Field("day_of_year", NUMBER, Origin.CALENDAR, "day of the year of the bar's close in UTC, 1 to 366", (1, 366)),
    Field("week_of_year", NUMBER, Origin.CALENDAR, "ISO week of the bar's close in UTC, 1 to 53", (1, 53)),
    Field("month_of_year", NUMBER, Origin.CALENDAR, "month of the bar's close in UTC, 1 to 12", (1, 12)),
    Field(
        "day_number",
        NUMBER,
        Origin.CALENDAR,
        "days from 1970 to the UTC day in which the bar lies; one that closes at midnight lies in the day before",
        (0, None),
    ),
)

FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _FIELDS})
