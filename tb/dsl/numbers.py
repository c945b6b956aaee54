"""Numbers with their units: from the word in the text to an exact value, and its canonical spelling.

`5 %` is spelled `5%`, `3bars` is `3 bars`, `10k  USD` is `10k USD`; digits and their `_` stay as written.
"""

from __future__ import annotations

import re
from decimal import Decimal

from tb.core.span import Span
from tb.dsl.syntax import Number

MAX_DIGITS = 28  # the precision of every Decimal computation: more digits could not be kept exactly

_NUMBER = re.compile(
    r"(?P<digits>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)"
    r"(?:[ \t]*(?P<plain>%|bps|bars?|pips?|[smhdwR])"
    r"|(?P<magnitude>[kMB])?(?:[ \t]+(?P<currency>[A-Z][A-Z0-9]+(?:/[A-Z][A-Z0-9]+)?))?)"
)
_POWER = {"k": 3, "M": 6, "B": 9}
_SHIFTED = {"": "", "k": "E3", "M": "E6", "B": "E9"}


def read_number(word: str, span: Span) -> Number | None:
    """The number that a NUMBER word of the grammar says; None where it has more digits than can be kept exactly."""
    match = _NUMBER.fullmatch(word)
    if match is None:
        return None
    digits, plain = match["digits"], match["plain"]
    magnitude, currency = match["magnitude"] or "", match["currency"]
    if len(digits.replace("_", "").replace(".", "")) + _POWER.get(magnitude, 0) > MAX_DIGITS:
        return None
    value = Decimal(digits.replace("_", "") + _SHIFTED[magnitude])
    if value.as_tuple().exponent > 0:  # type: ignore[operator]
        value = Decimal(format(value, "f"))
    unit = {"bar": "bars", "pip": "pips"}.get(plain or "", plain) or currency
    return Number(value, unit, spell_number(digits, magnitude, unit, value), span)


def spell_number(digits: str, magnitude: str, unit: str | None, value: Decimal) -> str:
    """The canonical spelling: no space before `%`, `bps`, a time, `R`; one before bars, pips and a currency."""
    if unit is None:
        return digits + magnitude
    if unit in ("bars", "pips"):
        return f"{digits} {unit[:-1] if value == 1 else unit}"
    if unit[0].isupper() and unit != "R":
        return f"{digits}{magnitude} {unit}"
    return digits + unit
