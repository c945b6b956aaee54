"""Candles of any granularity from the recorded bars, up to the simulated now and not a price further.

The last candle is the one that is still growing, as the venue shows it: whoever wants closed ones has to leave it out.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tb.connectors.sandbox.answers import Json
from tb.connectors.sandbox.recording import Bar, Series
from tb.core.encode import plain
from tb.core.time import DAY, HOUR, MINUTE, SECOND

GRANULARITIES = {
    "ONE_MINUTE": MINUTE,
    "FIVE_MINUTE": 5 * MINUTE,
    "FIFTEEN_MINUTE": 15 * MINUTE,
    "THIRTY_MINUTE": 30 * MINUTE,
    "ONE_HOUR": HOUR,
    "TWO_HOUR": 2 * HOUR,
    "FOUR_HOUR": 4 * HOUR,
    "SIX_HOUR": 6 * HOUR,
    "ONE_DAY": DAY,
}
MOST = 350


def candles_json(series: Series, period: int, first: int, last: int, now: int) -> list[Json]:
    """Candles that start in `first <= start <= last`, newest first; one without a trade is left out. `period` is a multiple of
    the recording's."""
    begin = -(-first // period) * period
    found = [
        candle
        for start in range(begin, min(last, now) + 1, period)
        if (candle := _candle(series, start, period, now)) is not None
    ]
    return found[::-1]


def _candle(series: Series, start: int, period: int, now: int) -> Json | None:
    places = series.places(start, min(start + period - 1, now))
    if not places:
        return None
    newest = places[-1]
    closed = newest if now >= series.starts[newest] + series.period else newest - 1
    parts = [series.together(places[0], closed)] if closed >= places[0] else []
    if closed < newest:
        parts.append(_so_far(series, newest, now))
    return {
        "start": str(start // SECOND),
        "low": plain(min(part.low for part in parts)),
        "high": plain(max(part.high for part in parts)),
        "open": plain(parts[0].open),
        "close": plain(parts[-1].close),
        "volume": plain(sum((part.volume for part in parts), Decimal(0))),
    }


def _so_far(series: Series, place: int, now: int) -> Bar:
    """A bar as far as time has come."""
    bar = series.bar(place)
    seen = [price for at, price in series.points(place) if at <= now]
    close = round(series.inside(place, now), 8)
    volume = round(bar.volume * (now - bar.start) / series.period, 8)
    return replace(bar, high=max(*seen, close), low=min(*seen, close), close=close, volume=volume)
