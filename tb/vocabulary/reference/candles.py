"""Patterns of one candle, and what patterns are made of.

What is long, short or tiny is told from the ten candles before, near and far from the five before, as in TA-Lib.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tb.vocabulary import look_back
from tb.vocabulary.function import Constants, Reference
from tb.vocabulary.reference.histories import windowed
from tb.vocabulary.reference.oscillators import added


@dataclass(frozen=True, slots=True)
class Candle:
    """`usual_body` and `usual_span` are means of the ten candles before, `near_span` of the five."""

    open: float
    high: float
    low: float
    close: float
    usual_body: float = 0.0
    usual_span: float = 0.0
    near_span: float = 0.0

    @property
    def body(self) -> float:
        return abs(self.close - self.open)

    @property
    def span(self) -> float:
        return self.high - self.low

    @property
    def top(self) -> float:
        return max(self.open, self.close)

    @property
    def bottom(self) -> float:
        return min(self.open, self.close)

    @property
    def upper(self) -> float:
        return self.high - self.top

    @property
    def lower(self) -> float:
        return self.bottom - self.low

    @property
    def rises(self) -> bool:
        return self.close >= self.open

    @property
    def tiny(self) -> float:
        """A length that counts as next to nothing."""
        return 0.1 * self.usual_span

    @property
    def is_long(self) -> bool:
        return self.body > self.usual_body

    @property
    def is_doji(self) -> bool:
        return self.body <= self.tiny


Pattern = Callable[[list[Candle]], tuple[bool, ...]]


def candles(windows: list[list[float]], depth: int) -> list[Candle]:
    """The last `depth` candles of a window of `depth` + 10 bars (or fewer, where nothing is compared with the ones before)."""
    bars = [Candle(*bar) for bar in zip(*windows, strict=True)]
    found = []
    for at in range(len(bars) - depth, len(bars)):
        ten, five = bars[max(at - 10, 0) : at], bars[max(at - 5, 0) : at]
        means = [
            added(values) / len(values) if values else 0.0
            for values in ([c.body for c in ten], [c.span for c in ten], [c.span for c in five])
        ]
        here = bars[at]
        found.append(Candle(here.open, here.high, here.low, here.close, *means))
    return found


def pattern(depth: int, before: int = 10, outputs: int = 1) -> Callable[[Pattern], Reference]:
    """Lift what is said of the last `depth` candles, oldest first, to whole series."""

    def lift(definition: Pattern) -> Reference:
        def reference(_constants: Constants, windows: list[list[float]]) -> list[float]:
            return [1.0 if one else 0.0 for one in definition(candles(windows, depth))]

        reference.__doc__ = definition.__doc__
        return windowed(look_back.exactly(depth + before), outputs)(reference)

    return lift


@pattern(1)
def doji(bars: list[Candle]) -> tuple[bool]:
    return (bars[0].is_doji,)


@pattern(1)
def dragonfly_doji(bars: list[Candle]) -> tuple[bool]:
    (now,) = bars
    return (now.is_doji and now.upper < now.tiny < now.lower,)


@pattern(1)
def gravestone_doji(bars: list[Candle]) -> tuple[bool]:
    (now,) = bars
    return (now.is_doji and now.lower < now.tiny < now.upper,)


@pattern(1)
def long_legged_doji(bars: list[Candle]) -> tuple[bool]:
    (now,) = bars
    return (now.is_doji and (now.lower > now.body or now.upper > now.body),)


@pattern(1)
def spinning_top(bars: list[Candle]) -> tuple[bool]:
    (now,) = bars
    return (now.body < now.usual_body and now.upper > now.body and now.lower > now.body,)


@pattern(1, outputs=2)
def marubozu(bars: list[Candle]) -> tuple[bool, ...]:
    (now,) = bars
    found = now.is_long and now.upper < now.tiny and now.lower < now.tiny
    return found and now.rises, found and not now.rises


@pattern(1, outputs=2)
def belt_hold(bars: list[Candle]) -> tuple[bool, ...]:
    (now,) = bars
    return now.is_long and now.rises and now.lower < now.tiny, now.is_long and not now.rises and now.upper < now.tiny


def _hangs(now: Candle) -> bool:
    """A small body on top of a long shadow."""
    return now.body < now.usual_body and now.lower > now.body and now.upper < now.tiny


def _stands(now: Candle) -> bool:
    """A small body below a long shadow."""
    return now.body < now.usual_body and now.upper > now.body and now.lower < now.tiny


@pattern(2)
def hammer(bars: list[Candle]) -> tuple[bool]:
    before, now = bars
    return (_hangs(now) and now.bottom <= before.low + 0.2 * before.near_span,)


@pattern(2)
def hanging_man(bars: list[Candle]) -> tuple[bool]:
    before, now = bars
    return (_hangs(now) and now.bottom >= before.high - 0.2 * before.near_span,)


@pattern(2)
def inverted_hammer(bars: list[Candle]) -> tuple[bool]:
    before, now = bars
    return (_stands(now) and now.top < before.bottom,)


@pattern(2)
def shooting_star(bars: list[Candle]) -> tuple[bool]:
    before, now = bars
    return (_stands(now) and now.bottom > before.top,)
