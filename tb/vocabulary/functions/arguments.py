"""How the tables write arguments."""

from __future__ import annotations

from tb.core.units import Kind
from tb.vocabulary.function import Parameter
from tb.vocabulary.look_back import LONGEST_WINDOW

PLAIN = (Kind.NUMBER, Kind.RATIO, Kind.QUOTIENT)  # no money, no price: their squares and angles mean nothing


def series(name: str = "x", *kinds: Kind) -> Parameter:
    """A value for each bar, of the kinds given (none: any numeric kind)."""
    return Parameter(name, kinds=kinds)


def window(name: str = "n", default: int | None = None, low: int = 1) -> Parameter:
    """A count of bars."""
    return Parameter(name, is_constant=True, is_window=True, default=default, low=low, high=LONGEST_WINDOW)


def factor(name: str, default: float, low: float = 0.0, high: float = 1000.0) -> Parameter:
    """A plain number, from 0 up where nothing else is said."""
    return Parameter(name, is_constant=True, default=default, low=low, high=high)
