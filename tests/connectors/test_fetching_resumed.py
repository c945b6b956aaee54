"""However often fetching is interrupted, and in whatever pieces: the same bars as in one go, and none asked for twice."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tb.connectors.fetching import fetch
from tb.connectors.stored_bars import Origin, read_stored
from tb.core.diagnostics import Refused
from tb.core.time import HOUR
from tb.runtime.ports.exchange import Candle, NoAnswer, Rules

D = Decimal
BARS = 1_500  # five pages
ORIGIN = Origin("fake", "here", "BTC-USD", HOUR)


def has_bar(number: int) -> bool:
    return number % 7 != 3 and not 400 <= number < 600


@dataclass
class FakeVenue:
    """Bars by number, with holes; the calls whose turn it is do not answer."""

    failing: set[int] = field(default_factory=set)
    calls: int = 0
    answered: list[tuple[int, int]] = field(default_factory=list)

    def rules(self, instruments: Any) -> Any:
        return {name: Rules(name, "BTC", "USD", D(1), D(1), None, None, None, None, "open") for name in instruments}

    def clock(self) -> int:
        return BARS * HOUR + 1

    def candles(self, instrument: str, period: int, first: int, last: int) -> Any:
        self.calls += 1
        if self.calls in self.failing:
            return NoAnswer("not now")
        self.answered.append((first // HOUR, last // HOUR))
        numbers = range(first // HOUR, last // HOUR)
        return tuple(Candle(one * HOUR, D(1), D(2), D(1), D(1), D(one + 1)) for one in numbers if has_bar(one))


@dataclass
class Interruption:
    """Ctrl-C before the page of that number."""

    page: int

    def __call__(self, done: int, _total: int) -> None:
        if done == self.page:
            raise KeyboardInterrupt


# no span without any bar: of those there is no file, so they are asked for again
spans = st.tuples(st.integers(0, BARS - 330), st.integers(330, BARS)).map(lambda pair: (pair[0], min(BARS, pair[0] + pair[1])))
runs = st.lists(st.tuples(spans, st.integers(0, 6), st.sets(st.integers(1, 8), max_size=3)), max_size=6)


@settings(max_examples=40)
@given(runs)
def test_pieces_make_the_whole(pieces: list[tuple[tuple[int, int], int, set[int]]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answered: list[tuple[int, int]] = []
        for (first, last), page, failing in pieces:
            venue = FakeVenue({one for start in failing for one in range(start, start + 5)})
            with suppress(KeyboardInterrupt, Refused):
                fetch(venue, ORIGIN, (first * HOUR, last * HOUR), folder, told=Interruption(page), pause=lambda _: None)  # type: ignore[arg-type]
            answered += venue.answered
        venue = FakeVenue()
        done = fetch(venue, ORIGIN, (0, BARS * HOUR), folder)  # type: ignore[arg-type]
        answered += venue.answered
        stored = read_stored(folder / "BTC-USD.parquet", ORIGIN)
    there = [one for one in range(BARS) if has_bar(one)]
    assert stored.times(0, BARS * HOUR) == [one * HOUR for one in there]
    assert stored.frame is not None
    assert stored.frame["volume"].to_list() == [one + 1 for one in there]
    assert sum(gap.bars for gap in done.gaps) == BARS - len(there)
    # nothing that was answered is asked for again, but what may not have been told yet at the very end
    asked = sorted(answered)
    assert all(before[1] <= after[0] or before[0] >= BARS - 1 for before, after in pairwise(asked))
    assert (asked[0][0], asked[-1][1]) == (0, BARS)
