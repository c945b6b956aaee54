"""Days, times of day and instants: from the words of the grammar to exact values, or a mistake where no calendar has them."""

from __future__ import annotations

from datetime import date, time

from tb.dsl import syntax
from tb.dsl.reading import Node, Reading

WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS = {**{day: (day,) for day in WEEK}, "weekdays": WEEK[:5], "weekends": WEEK[5:]}


def build_date(token: Node, reading: Reading) -> syntax.Date:
    span = reading.span(token)
    year, month, day = (int(part) for part in token.split("-"))
    try:
        value = date(year, month, day)
    except ValueError:
        reading.mistake("TB032", f"the calendar has no day `{token}`", span, "write year, month and day, as in `2026-12-31`")
        value = date(2000, 1, 1)
    return syntax.Date(value, span)


def build_clock(token: Node, reading: Reading) -> syntax.Clock:
    span = reading.span(token)
    hour, minute = (int(part) for part in token.split(":"))
    if hour > 23 or minute > 59:
        hint = "write `00:00` for midnight" if hour == 24 else "write hours and minutes, as in `16:30`"
        reading.mistake("TB032", f"no clock shows `{token}`", span, hint)
        hour = minute = 0
    return syntax.Clock(time(hour, minute), span)


def build_instant(tree: Node, reading: Reading) -> syntax.Instant:
    """`from 2026-12-31`, `to 2026-12-31 08:00`: what stands after the first word."""
    day = build_date(tree.children[1], reading)
    clock = build_clock(tree.children[2], reading) if len(tree.children) > 2 else None
    return syntax.Instant(day, clock, day.span.to(clock.span) if clock is not None else day.span)


def build_days(tokens: list[Node], reading: Reading) -> tuple[str, ...]:
    """Days of the week in its order, each once."""
    found: set[str] = set()
    for token in tokens:
        days = _DAYS.get(str(token))
        if days is None:
            near = next((day for day in WEEK if str(token).lower().startswith(day.lower())), "")
            hint = f"write `{near}`" if near else "write `weekdays`, `weekends`, or days such as `Mon, Tue`"
            reading.mistake("TB032", f"`{token}` is no day of the week", reading.span(token), hint)
        elif found & set(days):
            reading.mistake("TB018", f"`{token}` is said twice", reading.span(token), "remove one of the two")
        found.update(days or ())
    return tuple(day for day in WEEK if day in found)
