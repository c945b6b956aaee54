"""Recorded bars as a running session would have got them: each at its close, on a clock that goes as fast as it is asked."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tb.engine.bars import Bars
from tb.replay.data import Market
from tb.runtime.ports.feed import Bar, FeedRow, Meanwhile, go_on


@dataclass(slots=True)
class SimulatedClock:
    """A clock that starts at an instant (ms) and runs at `speed` times real time; unbounded, it is where it is waited for."""

    at: int
    speed: float = math.inf
    _begun: float = field(default_factory=time.monotonic)
    _passed: int = 0

    def steady(self) -> int:
        if math.isinf(self.speed):
            return self._passed
        return int((time.monotonic() - self._begun) * 1000 * self.speed)

    def now(self) -> int:
        return self.at + self.steady()

    def wait(self, span: int) -> None:
        if math.isinf(self.speed):
            self._passed += span
        else:
            time.sleep(min(span / 1000 / self.speed, 0.05))


class Playback:
    """A `BarFeed` over a recorded market."""

    settles = 0

    def __init__(self, market: Market) -> None:
        self.name = market.folder
        self.market = market
        self.quoted: Collection[str] | None = frozenset(symbol for symbol, bars in market.bars.items() if bars.bid is not None)
        self._rows = sorted(
            (
                FeedRow(feed, symbol, int(known), _known(float(raw)))
                for (feed, symbol), rows in market.feeds.items()
                for known, raw in zip(rows.known, rows.raw, strict=True)
            ),
            key=lambda row: row.known,
        )

    def history(
        self, instruments: Sequence[str], period: int, first: int, last: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Sequence[Bar]]:
        found = {}
        for symbol in instruments:
            if symbol in self.market.bars:
                bars = self.market.bars[symbol]
                start, stop = (int(bars.time.searchsorted(at)) for at in (first, last))
                found[symbol] = [bar_of(bars, row) for row in range(start, stop)]
        return found

    def closed(self, instruments: Sequence[str], period: int, start: int, meanwhile: Meanwhile = go_on) -> Mapping[str, Bar]:
        found = {}
        for symbol in instruments:
            bars = self.market.bars.get(symbol)
            row = -1 if bars is None else int(bars.time.searchsorted(start))
            if bars is not None and row < len(bars) and bars.time[row] == start:
                found[symbol] = bar_of(bars, row)
        return found

    def rows(self, after: int, until: int) -> Sequence[FeedRow]:
        return [row for row in self._rows if after < row.known <= until]

    def time(self) -> None:
        return None


def bar_of(bars: Bars, row: int) -> Bar:
    """One recorded bar as it would have come."""
    quote = (None, None) if bars.bid is None or bars.ask is None else (bars.bid[row], bars.ask[row])
    values = (bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row], *quote)
    return Bar(int(bars.time[row]), *(None if value is None else _known(float(value)) for value in values))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
