"""Momentum: how far and how steadily a price has moved."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import series, window
from tb.vocabulary.reference import dispersion, order, recursion, sums

FAMILY = "momentum"

FUNCTIONS = (
    Function(
        name="rsi",
        family=FAMILY,
        parameters=(series(), window(default=14)),
        unit=unit_rules.number,
        window=look_back.bars_and_previous,
        kernel="recursion:rsi",
        reference=recursion.rsi,
        doc="relative strength index, 0 to 100: the share of gains in Wilder's averages of gains and losses; "
        "unknown while x has not moved at all",
        source="Wilder, New Concepts in Technical Trading Systems, 1978",
        example="rsi(close, 14)",
        state=lambda _: 8,
        unstable=look_back.wilder_fades,
        output_range=(0, 100),
    ),
    Function(
        name="macd",
        family=FAMILY,
        parameters=(series(), window("fast", 12), window("slow", 26), window("signal", 9)),
        unit=unit_rules.same,
        outputs=("line", "signal", "histogram"),
        window=look_back.macd,
        kernel="recursion:macd",
        reference=recursion.macd,
        doc="line: ema(x, fast) - ema(x, slow); signal: the ema of line; histogram: line - signal",
        source="Appel 1979",
        example="macd(close).histogram > 0",
        state=lambda _: 9,
        unstable=look_back.macd_fades,
    ),
    Function(
        name="change",
        family=FAMILY,
        parameters=(series(), window(default=1)),
        unit=unit_rules.ratio,
        window=look_back.bars_and_previous,
        kernel="sums:change",
        reference=sums.change,
        doc="x / x[n] - 1, the change over n bars; only these two bars matter",
        source="rate of change",
        example="change(close, 24h) > 5%",
    ),
    Function(
        name="momentum",
        family=FAMILY,
        parameters=(series(), window(default=10)),
        unit=unit_rules.same,
        window=look_back.bars_and_previous,
        kernel="sums:momentum",
        reference=sums.momentum,
        doc="x - x[n], the difference over n bars; only these two bars matter",
        source="momentum",
        example="momentum(close, 10) > 0",
    ),
    Function(
        name="stochastic",
        family=FAMILY,
        parameters=(window("n", 14), window("k", 3), window("d", 3)),
        implicit=("high", "low", "close"),
        unit=unit_rules.number,
        outputs=("k", "d"),
        window=look_back.stochastic,
        kernel="order:stochastic",
        reference=order.stochastic,
        doc="k: where the close lies between the lowest low (0) and the highest high (100) of n bars, averaged over k bars; "
        "d: the mean of k over d bars; unknown where the range is zero",
        source="Lane 1984, slow stochastic",
        example="stochastic(14, 3, 3).k < 20",
        output_range=(0, 100),
    ),
    Function(
        name="williams_r",
        family=FAMILY,
        parameters=(window(default=14),),
        implicit=("high", "low", "close"),
        unit=unit_rules.number,
        window=look_back.bars,
        kernel="order:williams_r",
        reference=order.williams_r,
        doc="where the close lies between the highest high (0) and the lowest low (-100) of n bars; "
        "unknown where the range is zero",
        source="Williams 1973",
        example="williams_r(14) < -80",
        output_range=(-100, 0),
    ),
    Function(
        name="cci",
        family=FAMILY,
        parameters=(window(default=20, low=2),),
        implicit=("high", "low", "close"),
        unit=unit_rules.number,
        window=look_back.bars,
        kernel="dispersion:cci",
        reference=dispersion.cci,
        doc="commodity channel index: distance of the typical price (high + low + close) / 3 from its mean over n bars, in "
        "units of 0.015 mean absolute deviations; unknown where the deviation is zero",
        source="Lambert 1980",
        example="cci(20) > 100",
    ),
)
