"""Funding of perpetuals, what longs pay shorts. `funding_rate`, `funding_paid` and `annualised` are said without a function."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import window
from tb.vocabulary.reference import sums

FAMILY = "funding"

FUNCTIONS = (
    Function(
        name="funding_total",
        family=FAMILY,
        parameters=(window(),),
        implicit=("funding_paid",),
        unit=unit_rules.ratio,
        window=look_back.bars,
        kernel="sums:total",
        reference=sums.total,
        doc="what longs paid shorts in the last n bars, as a share of the position: the sum of the rates that fell due, "
        "each once, below zero where shorts paid; unknown where one of them was not recorded",
        source="sum of funding rates, not compounded",
        example="funding_total(7d) > 0.5%",
    ),
)
