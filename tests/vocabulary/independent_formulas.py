"""The table that every function has to be in: how somebody else computes it, and what it says of a market that does not move.

A formula is TA-Lib's or a plain one over whole columns, written without looking at the kernels. It gives a column for each
output, as long as the market, NaN where it has no value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb.vocabulary.function import Constants, Function

Array = NDArray[np.float64]
BARS = 12_000
UNKNOWN = "unknown"
PRICE = "price"
Flat = float | str  # a number, PRICE (the price that never changes), or UNKNOWN


@dataclass(frozen=True)
class Market:
    """Recorded bars in columns; `other` is the close of another instrument at the same instants; `rising`: close > open."""

    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    other: Array
    rising: Array
    day_number: Array
    funding_paid: Array

    def rows(self, names: tuple[str, ...]) -> Array:
        return np.array([getattr(self, name) for name in names])

    @property
    def typical(self) -> Array:
        return (self.high + self.low + self.close) / 3

    @property
    def bars(self) -> tuple[Array, Array, Array]:
        return self.high, self.low, self.close


Formula = Callable[[Market], Array | tuple[Array, ...]]


@dataclass(frozen=True)
class Independent:
    """How a function is compared.

    `inputs` are the columns given for its series arguments. From the bar `settled` on the two must be equal within `rtol` (a
    share of the value) or `atol`; before it, TA-Lib begins an average elsewhere, and that has to fade. Without `settled` they
    are equal from the first bar on, unknown at the same bars. `flat` says what each output is where no price ever moves.
    """

    name: str
    constants: Constants
    formula: Formula
    by: str
    inputs: tuple[str, ...]
    flat: tuple[Flat, ...]
    settled: int
    rtol: float
    atol: float

    def columns(self, market: Market) -> Array:
        found = self.formula(market)
        return np.array(found if isinstance(found, tuple) else (found,), dtype=np.float64)

    def rows(self, function: Function, market: Market) -> Array:
        return market.rows((*function.implicit, *self.inputs))


INDEPENDENT: dict[str, Independent] = {}


def independent(
    name: str,
    *constants: float,
    by: str = "NumPy",
    flat: Flat | tuple[Flat, ...],
    inputs: tuple[str, ...] = ("close",),
    settled: int = 0,
    rtol: float = 1e-9,
    atol: float = 1e-9,
) -> Callable[[Formula], Formula]:
    """Enter a formula into the table."""

    def enter(formula: Formula) -> Formula:
        assert name not in INDEPENDENT, f"`{name}` is compared twice"
        flats = flat if isinstance(flat, tuple) else (flat,)
        INDEPENDENT[name] = Independent(name, constants, formula, by, inputs, flats, settled, rtol, atol)
        return formula

    return enter


def windows(x: Array, n: int) -> Array:
    """All windows of n values, oldest first."""
    return sliding_window_view(x, n)


def late(values: Array, length: int = BARS) -> Array:
    """Values of the last bars, with unknown ones put before them."""
    return np.concatenate([np.full(length - len(values), np.nan), values])


def shifted(x: Array, n: int) -> Array:
    return np.concatenate([np.full(n, np.nan), x[: len(x) - n]])


def rolling(x: Array, n: int, what: Callable[..., Array]) -> Array:
    """`what` of each window of n values; unknown where one of them is."""
    return late(what(windows(x, n), axis=1), len(x))


def smoothed(x: Array, n: int, weight: float) -> Array:
    """The mean of the first n known values, then a recursive average, through polars."""
    start = int(np.argmax(~np.isnan(x)))
    known = x[start:]
    seeded = np.concatenate(([known[:n].mean()], known[n:]))
    return late(pl.Series(seeded).ewm_mean(alpha=weight, adjust=False).to_numpy(), len(x))


def exponential(x: Array, n: int) -> Array:
    return smoothed(x, n, 2 / (n + 1))


def wilder(x: Array, n: int) -> Array:
    return smoothed(x, n, 1 / n)


def true_ranges(market: Market) -> Array:
    """NaN at the first bar."""
    before = shifted(market.close, 1)
    return np.maximum(market.high, before) - np.minimum(market.low, before)
