"""Volume: how much trading stands behind a price."""

from __future__ import annotations

from tb.vocabulary import look_back, unit_rules
from tb.vocabulary.function import Function
from tb.vocabulary.functions.arguments import window
from tb.vocabulary.reference import recursion, sums

FAMILY = "volume"

FUNCTIONS = (
    Function(
        name="volume_usd",
        family=FAMILY,
        parameters=(window(),),
        implicit=("close", "volume"),
        unit=unit_rules.us_dollars,
        window=look_back.bars,
        kernel="sums:volume_usd",
        reference=sums.volume_usd,
        doc="sum of close times volume over n bars, for instruments quoted in USD",
        source="traded value",
        example="volume_usd(24h) >= 20M USD",
        output_range=(0, None),
    ),
    Function(
        name="obv",
        family=FAMILY,
        parameters=(),
        implicit=("close", "volume"),
        unit=unit_rules.quantity,
        window=look_back.one,
        kernel="recursion:obv",
        reference=recursion.obv,
        doc="on-balance volume: volume added where the close rises and taken off where it falls, from 0 at the first bar; its "
        "level depends on where the data begins, only its moves mean something",
        source="Granville 1963",
        example="obv() > sma(obv(), 20)",
        state=lambda _: 3,
    ),
    Function(
        name="mfi",
        family=FAMILY,
        parameters=(window(default=14),),
        implicit=("high", "low", "close", "volume"),
        unit=unit_rules.number,
        window=look_back.bars_and_previous,
        kernel="sums:mfi",
        reference=sums.mfi,
        doc="money flow index, 0 to 100: the share of n bars' traded value at a rising typical price (high + low + close) / 3; "
        "unknown where nothing moved",
        source="Quong and Soudack 1989",
        example="mfi(14) < 20",
        output_range=(0, 100),
    ),
)
