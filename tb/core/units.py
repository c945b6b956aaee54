"""Units of values in the rule language, and which of them may meet.

A unit is a kind and, where it matters, a tag: the currency of money, the instrument of a price or quantity. `None` as the
tag of a price or quantity means "of the instrument the rule is looking at". Kinds never convert silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    NUMBER = "number"  # plain: an RSI of 70, a count
    RATIO = "ratio"  # 0.05 written 5% or 500bps
    QUOTIENT = "quotient"  # like divided by like: may meet a number or a ratio
    PRICE = "price"  # quote currency for one unit of an instrument
    MONEY = "money"
    QUANTITY = "quantity"  # units of an instrument
    DURATION = "duration"  # milliseconds
    BARS = "bars"  # a count of bars of the rule's period
    TIME = "time"  # an instant, milliseconds since 1970 UTC
    TRUTH = "truth value"
    INSTRUMENT = "instrument"
    TIER = "tier"
    REGIME = "regime"
    SIGNAL = "signal"  # as a number: conviction, negative where it says short, 0 where it says nothing
    R = "R"  # multiples of the initial risk of a position
    TEXT = "text"
    LIST = "list of instruments"
    ANY = "any"  # the literal 0, and what follows an error already reported


@dataclass(frozen=True, slots=True)
class Unit:
    kind: Kind
    tag: str | None = None

    def __str__(self) -> str:
        match self.kind:
            case Kind.MONEY:
                return f"money in {self.tag}" if self.tag else "money"
            case Kind.PRICE:
                return f"price of {self.tag}" if self.tag else "price"
            case Kind.QUANTITY:
                return f"quantity of {self.tag}" if self.tag else "quantity"
            case _:
                return str(self.kind.value)


NUMBER = Unit(Kind.NUMBER)
RATIO = Unit(Kind.RATIO)
QUOTIENT = Unit(Kind.QUOTIENT)
PRICE = Unit(Kind.PRICE)
QUANTITY = Unit(Kind.QUANTITY)
DURATION = Unit(Kind.DURATION)
BARS = Unit(Kind.BARS)
TIME = Unit(Kind.TIME)
TRUTH = Unit(Kind.TRUTH)
INSTRUMENT = Unit(Kind.INSTRUMENT)
TIER = Unit(Kind.TIER)
REGIME = Unit(Kind.REGIME)
SIGNAL = Unit(Kind.SIGNAL)
R = Unit(Kind.R)
TEXT = Unit(Kind.TEXT)
LIST = Unit(Kind.LIST)
ANY = Unit(Kind.ANY)


def money(currency: str) -> Unit:
    return Unit(Kind.MONEY, currency)
