"""Sessions of the calendar, and what rules ask of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tb.core.span import Span
from tb.core.units import Unit


@dataclass(frozen=True, slots=True)
class Session:
    """Hours of a calendar: `start` and `end` as `08:00`, names of days, days left out as ISO text."""

    name: str
    start: str
    end: str
    zone: str
    days: tuple[str, ...]
    closed: tuple[str, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class During:
    """The bar closes inside the session; always known."""

    session: Session
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SessionTime:
    """`time_since_open(london)`, `time_to_close(london)`: in ms at a close inside the session, unknown outside."""

    session: Session
    since: bool
    unit: Unit
    span: Span = field(compare=False)
