"""Volatility: how widely a price moves."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import factor, series, window
from tb.vocabulary.reference import dispersion, order, recursion, sums

FAMILY = "volatility"

FUNCTIONS = (
    Function(
        name="stdev",
        family=FAMILY,
        parameters=(series(), window(low=2)),
        unit=unit_rules.same,
        window=look_back.bars,
        kernel="dispersion:stdev",
        reference=dispersion.stdev,
        doc="standard deviation of the last n values (population: divided by n)",
        source="population standard deviation, as in Bollinger bands",
        example="stdev(close, 20)",
        output_range=(0, None),
    ),
    Function(
        name="true_range",
        family=FAMILY,
        parameters=(),
        implicit=("high", "low", "close"),
        unit=unit_rules.price,
        window=look_back.two,
        kernel="sums:true_range",
        reference=sums.true_range,
        doc="the greatest of high - low and the distances of high and low from the close before; unknown at the first bar",
        source="Wilder, New Concepts in Technical Trading Systems, 1978",
        example="true_range() > 2 * atr(14)",
        output_range=(0, None),
    ),
    Function(
        name="atr",
        family=FAMILY,
        parameters=(window(default=14),),
        implicit=("high", "low", "close"),
        unit=unit_rules.price,
        window=look_back.bars_and_previous,
        kernel="recursion:atr",
        reference=recursion.atr,
        doc="average true range: rma(true_range(), n)",
        source="Wilder, New Concepts in Technical Trading Systems, 1978",
        example="atr(14)",
        state=lambda _: 5,
        unstable=look_back.wilder_fades,
        output_range=(0, None),
    ),
    Function(
        name="bollinger",
        family=FAMILY,
        parameters=(series(), window(default=20, low=2), factor("k", 2.0)),
        unit=unit_rules.same,
        outputs=("middle", "upper", "lower"),
        window=look_back.bars,
        kernel="dispersion:bollinger",
        reference=dispersion.bollinger,
        doc="middle: sma(x, n); upper and lower: k standard deviations (population) above and below it",
        source="Bollinger 1983",
        example="close > bollinger(close, 20, 2).upper",
    ),
    Function(
        name="donchian",
        family=FAMILY,
        parameters=(window(default=20),),
        implicit=("high", "low"),
        unit=unit_rules.price,
        outputs=("upper", "lower", "middle"),
        window=look_back.bars,
        kernel="order:donchian",
        reference=order.donchian,
        doc="upper: highest high of n bars, this one included; lower: lowest low; middle: halfway between",
        source="Donchian channel",
        example="close > donchian(20).upper[1]",
        output_range=(0, None),
    ),
    Function(
        name="volatility",
        family=FAMILY,
        parameters=(series(), window(low=2)),
        unit=unit_rules.ratio,
        window=look_back.bars_and_previous,
        kernel="dispersion:volatility",
        reference=dispersion.volatility,
        doc="standard deviation (population) of the last n logarithmic returns, per bar; unknown where x is not above zero",
        source="historical volatility, not annualised",
        example="volatility(close, 24) < 2%",
        output_range=(0, None),
    ),
)
