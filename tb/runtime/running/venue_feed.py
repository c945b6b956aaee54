"""Bars from a venue: each once it has closed, with the best bid and ask as they are then.

INVARIANT: a bar that the venue does not give is none; one that it did not answer about is not known; one that may still change
is not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tb.runtime.ports.exchange import Candle, Exchange, NoAnswer, Quoted
from tb.runtime.ports.feed import Bar, FeedRow, Meanwhile, go_on

_AT_ONCE = 300  # bars of history in one question
_STOPPED = NoAnswer("it was stopped")


class VenueFeed:
    """A `BarFeed` over an `Exchange`. A quote older than `fresh` ms is none."""

    quoted: Collection[str] | None = None  # all bring them
    settles = 2_000

    def __init__(self, exchange: Exchange, *, fresh: int = 60_000) -> None:
        self.name = exchange.name
        self.exchange = exchange
        self.fresh = fresh

    def history(
        self, instruments: Sequence[str], period: int, first: int, last: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Sequence[Bar]] | NoAnswer:
        found: dict[str, list[Bar]] = {symbol: [] for symbol in instruments}
        for symbol in instruments:
            for start in range(first, last, _AT_ONCE * period):
                if not meanwhile():
                    return _STOPPED
                candles = self.exchange.candles(symbol, period, start, min(start + _AT_ONCE * period, last))
                if isinstance(candles, NoAnswer):
                    return candles
                found[symbol] += [_bar(candle, None) for candle in candles]
        return found

    def closed(
        self, instruments: Sequence[str], period: int, start: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Bar | NoAnswer] | NoAnswer:
        candles: dict[str, Candle] = {}
        unanswered: dict[str, NoAnswer] = {}
        for symbol in instruments:
            if not meanwhile():
                return _STOPPED
            answer = self.exchange.candles(symbol, period, start, start + period)
            if isinstance(answer, NoAnswer):
                unanswered[symbol] = answer
            else:
                candles.update((symbol, one) for one in answer if one.start == start)
        if not meanwhile():
            return _STOPPED
        quotes = self._quotes(list(candles), start + period)
        return unanswered | {symbol: _bar(candle, quotes.get(symbol)) for symbol, candle in candles.items()}

    def _quotes(self, instruments: Sequence[str], close: int) -> dict[str, Quoted]:
        answer = self.exchange.quotes(instruments) if instruments else ()
        if isinstance(answer, NoAnswer):
            return {}  # the spread is not known then
        return {one.instrument: one for one in answer if one.at >= close - self.fresh}

    def rows(self, after: int, until: int) -> Sequence[FeedRow]:
        return ()

    def time(self) -> int | NoAnswer:
        return self.exchange.clock()


def _bar(candle: Candle, quote: Quoted | None) -> Bar:
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    sides = (None, None) if quote is None else (float(quote.bid), float(quote.ask))
    return Bar(candle.start, *map(float, prices), *sides)
