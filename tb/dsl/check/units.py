"""Which units may meet, and what comes of their arithmetic.

Every rule of the unit algebra stands here once. A function returns the resulting unit, or None where the two do not go
together; the caller reports it. A literal 0 has unit ANY; a literal 1 may meet a ratio (`1 + 2%`).
"""

from __future__ import annotations

from decimal import Decimal

from tb.core.encode import plain
from tb.core.units import ANY, NUMBER, PRICE, QUANTITY, QUOTIENT, RATIO, Kind, Unit, money
from tb.dsl.checked import Const, Expr

_PLAIN = {Kind.NUMBER, Kind.RATIO, Kind.QUOTIENT}
NUMERIC = _PLAIN | {Kind.PRICE, Kind.MONEY, Kind.QUANTITY, Kind.DURATION, Kind.BARS, Kind.TIME, Kind.R, Kind.ANY}


def meet(left: Unit, right: Unit) -> Unit | None:
    """The unit two values share when they are compared, added or listed together."""
    if left.kind is Kind.ANY:
        return right
    if right.kind is Kind.ANY:
        return left
    if left == right:
        return left
    kinds = {left.kind, right.kind}
    if kinds == {Kind.DURATION, Kind.BARS}:
        return left if left.kind is Kind.DURATION else right
    if Kind.QUOTIENT in kinds and kinds <= _PLAIN:
        return left if right.kind is Kind.QUOTIENT else right
    return None


def added(left: Expr, right: Expr) -> Unit | None:
    """Of `left + right` and `left - right`."""
    shared = meet(left.unit, right.unit)
    if shared is not None:
        quotients = Kind.QUOTIENT in (left.unit.kind, right.unit.kind)
        return QUOTIENT if quotients and shared.kind in _PLAIN else shared
    kinds = {left.unit.kind, right.unit.kind}
    if kinds == {Kind.NUMBER, Kind.RATIO} and (_is_one(left) or _is_one(right)):
        return QUOTIENT
    return None


def multiplied(left: Unit, right: Unit, currency: str) -> Unit | None:
    """Of `left * right` and `share of whole`."""
    if ANY in (left, right):
        return ANY
    for scale, other in ((left, right), (right, left)):
        if scale.kind is Kind.NUMBER and other.kind in NUMERIC:
            return other
    for scale, other in ((left, right), (right, left)):
        if scale.kind in {Kind.RATIO, Kind.QUOTIENT} and other.kind in NUMERIC:
            return other
    if {left.kind, right.kind} == {Kind.PRICE, Kind.QUANTITY}:
        return money(currency) if left.tag is None or right.tag is None or left.tag == right.tag else None
    return None


def divided(left: Unit, right: Unit) -> Unit | None:
    """Of `left / right`."""
    if right.kind is Kind.ANY or left.kind is Kind.ANY:
        return ANY
    if left.kind is right.kind:
        same = NUMBER if left.kind in {Kind.NUMBER, Kind.DURATION, Kind.BARS} else QUOTIENT
        if left.kind is Kind.MONEY and left.tag != right.tag:
            return None
        return same if left.kind in NUMERIC else None
    if right.kind in _PLAIN and left.kind in NUMERIC:
        return QUOTIENT if left.kind in _PLAIN else left
    if left.kind is Kind.MONEY and right.kind is Kind.PRICE:
        return Unit(QUANTITY.kind, right.tag)
    if left.kind is Kind.MONEY and right.kind is Kind.QUANTITY:
        return Unit(PRICE.kind, right.tag)
    return None


def retagged(unit: Unit, symbol: str) -> Unit:
    """The unit of a value taken from another instrument: `close of BTC-USD` is a price of BTC-USD."""
    if unit.kind in {Kind.PRICE, Kind.QUANTITY} and unit.tag is None:
        return Unit(unit.kind, symbol)
    return unit


def mismatch_hint(left: Expr, right: Expr, currency: str) -> str:
    """The edit that most likely mends `left <op> right`."""
    for value, other in ((left, right), (right, left)):
        if not isinstance(value, Const) or value.origin is not None:
            continue
        written = value.text
        match value.unit.kind, other.unit.kind:
            case Kind.NUMBER, Kind.RATIO:
                return percent_hint(value)
            case Kind.RATIO, Kind.NUMBER:
                return f"write `{written.rstrip('%').removesuffix('bps')}`: the other side is a plain number"
            case Kind.RATIO, Kind.MONEY:
                return f"write `{written} of equity`"
            case Kind.NUMBER, Kind.MONEY:
                return f"write `{written} {other.unit.tag or currency}`"
            case ((Kind.NUMBER | Kind.MONEY), Kind.PRICE):
                amount = written.split()[0]
                symbol = other.unit.tag or "BTC-USD"
                base, quote = _pair(symbol)
                named = "" if other.unit.tag else f" and name the instrument, as in `close of {symbol}`"
                return f"a price is money for one unit: write `{amount} {quote}/{base}`{named}"
            case Kind.RATIO, Kind.PRICE:
                return f"write `{written} of close`, or compare a change: `change(close, 24h)`"
            case Kind.MONEY, Kind.RATIO:
                return "the other side is a share: write `60bps` or `0.6%`"
            case Kind.NUMBER, (Kind.DURATION | Kind.BARS):
                return f"write `{written}h` or `{written} bars`"
            case _:
                continue
    if {left.unit.kind, right.unit.kind} == {Kind.PRICE, Kind.MONEY}:
        return "multiply the price by a quantity, or compare it with a price"
    if {left.unit.kind, right.unit.kind} == {Kind.PRICE}:
        return "prices of two instruments do not compare; divide each by its own mean, or compare changes"
    if {left.unit.kind, right.unit.kind} == {Kind.MONEY}:
        return "the two are in different currencies"
    return "both sides must measure the same thing"


def percent_hint(value: Const, of: str = "") -> str:
    """The edit where a percent sign is missing. Below 1 a number may be a fraction or a percentage, a hundred times apart."""
    if isinstance(value.value, Decimal) and 0 < abs(value.value) < 1 and value.unit == NUMBER:
        fraction, percentage = f"`{plain(value.value * 100)}%{of}`", f"`{value.text}%{of}`"
        return f"write {fraction} if `{value.text}` is a fraction, {percentage} if it is a percentage"
    return f"write `{value.text}%{of}`"


def _pair(symbol: str) -> tuple[str, str]:
    base, _, quote = symbol.replace("_", "-").partition("-")
    return base, quote or "USD"


def _is_one(value: Expr) -> bool:
    return isinstance(value, Const) and value.value == Decimal(1) and value.unit == NUMBER


_PHRASES = {
    Kind.QUOTIENT: "a ratio",
    Kind.DURATION: "a length of time",
    Kind.BARS: "a number of bars",
    Kind.TIME: "an instant",
    Kind.INSTRUMENT: "an instrument",
    Kind.R: "a multiple of R",
    Kind.ANY: "a number",
}


def phrase(unit: Unit) -> str:
    """The unit as a sentence names it: `a price`, `money in USD`, `an instrument`."""
    return _PHRASES.get(unit.kind) or (str(unit) if unit.kind is Kind.MONEY else f"a {unit}")


def as_ratio(unit: Unit) -> bool:
    """Whether the unit can stand where a share is wanted."""
    return unit.kind in {RATIO.kind, QUOTIENT.kind, Kind.ANY}
