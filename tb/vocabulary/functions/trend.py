"""Trend: whether a price goes somewhere."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import window
from tb.vocabulary.reference import recursion

FAMILY = "trend"

FUNCTIONS = (
    Function(
        name="adx",
        family=FAMILY,
        parameters=(window(default=14),),
        implicit=("high", "low", "close"),
        unit=unit_rules.number,
        outputs=("adx", "plus_di", "minus_di"),
        window=look_back.adx,
        kernel="recursion:adx",
        reference=recursion.adx,
        doc="adx: strength of the trend, 0 to 100; plus_di and minus_di: upward and downward movement as a share of the true "
        "range, 0 to 100; no directional movement is a strength of 0",
        source="Wilder, New Concepts in Technical Trading Systems, 1978; averages started from the mean of the first n",
        example="adx(14).adx > 25",
        state=lambda _: 16,
        unstable=look_back.adx_fades,
        output_range=(0, 100),
    ),
)
