"""Values as people read them, escaped for HTML: separators, units, a true minus sign, no noise of floating point.

Whatever came from a user passes through `text`, which also takes away characters that could reorder or hide what is around.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tb.core.time import DAY, HOUR, MINUTE, SECOND, show_instant
from tb.replay.figures import Metric

NONE = "n/a"
MINUS = "\N{MINUS SIGN}"
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # control, format (direction), surrogate, private use, line separators


def text(value: object) -> str:
    """Any value as escaped text, for content and quoted attributes."""
    shown = "".join(_visible(character) for character in str(value))
    return html.escape(shown, quote=True)


def _visible(character: str) -> str:
    if character in "\n\t\r":
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _UNSAFE else character


def fixed(value: float | Decimal, digits: int, *, signed: bool = False) -> str:
    """`1,234.50`; a value that rounds to zero has no sign."""
    shown = f"{value:,.{digits}f}"
    if not shown.strip("-0.,"):
        return shown.lstrip("-")
    if shown.startswith("-"):
        return MINUS + shown[1:]
    return f"+{shown}" if signed else shown


def trimmed(value: float | Decimal, digits: int) -> str:
    """Like `fixed`, without trailing zeros."""
    shown = fixed(value, digits)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def percent_digits(ticks: Sequence[float]) -> int:
    """The fewest digits, at most 3, with which `ratio` shows each of these round values as it is: 1 for -2.5% beside -5%."""
    return next((d for d in range(3) if all(abs(round(t * 100.0, d) - t * 100.0) < 1e-9 for t in ticks)), 3)


def ratio(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """`12.34%`."""
    return NONE if value is None else fixed(value * 100.0, digits, signed=signed) + "%"


def money(value: float | Decimal | None, currency: str, *, signed: bool = False) -> str:
    """`12,345.67 USD`; the currency is escaped. Small amounts keep two significant digits."""
    if value is None:
        return NONE
    return f"{_amount(value, signed)} {text(currency)}".rstrip()


def _amount(value: float | Decimal, signed: bool) -> str:
    size = abs(float(value))
    digits = 2 if size == 0 or size >= 1 else min(_places(size, 2), 8)
    return fixed(value, max(digits, 2), signed=signed)


def price(value: Decimal | float | None) -> str:
    """Six significant digits and at least two decimals: `64,210.35`, `0.0712345`."""
    if value is None:
        return NONE
    least = 2 if abs(float(value)) >= 1 else 0
    digits = max(_places(abs(float(value)), 6), least)
    shown = trimmed(value, digits)
    decimals = len(shown.partition(".")[2])
    return fixed(value, least) if decimals < least else shown


def _places(size: float, significant: int) -> int:
    """Decimals that show so many significant digits of a positive size, at most 12."""
    if size == 0:
        return 0
    leading = Decimal(size).adjusted()
    return min(max(significant - 1 - leading, 0), 12)


def quantity(value: Decimal) -> str:
    """At most eight decimals, no trailing zeros."""
    return trimmed(value, 8)


def duration(milliseconds: float | None) -> str:
    """The two largest units: `3 d 4 h`, `5 h 20 min`, `40 s`."""
    if milliseconds is None:
        return NONE
    left = round(milliseconds)
    parts: list[str] = []
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count:,} {name}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 s"


def instant(at: int | None) -> str:
    """`2024-01-01 05:00`, in UTC."""
    return NONE if at is None else show_instant(at).rstrip("Z").replace("T", " ")


def day(at: int) -> str:
    return show_instant(at)[:10]


def metric(value: Metric, currency: str) -> str:
    """The value of a metric in its unit."""
    amount = value.value
    if amount is None:
        return NONE
    match value.unit:
        case "ratio":
            return ratio(amount)
        case "money":
            return money(amount, currency)
        case "duration":
            return duration(amount)
        case "count":
            return fixed(amount, 0)
        case "R":
            return f"{fixed(amount, 2, signed=True)} R"
        case "bps":
            return f"{fixed(amount, 1)} bps"
        case "number":
            return fixed(amount, 2) if abs(amount) >= 0.1 or amount == 0 else _tiny(amount)


def _tiny(amount: float) -> str:
    return fixed(amount, 4) if abs(amount) >= 0.0001 else ("&lt; 0.0001" if amount > 0 else f"&gt; {MINUS}0.0001")


def anything(value: object) -> str:
    """A value of a summary: numbers with separators, names as they are, collections as their parts."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return fixed(Decimal(value), 0)
        case float() | Decimal():
            return trimmed(value, 4) if value == 0 or abs(float(value)) >= 1 else price(value)
        case None:
            return NONE
        case Mapping():
            return ", ".join(f"{text(key)} {anything(part)}" for key, part in value.items())
        case list() | tuple():
            return ", ".join(anything(part) for part in value)
        case _:
            return text(value)
