"""Moving averages."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import series, window
from tb.vocabulary.reference import averages, recursion

FAMILY = "moving average"

FUNCTIONS = (
    Function(
        name="sma",
        family=FAMILY,
        parameters=(series(), window()),
        unit=unit_rules.same,
        window=look_back.bars,
        kernel="averages:mean",
        reference=averages.mean,
        doc="simple moving average: the mean of the last n values",
        source="arithmetic mean",
        example="sma(close, 20)",
    ),
    Function(
        name="ema",
        family=FAMILY,
        parameters=(series(), window()),
        unit=unit_rules.same,
        window=look_back.bars,
        kernel="recursion:ema",
        reference=recursion.ema,
        doc="exponential moving average: weight 2 / (n + 1) for the newest value, started from the mean of the first n",
        source="Hunter 1986; started as TA-Lib and TradingView start it",
        example="ema(close, 20)",
        state=lambda _: 3,
        unstable=look_back.ema_fades,
    ),
    Function(
        name="wma",
        family=FAMILY,
        parameters=(series(), window()),
        unit=unit_rules.same,
        window=look_back.bars,
        kernel="averages:wma",
        reference=averages.wma,
        doc="weighted moving average: weights 1 to n from the oldest value to the newest",
        source="linear weights",
        example="wma(close, 20)",
    ),
    Function(
        name="rma",
        family=FAMILY,
        parameters=(series(), window()),
        unit=unit_rules.same,
        window=look_back.bars,
        kernel="recursion:rma",
        reference=recursion.rma,
        doc="Wilder's moving average: weight 1 / n for the newest value, started from the mean of the first n",
        source="Wilder, New Concepts in Technical Trading Systems, 1978",
        example="rma(close, 14)",
        state=lambda _: 3,
        unstable=look_back.rma_fades,
    ),
    Function(
        name="hma",
        family=FAMILY,
        parameters=(series(), window(low=2)),
        unit=unit_rules.same,
        window=look_back.hull,
        kernel="averages:hma",
        reference=averages.hma,
        doc="Hull moving average: wma over sqrt(n) bars of 2 wma(x, n/2) - wma(x, n); n/2 and sqrt(n) rounded down",
        source="Hull 2005",
        example="hma(close, 16)",
    ),
    Function(
        name="vwap",
        family=FAMILY,
        parameters=(window(),),
        implicit=("high", "low", "close", "volume"),
        unit=unit_rules.price,
        window=look_back.bars,
        kernel="averages:vwap",
        reference=averages.vwap,
        doc="mean of the typical price (high + low + close) / 3 over n bars, weighted by volume; unknown where nothing traded",
        source="volume-weighted average price over a rolling window",
        example="vwap(24)",
        output_range=(0, None),
    ),
)
