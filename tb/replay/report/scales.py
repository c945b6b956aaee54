"""Axes: where a value stands between the ends of its axis, and which round values are written beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from tb.core.time import DAY, HOUR, MINUTE

WIDE = 5.0  # a price that grows by more than this is drawn on a logarithmic axis


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high`, as shares 0..1 from left to right or bottom to top; outside values stick to the ends."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(max(value, low))
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round values within the scale, three to six."""
        if self.logarithmic:
            for factors in ((1.0,), (1.0, 2.0, 5.0)):
                found = [value for value in _decades(self.low, self.high, factors) if self.low <= value <= self.high]
                if len(found) >= 3:
                    return found
        step = _round(abs(self.high - self.low) / 5.0)
        first = math.ceil(self.low / step - 1e-9)
        return [index * step for index in range(first, first + 12) if index * step <= self.high + step * 1e-9]


def scale(values: list[float], *, zero: bool = False, may_be_logarithmic: bool = False) -> Scale:
    """A scale around all values with a little room; `zero` makes it start or end at zero."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if may_be_logarithmic and low > 0.0 and high / low > WIDE:
        return Scale(low * 0.94, high * 1.06, logarithmic=True)
    room = (high - low) * 0.05
    if room <= abs(high) * 1e-9:
        room = abs(high) * 0.01 or 1.0
    if zero:
        return Scale(0.0 if low >= 0.0 else low - room, high + room if high > 0.0 else 0.0)
    return Scale(low - room, high + room)


def _round(step: float) -> float:
    """The nearest of 1, 2, 2.5, 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= step * (1.0 - 1e-9))


def _decades(low: float, high: float, factors: tuple[float, ...]) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [factor * 10.0**power for power in range(first, last + 1) for factor in factors]


@dataclass(frozen=True, slots=True)
class Tick:
    at: int
    label: str
    is_minor: bool  # may be left out where there is little room


def instants(first: int, last: int) -> list[Tick]:
    """At most ten round instants of a span, in UTC, with labels as coarse as their distance."""
    for step in (5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR):
        if (last - first) // step < 8:
            return [Tick(at, _clock(at), at // step % 2 == 1) for at in range(-(-first // step) * step, last + 1, step)]
    for step in (DAY, 2 * DAY, 4 * DAY, 7 * DAY):
        if (last - first) // step < 8:
            return [
                Tick(at, f"{_moment(at):%d %b}", at // step % 2 == 1) for at in range(-(-first // step) * step, last + 1, step)
            ]
    return _calendar(first, last)


def _clock(at: int) -> str:
    return f"{_moment(at):%d %b}" if at % DAY == 0 else f"{_moment(at):%H:%M}"


def _calendar(first: int, last: int) -> list[Tick]:
    beginning, end = _moment(first), _moment(last)
    months = (end.year - beginning.year) * 12 + end.month - beginning.month
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60, 120, 240) if months / s < 10), 1200)
    found: list[Tick] = []
    place = beginning.year * 12 + beginning.month - 1
    place += -place % step
    while True:
        moment = datetime(place // 12, place % 12 + 1, 1, tzinfo=UTC)
        at = int(moment.timestamp()) * 1000
        if at > last:
            return found
        if at >= first:
            found.append(Tick(at, f"{moment:%Y}" if step >= 12 else f"{moment:%b %Y}", place // step % 2 == 1))
        place += step


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
