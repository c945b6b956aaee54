"""Two instruments, or any two series, at once."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import series, window
from tb.vocabulary.reference import pairs

FAMILY = "cross-instrument"

FUNCTIONS = (
    Function(
        name="beta",
        family=FAMILY,
        parameters=(
            series("x"),
            series("y"),
            window(low=2),
        ),
        unit=unit_rules.number,
        window=look_back.bars,
        kernel="pairs:beta",
        reference=pairs.beta,
        doc="how far x goes where y goes by 1, over n bars: covariance over the variance of y; unknown where y does not move",
        source="slope of the regression of x on y",
        example="beta(change(close), change(close of BTC-USD), 100) > 1.5",
    ),
    Function(
        name="relative_strength",
        family=FAMILY,
        parameters=(
            series("x"),
            series("y"),
            window(default=20),
        ),
        unit=unit_rules.ratio,
        window=look_back.bars_and_previous,
        kernel="pairs:relative_strength",
        reference=pairs.relative_strength,
        doc="how much further x has come than y in n bars: (x / x[n]) / (y / y[n]) - 1",
        source="relative performance",
        example="relative_strength(close, close of BTC-USD, 24h) > 2%",
    ),
    Function(
        name="spread_zscore",
        family=FAMILY,
        parameters=(
            series("x"),
            series("y"),
            window(low=3),
        ),
        unit=unit_rules.number,
        window=look_back.bars,
        kernel="pairs:spread_zscore",
        reference=pairs.spread_zscore,
        doc="distance of x from where y puts it, in standard deviations (population) of that distance over n bars; y puts "
        "it at its mean plus beta times the distance of y from its own; unknown where a line through both leaves "
        "nothing",
        source="pairs trading; residual of the regression of x on y",
        example="spread_zscore(close, close of BTC-USD, 100) < -2",
    ),
    Function(
        name="tracking_error",
        family=FAMILY,
        parameters=(
            series("x"),
            series("y"),
            window(low=2),
        ),
        unit=unit_rules.ratio,
        window=look_back.bars_and_previous,
        kernel="pairs:tracking_error",
        reference=pairs.tracking_error,
        doc="standard deviation (population) of how much more x changes than y, per bar, over n bars",
        source="standard deviation of active returns",
        example="tracking_error(close, close of BTC-USD, 100) < 1%",
        output_range=(0, None),
    ),
    Function(
        name="lagged_correlation",
        family=FAMILY,
        parameters=(
            series("x"),
            series("y"),
            window(low=2),
            window("lag", 1),
        ),
        unit=unit_rules.number,
        window=look_back.bars_and_lag,
        kernel="pairs:lagged_correlation",
        reference=pairs.lagged_correlation,
        doc="correlation of x with what y was `lag` bars before, over n bars, -1 to 1: whether y leads; unknown where one "
        "of them does not move",
        source="Pearson's coefficient",
        example="lagged_correlation(change(close), change(close of BTC-USD), 100, 1) > 0.3",
        output_range=(-1, 1),
    ),
)
