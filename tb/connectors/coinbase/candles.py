"""Closed bars of Coinbase: periods, pages, and what a candle has to be.

A page asks for 300 bars, which every version of the venue's limit (300, 350) allows. A bar without a trade is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tb.connectors.coinbase.wire import Fields, Unreadable, not_negative, positive, whole
from tb.core.time import DAY, HOUR, MINUTE
from tb.runtime.ports.exchange import Candle

GRANULARITIES: Mapping[int, str] = {
    MINUTE: "ONE_MINUTE",
    5 * MINUTE: "FIVE_MINUTE",
    15 * MINUTE: "FIFTEEN_MINUTE",
    30 * MINUTE: "THIRTY_MINUTE",
    HOUR: "ONE_HOUR",
    2 * HOUR: "TWO_HOUR",
    6 * HOUR: "SIX_HOUR",
    DAY: "ONE_DAY",
}
PAGE = 300  # bars


def pages(period: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The first and the last start of each page, oldest first, of bars that start in `first <= start < last`."""
    start = -(-first // period) * period
    while start < last:
        end = min(start + (PAGE - 1) * period, (last - 1) // period * period)
        yield start, end
        start = end + period


def page_query(period: int, start: int, end: int) -> list[tuple[str, str]]:
    return [("start", str(start // 1000)), ("end", str(end // 1000)), ("granularity", GRANULARITIES[period])]


def candles_of(rows: list[Fields], period: int, start: int, end: int) -> tuple[Candle, ...]:
    """The bars of a page, oldest first; what lies outside of it is left out. Raises Unreadable for a bar that cannot be."""
    found: dict[int, Candle] = {}
    for row in rows:
        candle = _candle(row, period)
        if not start <= candle.start <= end or not candle.volume:
            continue
        if found.setdefault(candle.start, candle) != candle:
            raise Unreadable(f"there are two candles with `start` {candle.start // 1000}")
    return tuple(found[at] for at in sorted(found))


def _candle(row: Fields, period: int) -> Candle:
    candle = Candle(
        start=whole(row, "start") * 1000,
        open=positive(row, "open"),
        high=positive(row, "high"),
        low=positive(row, "low"),
        close=positive(row, "close"),
        volume=not_negative(row, "volume"),
    )
    if candle.start % period:
        raise Unreadable(f"`start` {candle.start // 1000} is not the start of a candle")
    if not candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high:
        raise Unreadable(f"the candle with `start` {candle.start // 1000} has an `open` or `close` outside `low` and `high`")
    return candle
