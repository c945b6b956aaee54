"""Patterns of several candles, oldest first."""

from __future__ import annotations

from itertools import pairwise

from tb.vocabulary.reference.candles import Candle, pattern


@pattern(2, before=0, outputs=2)
def engulfing(bars: list[Candle]) -> tuple[bool, ...]:
    old, new = bars
    covers = new.top >= old.top and new.bottom <= old.bottom and (new.top > old.top or new.bottom < old.bottom)
    return new.rises and not old.rises and covers, not new.rises and old.rises and covers


def _holds(old: Candle, new: Candle) -> bool:
    return old.is_long and new.top <= old.top and new.bottom >= old.bottom


@pattern(2, outputs=2)
def harami(bars: list[Candle]) -> tuple[bool, ...]:
    old, new = bars
    found = _holds(old, new) and new.body <= new.usual_body
    return found and not old.rises, found and old.rises


@pattern(2, outputs=2)
def harami_cross(bars: list[Candle]) -> tuple[bool, ...]:
    old, new = bars
    found = _holds(old, new) and new.is_doji
    return found and not old.rises, found and old.rises


@pattern(2)
def piercing_line(bars: list[Candle]) -> tuple[bool]:
    old, new = bars
    turns = old.is_long and new.is_long and not old.rises and new.rises
    return (turns and new.open < old.low and old.close + 0.5 * old.body < new.close < old.open,)


@pattern(2)
def dark_cloud_cover(bars: list[Candle]) -> tuple[bool]:
    old, new = bars
    turns = old.is_long and old.rises and not new.rises
    return (turns and new.open > old.high and old.open < new.close < old.close - 0.5 * old.body,)


@pattern(2, outputs=2)
def doji_star(bars: list[Candle]) -> tuple[bool, ...]:
    old, new = bars
    found = old.is_long and new.is_doji
    return found and not old.rises and new.top < old.bottom, found and old.rises and new.bottom > old.top


def _morning(old: Candle, star: Candle, new: Candle) -> bool:
    is_apart = old.is_long and not old.rises and star.top < old.bottom
    return is_apart and new.is_long and new.rises and new.close > old.close + 0.3 * old.body


def _evening(old: Candle, star: Candle, new: Candle) -> bool:
    is_apart = old.is_long and old.rises and star.bottom > old.top
    return is_apart and new.is_long and not new.rises and new.close < old.close - 0.3 * old.body


@pattern(3)
def morning_star(bars: list[Candle]) -> tuple[bool]:
    return (_morning(*bars) and not bars[1].is_long,)


@pattern(3)
def evening_star(bars: list[Candle]) -> tuple[bool]:
    return (_evening(*bars) and not bars[1].is_long,)


@pattern(3)
def morning_doji_star(bars: list[Candle]) -> tuple[bool]:
    return (_morning(*bars) and bars[1].is_doji,)


@pattern(3)
def evening_doji_star(bars: list[Candle]) -> tuple[bool]:
    return (_evening(*bars) and bars[1].is_doji,)


def _marches(old: Candle, new: Candle) -> bool:
    """The next soldier: closes higher, opens within or near the body before, and is not much smaller."""
    starts_near = old.open < new.open <= old.close + 0.2 * old.near_span
    return new.close > old.close and starts_near and new.body > old.body - 0.6 * old.near_span


@pattern(3)
def three_white_soldiers(bars: list[Candle]) -> tuple[bool]:
    are_full = all(one.rises and one.upper < one.tiny for one in bars)
    return (are_full and bars[2].is_long and all(_marches(old, new) for old, new in pairwise(bars)),)


def _descends(old: Candle, new: Candle) -> bool:
    return old.close < new.open < old.open and new.close < old.close


@pattern(4)
def three_black_crows(bars: list[Candle]) -> tuple[bool]:
    white, *crows = bars
    are_full = all(not one.rises and one.lower < one.tiny for one in crows)
    starts = white.rises and white.high > crows[0].close
    return (starts and are_full and all(_descends(old, new) for old, new in pairwise(crows)),)


@pattern(3, outputs=2)
def three_inside(bars: list[Candle]) -> tuple[bool, ...]:
    old, inner, new = bars
    found = old.is_long and not inner.is_long and inner.top < old.top and inner.bottom > old.bottom
    is_bullish = not old.rises and new.rises and new.close > old.open
    return found and is_bullish, found and old.rises and not new.rises and new.close < old.open


@pattern(3, before=0, outputs=2)
def three_outside(bars: list[Candle]) -> tuple[bool, ...]:
    old, outer, new = bars
    found = outer.top > old.top and outer.bottom < old.bottom
    is_bullish = outer.rises and not old.rises and new.close > outer.close
    return found and is_bullish, found and not outer.rises and old.rises and new.close < outer.close
