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
    Field("funding_period", DURATION, Origin.FUNDING, "time from one funding instant to the next", (0, None)),
    Field(
        "missing_bars", NUMBER, Origin.BAR, "bars missing between this one and the one before; unknown at the first", (0, None)
    ),
    Field("hour", NUMBER, Origin.CALENDAR, "hour of the bar's close in UTC, 0 to 23", (0, 23)),
    Field("weekday", NUMBER, Origin.CALENDAR, "day of the bar's close in UTC, Monday 0 to Sunday 6", (0, 6)),
)

FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _FIELDS})
