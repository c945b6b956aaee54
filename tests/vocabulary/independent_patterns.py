"""TA-Lib's formulas of candle patterns. TA-Lib carries running sums, which may tip a tie; none does on these bars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import talib
from independent_formulas import Array, Market, independent
from numpy.typing import NDArray

Candles = Callable[..., NDArray[np.int32]]


def either(name: str, formula: Candles, first: int, flat: float = 0) -> None:
    """A pattern of one kind; it is known from the bar `first` on."""

    @independent(name, by=f"TA-Lib {formula.__name__}", inputs=(), flat=flat)
    def found(m: Market) -> Array:
        signal = formula(m.open, *m.bars)
        return np.where(np.arange(len(signal)) < first - 1, np.nan, (signal != 0).astype(float))


def both(name: str, formula: Candles, first: int, settled: int = 0) -> None:
    """A pattern that is bullish (above zero) or bearish (below)."""

    @independent(name, by=f"TA-Lib {formula.__name__}", inputs=(), flat=(0, 0), settled=settled)
    def found(m: Market) -> tuple[Array, ...]:
        signal = formula(m.open, *m.bars)
        unknown = np.arange(len(signal)) < first - 1
        return np.where(unknown, np.nan, (signal > 0).astype(float)), np.where(unknown, np.nan, (signal < 0).astype(float))


either("doji", talib.CDLDOJI, 11, flat=1)
either("dragonfly_doji", talib.CDLDRAGONFLYDOJI, 11)
either("gravestone_doji", talib.CDLGRAVESTONEDOJI, 11)
either("long_legged_doji", talib.CDLLONGLEGGEDDOJI, 11)
either("spinning_top", talib.CDLSPINNINGTOP, 11)
both("marubozu", talib.CDLMARUBOZU, 11)
both("belt_hold", talib.CDLBELTHOLD, 11)
either("hammer", talib.CDLHAMMER, 12)
either("hanging_man", talib.CDLHANGINGMAN, 12)
either("inverted_hammer", talib.CDLINVERTEDHAMMER, 12)
either("shooting_star", talib.CDLSHOOTINGSTAR, 12)
both("engulfing", talib.CDLENGULFING, 2, settled=2)  # TA-Lib looks at one bar more than it needs
both("harami", talib.CDLHARAMI, 12)
both("harami_cross", talib.CDLHARAMICROSS, 12)
either("piercing_line", talib.CDLPIERCING, 12)
either("dark_cloud_cover", talib.CDLDARKCLOUDCOVER, 12)
both("doji_star", talib.CDLDOJISTAR, 12)
either("morning_star", talib.CDLMORNINGSTAR, 13)
either("evening_star", talib.CDLEVENINGSTAR, 13)
either("morning_doji_star", talib.CDLMORNINGDOJISTAR, 13)
either("evening_doji_star", talib.CDLEVENINGDOJISTAR, 13)
either("three_white_soldiers", talib.CDL3WHITESOLDIERS, 13)
either("three_black_crows", talib.CDL3BLACKCROWS, 14)
both("three_inside", talib.CDL3INSIDE, 13)
both("three_outside", talib.CDL3OUTSIDE, 3, settled=3)


def made_up(length: int = 40_000) -> Market:
    """Bars with gaps, long and small bodies, and shadows of every kind, so that each pattern comes about."""
    rng = np.random.default_rng(11)
    price = 100.0
    rows = []
    for _ in range(length):
        first = price + rng.choice([0.0, 0.3, 1.0]) * rng.normal()
        last = first + rng.choice([0.02, 0.3, 1.0, 2.0]) * rng.normal() - 0.02 * (price - 100.0)
        reach = np.abs(rng.normal(size=2)) * rng.choice([0.0, 0.05, 0.5, 1.5], size=2)
        rows.append((first, max(first, last) + reach[0], min(first, last) - reach[1], last))
        price = last
    columns = np.round(np.array(rows).T, 2)
    return Market(*columns, *np.ones((5, length)))
