"""Exact numbers in columns: whole numbers with the decimals each is written with; Decimals where somebody reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tb.engine.instant import EXACT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DIGITS = 18  # of `low`
_TEN: int = 10**DIGITS
_TENS = np.array([float(10**power) for power in range(100)])


@cache
def step(decimals: int) -> Decimal:
    """One of the last decimal."""
    return Decimal((0, (1,), -decimals))


@dataclass(eq=False)
class Numbers(Sequence[Any]):
    """Number k is (high[k] * 10**18 + low[k]) / 10**decimals[k], written with so many decimals. Both parts have its sign; a
    number up to 18 digits has no `high` (None: none has). Where `is_price`, 0 says that there is none."""

    high: Ints | None
    low: Ints
    decimals: Ints
    is_price: bool = False

    def __len__(self) -> int:
        return len(self.low)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> Numbers: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            high = None if self.high is None else self.high[at]
            return Numbers(high, self.low[at], self.decimals[at], self.is_price)
        return self.listed[at]

    def at(self, which: Ints) -> Numbers:
        """Some of them."""
        high = None if self.high is None else self.high[which]
        return Numbers(high, self.low[which], self.decimals[which], self.is_price)

    @classmethod
    def joined(cls, parts: Sequence[Numbers]) -> Numbers:
        """Those of several columns, one after the other."""
        highs = [np.zeros(len(one), dtype=np.int64) if one.high is None else one.high for one in parts]
        high = None if all(one.high is None for one in parts) else np.concatenate(highs)
        low, decimals = (np.concatenate([getattr(one, name) for one in parts]) for name in ("low", "decimals"))
        return cls(high, low, decimals, parts[0].is_price)

    def take_over(self, k: int, other: Numbers) -> None:
        """Number k becomes that of another column; both have all their digits in columns."""
        assert self.high is not None
        assert other.high is not None
        self.high[k], self.low[k], self.decimals[k] = other.high[k], other.low[k], other.decimals[k]
        for name in ("listed", "floats"):
            vars(self).pop(name, None)

    def one(self, at: int) -> Any:
        """Number `at`, and none of the others unless they are there already."""
        return self.listed[at] if "listed" in vars(self) else self[at : at + 1].listed[0]

    @cached_property
    def listed(self) -> list[Any]:
        """All of them, made at once."""
        steps = map(step, self.decimals.tolist())
        if self.is_price and not self.low.any():
            return [None] * len(self)
        whole = self.low.tolist() if self.high is None else map(_joined, self.high.tolist(), self.low.tolist())
        found: list[Decimal | None] = list(map(EXACT.multiply, map(Decimal, whole), steps))
        return [one or None for one in found] if self.is_price and not self.low.all() else found

    @cached_property
    def floats(self) -> Floats:
        """The nearest float of each or one next to it; NaN where there is none."""
        whole = self.low.astype(np.float64) if self.high is None else self.high * float(_TEN) + self.low
        if len(self) and int(self.decimals.min()) < 0:
            by = _TENS[np.abs(self.decimals)]
            found: Floats = np.where(self.decimals < 0, whole * by, whole / by)
        else:
            found = whole / _TENS[self.decimals]
        if self.is_price:
            found[self.low == 0] = np.nan
        return found


def _joined(high: int, low: int) -> int:
    return high * _TEN + low


def columns_of(numbers: Sequence[Decimal]) -> tuple[Ints, Ints, Ints]:
    """High, low and decimals of numbers with at most 28 digits."""
    rows = []
    for number in numbers:
        sign, digits, exponent = number.as_tuple()
        assert isinstance(exponent, int)
        whole = int("".join(map(str, digits)))
        high, low = divmod(whole, _TEN)
        rows.append((-high, -low, -exponent) if sign else (high, low, -exponent))
    found = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return found[:, 0], found[:, 1], found[:, 2]
