"""Recorded bars as a price at every millisecond, so that orders can be matched at instants between opens and closes.

Inside a bar the price goes in straight lines from the open to one extreme, to the other, to the close: a third of the bar's
length each, the low first where the bar rose, the high first where it fell. Between bars it stays at the last close. The
price at an instant is that of the new bar where one bar ends and the next begins.

INVARIANT: the price at an instant does not depend on how often or in which order anything was asked.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate, pairwise


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `spread` is half the distance between bid and ask as a part of the price, None where no quote was recorded."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    spread: Decimal | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Bars of one instrument as they are stored: `time` is the start of each in ms UTC, NaN is a value that is not known."""

    time: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    volume: Sequence[float]
    bid: Sequence[float] | None = None
    ask: Sequence[float] | None = None


Level = Callable[[int], Decimal]  # position of a bar -> the price at which something happens inside it


@dataclass(slots=True)
class Series:
    """The bars of one product, of one period in ms. Bars without an open or close are left out, as if nothing was traded."""

    symbol: str
    period: int
    columns: Columns
    shift: int = 0
    starts: list[int] = field(init=False)
    _rows: list[int] = field(init=False)
    _volumes: list[float] = field(init=False)
    _lows: list[float] = field(init=False)
    _highs: list[float] = field(init=False)
    _bars: dict[int, Bar] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        data = self.columns
        known = [math.isfinite(a) and math.isfinite(b) and a > 0 and b > 0 for a, b in zip(data.open, data.close, strict=True)]
        self._rows = [row for row, is_known in enumerate(known) if is_known]
        self.starts = [int(data.time[row]) + self.shift for row in self._rows]
        self._volumes = list(accumulate((_number(data.volume[row]) for row in self._rows), initial=0.0))
        self._lows = [min(data.open[row], data.close[row], _finite(data.low[row], data.close[row])) for row in self._rows]
        self._highs = [max(data.open[row], data.close[row], _finite(data.high[row], data.close[row])) for row in self._rows]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def end(self) -> int:
        """The close of the last bar."""
        return self.starts[-1] + self.period

    def at(self, instant: int) -> int | None:
        """The position of the bar that an instant lies in or after; None before the first."""
        place = bisect_right(self.starts, instant) - 1
        return place if place >= 0 else None

    def bar(self, place: int) -> Bar:
        found = self._bars.get(place)
        if found is None:
            found = self._bars[place] = self._read(place)
        return found

    def _read(self, place: int) -> Bar:
        data, row = self.columns, self._rows[place]
        open_, close = _exact(data.open[row]), _exact(data.close[row])
        high, low = data.high[row], data.low[row]
        return Bar(
            start=self.starts[place],
            open=open_,
            high=max(open_, close, _exact(high)) if math.isfinite(high) else max(open_, close),
            low=min(open_, close, _exact(low)) if math.isfinite(low) else min(open_, close),
            close=close,
            volume=_exact(_number(data.volume[row])),
            spread=_half_spread(data, row),
        )

    def price(self, instant: int) -> Decimal | None:
        """The price at an instant, not rounded; None before the first bar."""
        place = self.at(instant)
        if place is None:
            return None
        return self.inside(place, instant)

    def inside(self, place: int, instant: int) -> Decimal:
        """The price at an instant in a bar or in the quiet time after it."""
        points = self.points(place)
        for (begin, price), (end, then) in pairwise(points):
            if instant < end:
                return price + (then - price) * (instant - begin) / (end - begin)
        return points[-1][1]

    def points(self, place: int) -> tuple[tuple[int, Decimal], ...]:
        """The corners of the path through a bar: instant and price."""
        bar, third = self.bar(place), self.period // 3
        extremes = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
        first, second = bar.start + third, bar.start + 2 * third
        return ((bar.start, bar.open), (first, extremes[0]), (second, extremes[1]), (bar.start + self.period, bar.close))

    def spread(self, place: int) -> Decimal | None:
        """Half the spread as a part of the price inside a bar: as it was quoted at the close before."""
        return self.bar(place - 1).spread if place > 0 else None

    def volume(self, after: int, until: int) -> Decimal:
        """What was traded in the bars that began at or after `after` and closed by `until`."""
        first = bisect_left(self.starts, after)
        last = bisect_right(self.starts, until - self.period)
        return Decimal(repr(round(self._volumes[max(first, last)] - self._volumes[first], 8)))

    def extremes(self, after: int, until: int) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest price of bars that began at or after `after` and closed by `until`, None without one."""
        first, last = bisect_left(self.starts, after), bisect_right(self.starts, until - self.period)
        if first >= last:
            return None
        return _exact(min(self._lows[first:last])), _exact(max(self._highs[first:last]))

    def first_beyond(self, level: Level, after: int, until: int, *, falling: bool) -> int | None:
        """The first instant in `after < t <= until` at which the price is at or below the level (`falling`), or at or above."""
        begin = after + 1
        place = self.at(begin)
        place = 0 if place is None else place
        while place < len(self.starts) and self.starts[place] <= until:
            bar, bound = self.bar(place), level(place)
            if (bar.low <= bound) if falling else (bar.high >= bound):
                found = self._first_inside(place, bound, max(begin, bar.start), until, falling=falling)
                if found is not None:
                    return found
            place += 1
        return None

    def _first_inside(self, place: int, bound: Decimal, begin: int, until: int, *, falling: bool) -> int | None:
        """The first instant of a bar, or of the quiet time after it, from `begin` on, whose price is beyond the bound."""
        next_start = self.starts[place + 1] if place + 1 < len(self.starts) else until + 1
        last = min(until, next_start - 1)

        def is_beyond(instant: int) -> bool:
            price = self.inside(place, instant)
            return price <= bound if falling else price >= bound

        corners = [instant for instant, _ in self.points(place)]
        edges = [begin, *(corner for corner in corners if begin < corner <= last)]
        for index, edge in enumerate(edges):
            if edge > last:
                return None
            if is_beyond(edge):
                return edge
            ahead = edges[index + 1] if index + 1 < len(edges) else last
            if ahead > edge and is_beyond(ahead):
                # the price is monotone between two corners: halve until the first instant beyond is found
                low, high = edge, ahead
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (low, middle) if is_beyond(middle) else (middle, high)
                return high
        return None

    def together(self, first: int, last: int) -> Bar:
        """The bars at positions `first` to `last` (included) as one."""
        rows = slice(first, last + 1)
        begin, end = self.bar(first), self.bar(last)
        return Bar(
            start=begin.start,
            open=begin.open,
            high=_exact(max(self._highs[rows])),
            low=_exact(min(self._lows[rows])),
            close=end.close,
            volume=Decimal(repr(round(self._volumes[last + 1] - self._volumes[first], 8))),
            spread=end.spread,
        )

    def next_start(self, after: int) -> int | None:
        """The start of the first bar later than an instant; None where there is none."""
        place = bisect_right(self.starts, after)
        return self.starts[place] if place < len(self.starts) else None

    def places(self, first: int, last: int) -> range:
        """The bars that start in `first <= start <= last`."""
        return range(bisect_left(self.starts, first), bisect_right(self.starts, last))


def series_of(symbol: str, period: int, start: int, bars: Sequence[tuple[float, float, float, float, float]]) -> Series:
    """Bars without gaps from (open, high, low, close, volume), the first at `start`."""
    columns = list(zip(*bars, strict=True))
    return Series(symbol, period, Columns([start + period * place for place in range(len(bars))], *columns))


def _exact(value: float) -> Decimal:
    """A stored number as its shortest text says it."""
    return Decimal(repr(float(value)))


def _number(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def _finite(value: float, otherwise: float) -> float:
    return float(value) if math.isfinite(value) else float(otherwise)


def _half_spread(data: Columns, row: int) -> Decimal | None:
    if data.bid is None or data.ask is None:
        return None
    bid, ask = data.bid[row], data.ask[row]
    if not (math.isfinite(bid) and math.isfinite(ask) and 0 < bid <= ask):
        return None
    return (_exact(ask) - _exact(bid)) / (_exact(ask) + _exact(bid))
