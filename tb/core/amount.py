"""Quantities as people write them in YAML: `5%`, `60bps`, `250k USD`, `72h`, `2 bars`, `2.5R`, `20`.

The same spelling as a number in a rule. The value is exact and in base units: a ratio as a fraction, money in its currency, a
duration in milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from tb.core.time import UNITS
from tb.core.units import BARS, DURATION, NUMBER, RATIO, R, Unit, money

_AMOUNT = re.compile(r"([+-]?)(\d+(?:_\d+)*(?:\.\d+)?|\.\d+)([kMB])?\s*(%|bps|bars?|R|[A-Z][A-Z0-9]{2,9}|[wdhms])?", re.ASCII)
_SCALES = {"k": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_DIGITS = 28  # as many as the arithmetic of decisions carries


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact value in base units, what it measures, and the text that said so."""

    value: Decimal
    unit: Unit
    text: str


def parse_amount(text: str) -> Amount | None:
    """The amount a text says, or None where it says none, or one of more than 28 digits."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    sign, digits, scale, unit = found.groups()
    if len(digits) > _DIGITS:
        return None
    number = Decimal(sign + digits.replace("_", "")) * _SCALES.get(scale, 1)
    match unit:
        case None:
            return Amount(number, NUMBER, text)
        case "%":
            return Amount(number.scaleb(-2), RATIO, text)
        case "bps":
            return Amount(number.scaleb(-4), RATIO, text)
        case "bar" | "bars":
            return Amount(number, BARS, text)
        case "R":
            return Amount(number, R, text)
        case "w" | "d" | "h" | "m" | "s":
            length = number * UNITS[unit]
            return Amount(length, DURATION, text) if length == length.to_integral_value() else None
        case _:
            return Amount(number, money(unit), text)
