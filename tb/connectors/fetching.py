"""Fetches bars from a venue into a file: what is missing alone, page by page, kept as it comes.

    1. what of the span is not in the file yet                                          (tb.connectors.stored_bars)
    2. `_page` asks for 300 bars; where there is no answer it asks again, later each time: reading twice does no harm
    3. the file is replaced every hundred pages, at the end, and when it ends early: nothing that came is asked for again
    4. `gaps_between` says which bars of the span are not there

INVARIANT: no bar that had not closed by the venue's clock; a stretch counts as fetched only once the venue answered all of it,
and its last ten minutes only up to the last bar that came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tb.connectors.stored_bars import Origin, Stored, Stretch, read_stored, write_stored
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file
from tb.core.time import MINUTE, show_instant
from tb.runtime.ports.exchange import Candle, Exchange, NoAnswer

NO_ANSWER, UNKNOWN_INSTRUMENT, NOTHING_CLOSED = "TB802", "TB803", "TB805"
PAGE = 300  # bars
KEEP = 100  # pages
ATTEMPTS = 5
SETTLED = 10 * MINUTE
LONGEST_PAUSE = 30.0  # s

T = TypeVar("T")
Told = Callable[[int, int], None]  # pages done, and all of them


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are not there: from the start of the first to the end of the last."""

    first: int
    last: int
    bars: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it. `first` and `last` are the span in whole bars, `bars` how many of it are in the file, `new` those of
    now."""

    origin: Origin
    path: Path
    first: int
    last: int
    bars: int
    new: int
    gaps: tuple[Gap, ...]


def fetch(
    venue: Exchange,
    origin: Origin,
    span: tuple[int, int],
    folder: Path,
    *,
    told: Told | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Bars of an instrument that start in `first <= start < last` and have closed, into `SYMBOL.parquet` of the folder.

    Raises Refused: TB802 where the venue does not answer, TB803 where it does not know the instrument, TB805 where no bar of
    the span has closed, TB804 and TB668 of the file. What came until then is kept.
    """
    path = folder / f"{origin.instrument}.parquet"
    stored = read_stored(path, origin)
    known = _answered(lambda: venue.rules([origin.instrument]), origin, pause)
    if origin.instrument not in known:
        message = f"{origin.venue} does not know `{origin.instrument}`"
        raise Refused(
            [error(UNKNOWN_INSTRUMENT, message, whole_file(origin.instrument), "write it as the venue does: `BTC-USD`")]
        )
    now = _answered(venue.clock, origin, pause)
    first, last = _closed(span, origin.period, now)
    before = len(stored.times(first, last))
    fetching = _Fetching(venue, stored, path, now - SETTLED, pause)
    fetching.run(stored.lacking(first, last), told)
    stored = fetching.stored
    times = stored.times(first, last)
    gaps = gaps_between(times, first, last, origin.period)
    return Fetched(origin, path, first, last, len(times), len(times) - before, gaps)


def _closed(span: tuple[int, int], period: int, now: int) -> tuple[int, int]:
    """The span in whole bars that have closed."""
    first = -(-span[0] // period) * period
    last = min(-(-span[1] // period) * period, now // period * period)
    if first >= last:
        message = f"no bar begins at or after {show_instant(span[0])} and has closed by {show_instant(min(now, span[1]))}"
        raise Refused([error(NOTHING_CLOSED, message, whole_file("--since"), "begin earlier")])
    return first, last


@dataclass(slots=True)
class _Fetching:
    """One run: what came since the file was last replaced waits in `_waiting`, of the stretch from `_since` to `_until`."""

    venue: Exchange
    stored: Stored
    path: Path
    settled: int  # before this instant the venue has told all bars that there will be
    pause: Callable[[float], None]
    _waiting: list[Candle] = field(default_factory=list)
    _since: int = 0
    _until: int = 0

    def run(self, stretches: Sequence[Stretch], told: Told | None) -> None:
        length = PAGE * self.stored.origin.period
        pages = [(start, min(start + length, end)) for begin, end in stretches for start in range(begin, end, length)]
        try:
            for done, (start, end) in enumerate(pages):
                if told is not None:
                    told(done, len(pages))
                if start != self._until:  # the next hole
                    self._add()
                    self._since = start
                self._waiting += self._page(start, end)
                self._until = end
                if (done + 1) % KEEP == 0:
                    self._keep()
            if told is not None and pages:
                told(len(pages), len(pages))
        finally:
            if pages:
                self._keep()

    def _page(self, first: int, last: int) -> Sequence[Candle]:
        origin = self.stored.origin
        candles = _answered(lambda: self.venue.candles(origin.instrument, origin.period, first, last), origin, self.pause)
        return [candle for candle in candles if first <= candle.start < last]

    def _add(self) -> None:
        """Into memory, with the stretch. At its end a bar may be missing because the venue has not told it yet."""
        period = self.stored.origin.period
        told_to = self._waiting[-1].start + period if self._waiting else self._since
        until = min(self._until, max(self.settled // period * period, told_to))
        if until > self._since:
            self.stored = self.stored.with_bars(self._waiting, (self._since, until))
        self._waiting, self._since = [], self._until

    def _keep(self) -> None:
        self._add()
        write_stored(self.path, self.stored)


def _answered(ask: Callable[[], T | NoAnswer], origin: Origin, pause: Callable[[float], None]) -> T:
    """The answer, after as many attempts as it takes, up to `ATTEMPTS`."""
    why = ""
    for attempt in range(ATTEMPTS):
        answer = ask()
        if not isinstance(answer, NoAnswer):
            return answer
        why = answer.why
        if attempt < ATTEMPTS - 1:
            pause(min(max(2.0**attempt, (answer.wait or 0) / 1000), LONGEST_PAUSE))
    message = f"{origin.venue} does not answer: {why}"
    raise Refused([error(NO_ANSWER, message, whole_file(origin.instrument), "run it again later: it goes on where it stopped")])


def gaps_between(times: Sequence[int], first: int, last: int, period: int) -> tuple[Gap, ...]:
    """The stretches of a span without a bar, in order."""
    found = []
    at = first
    for start in [*times, last]:
        if start > at:
            found.append(Gap(at, start, (start - at) // period))
        at = start + period
    return tuple(found)
