"""The marked equity of a run as a curve: its daily closes, its months and its drawdowns.

Marks may be sparse. Between two marks equity is the earlier one, carried forward; nothing is interpolated. All instants are
milliseconds since 1970 UTC; a mark exactly at midnight closes the day (and the month) that ends there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tb.core.time import DAY
from tb.replay.figures import Drawdown, Month

Points = Sequence[tuple[int, "Decimal | float"]]


@dataclass(frozen=True, slots=True)
class Curve:
    """Equity at ascending instants. The first point is the start of the run at its initial equity; the last is its end."""

    times: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def first(self) -> int:
        return self.times[0]

    @property
    def last(self) -> int:
        return self.times[-1]

    @property
    def initial(self) -> float:
        return self.values[0]

    @property
    def final(self) -> float:
        return self.values[-1]


def curve(points: Points, initial: Decimal | float, first: int | None, last: int | None) -> Curve:
    """The curve from `first` to `last` (default: the first and last point, 0 without any).

    Of several points at one instant the last counts. Raises ValueError for descending instants, for points outside the span,
    for a value that is not finite, and for initial equity that is not positive: each means that the caller is wrong.
    """
    start = first if first is not None else points[0][0] if points else 0
    end = last if last is not None else points[-1][0] if points else start
    times, values = [start], [float(initial)]
    if not 0.0 < values[0] < float("inf"):
        raise ValueError("initial equity must be positive")
    for at, value in points:
        if at < times[-1] or at > max(start, end):
            raise ValueError(f"equity at {at} is out of order or outside the run")
        amount = float(value)
        if not abs(amount) < float("inf"):
            raise ValueError(f"equity at {at} is not a finite number")
        if at == times[-1] and len(times) > 1:
            values[-1] = amount
        else:
            times.append(at)
            values.append(amount)
    if times[-1] < end:
        times.append(end)
        values.append(values[-1])
    return Curve(tuple(times), tuple(values))


def daily(line: Curve, *, weekdays_only: bool) -> list[tuple[int, float]]:
    """The start, then equity at the end of each UTC day, then the end of the run (which may close a partial day).

    `weekdays_only` leaves out the ends of Saturdays and Sundays, so that a market closed then does not add days of no change.
    """
    closes = [(line.first, line.initial)]
    index, count = 0, len(line.times)
    end = (line.first // DAY + 1) * DAY
    while True:
        while index + 1 < count and line.times[index + 1] <= end:
            index += 1
        if end >= line.last:
            closes.append((line.last, line.final))
            return closes
        weekend = (end // DAY - 1 + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        if not (weekdays_only and weekend):
            closes.append((end, line.values[index]))
        end += DAY


def months(line: Curve) -> list[Month]:
    """Return of each calendar month of the run, the partial ones at both ends included."""
    closes: dict[tuple[int, int], float] = {}
    for at, value in zip(line.times[1:], line.values[1:], strict=True):
        closes[_month(max(at - 1, line.first))] = value
    found = []
    key, final = _month(line.first), _month(max(line.last - 1, line.first))
    opening = line.initial
    while key <= final:
        closing = closes.get(key, opening)
        found.append(Month(year=key[0], month=key[1], value=closing / opening - 1.0 if opening > 0.0 else None))
        opening = closing
        key = (key[0] + 1, 1) if key[1] == 12 else (key[0], key[1] + 1)
    return found


def _month(at: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.year, moment.month


def drawdowns(line: Curve) -> list[Drawdown]:
    """Every fall below an earlier peak, in order of time. Depth is capped at 1, where equity below zero would exceed it."""
    found: list[Drawdown] = []
    peak_at, peak = line.first, line.initial
    trough_at, trough = peak_at, peak
    for at, value in zip(line.times, line.values, strict=True):
        if value >= peak:
            if trough < peak:
                found.append(_fall(peak_at, peak, trough_at, trough, at))
            peak_at, peak = at, value
            trough_at, trough = at, value
        elif value < trough:
            trough_at, trough = at, value
    if trough < peak:
        found.append(_fall(peak_at, peak, trough_at, trough, None))
    return found


def _fall(peak_at: int, peak: float, trough_at: int, trough: float, recovered: int | None) -> Drawdown:
    depth = min((peak - trough) / peak, 1.0)
    return Drawdown(peak=peak_at, trough=trough_at, recovered=recovered, depth=depth, money=peak - trough)


def underwater(values: Sequence[float]) -> list[float]:
    """For each value its distance below the highest so far, as a share of that, 0..1. The first value must be positive."""
    peak, depths = values[0], []
    for value in values:
        peak = max(peak, value)
        depths.append(min((peak - value) / peak, 1.0))
    return depths
