"""Instants and durations as text, and where a trading day begins. UTC throughout, no clock.

An instant is milliseconds since 1970 UTC, a duration is milliseconds. Text that is neither gives None; the caller knows where
it stood and says so.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

# units of duration, longest first
UNITS: dict[str, int] = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d|[+-]\d\d)?)?",
    re.ASCII,
)
_DURATION = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*([wdhms])", re.ASCII)


def parse_instant(text: str) -> int | None:
    """`2024-01-01`, `2024-01-01T05:00`, `2024-01-01 05:00:30Z`, `2024-01-01T05:00+02:00` as ms; without an offset it is UTC.

    Fractions of a second count to the millisecond; finer ones than that give None, as does a date that does not exist.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    digits = (fraction or "").ljust(3, "0")
    if digits[3:].strip("0"):
        return None
    ahead = _offset(offset)
    if ahead is None:
        return None
    try:
        clock = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    except ValueError:
        return None
    return (clock - _EPOCH) // _MILLISECOND + int(digits[:3]) - ahead


def _offset(text: str | None) -> int | None:
    """How far a clock with this offset is ahead of UTC, in ms; None where it is more than a day."""
    if text is None or text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        return None
    ahead = hours * HOUR + minutes * MINUTE
    return -ahead if text[0] == "-" else ahead


def show_instant(ms: int) -> str:
    """`2024-01-01T05:00Z`; seconds and milliseconds only where there are any. Years 1 to 9999."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    if ms % SECOND:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % SECOND:03d}Z".rjust(24, "0")
    if ms % MINUTE:
        return f"{moment:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")
    return f"{moment:%Y-%m-%dT%H:%M}Z".rjust(17, "0")


def parse_duration(text: str) -> int | None:
    """`72h`, `90m`, `1.5h`, `2w` as ms; None for anything else, and where it is not a whole number of ms."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or len(found[1]) > 18:
        return None
    length = Decimal(found[1].replace("_", "")) * UNITS[found[2]]
    return int(length) if length == length.to_integral_value() else None


def show_duration(ms: int) -> str:
    """In the longest unit that divides it: `3d`, `90m`, `1w`, `250ms`."""
    for name, length in UNITS.items():
        if ms and ms % length == 0:
            return f"{ms // length}{name}"
    return f"{ms}ms" if ms else "0s"


def parse_since(text: str, end: int, zone: ZoneInfo) -> int | None:
    """Where a span that ends at `end` begins: an instant, a length of time back from it (`7d`), `today`, `yesterday`, or the
    latest day of that name that began before the end (`Tuesday`, `tue`); days are those of the zone. None for all else.
    """
    word = text.strip().lower()
    length = parse_duration(word)
    if length is not None:
        return end - length
    day = _day(end - 1, zone)
    if word in {"today", "yesterday"}:
        return _midnight(day - timedelta(days=word == "yesterday"), zone)
    names = [name for name in _WEEKDAYS if len(word) >= 3 and name.startswith(word)]
    if names:
        return _midnight(day - timedelta(days=(day.weekday() - _WEEKDAYS.index(names[0])) % 7), zone)
    return parse_instant(text)


def day_start(ms: int, zone: ZoneInfo) -> int:
    """The start of the day, in that zone, to which the instant belongs: the latest local midnight not after it.

    Days cut time into stretches without gap or overlap, through changes of the clock too: a midnight that comes twice counts
    when it comes first, one that is skipped counts at the change.
    """
    return ms - ms % DAY if zone.key == "UTC" else _midnight(_day(ms, zone), zone)


def next_day_start(ms: int, zone: ZoneInfo) -> int:
    """The start of the day after; always later than the instant."""
    if zone.key == "UTC":
        return ms - ms % DAY + DAY
    day = _day(ms, zone)
    while True:
        day += timedelta(days=1)
        start = _midnight(day, zone)
        if start > ms:
            return start


def day_end(day: date, zone: ZoneInfo) -> int:
    """The first instant, in that zone, after a day of the calendar."""
    return _midnight(day + timedelta(days=1), zone)


def _day(ms: int, zone: ZoneInfo) -> date:
    # clocks that go back or forward across midnight put an instant next to the day that its local date names
    day = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone).date() + timedelta(days=1)
    while _midnight(day, zone) > ms:
        day -= timedelta(days=1)
    return day


@lru_cache(maxsize=64)
def _midnight(day: date, zone: ZoneInfo) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - _EPOCH) // _MILLISECOND
