"""The equity curve of a session while it grows: points taken one by one, and many at once where prices alone moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb.core.curve import pack, pack_held
from tb.core.records import Curve

POINTS = 65_536  # of a record
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Columns = tuple[Ints, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Points in stretches in which the same is held. Equity is the cash of a stretch and its quantity (negative where it is
    owed) at the price of each point; `prices` are whole numbers with so many `decimals`, or floats where that is None."""

    times: Ints
    lengths: Ints  # points of each stretch
    cash: Floats
    quantity: Floats
    prices: NDArray[np.int32] | Floats
    decimals: int | None

    def __len__(self) -> int:
        return len(self.times)

    def cut(self, begin: int, end: int) -> Holdings:
        """The points from one to before another."""
        ends = np.cumsum(self.lengths)
        which = slice(int(ends.searchsorted(begin, side="right")), int(ends.searchsorted(end)) + 1)
        until = np.minimum(ends[which], end)
        lengths = until - np.maximum(ends[which] - self.lengths[which], begin)
        points = slice(begin, end)
        return Holdings(self.times[points], lengths, self.cash[which], self.quantity[which], self.prices[points], self.decimals)

    def columns(self) -> _Columns:
        """Instants, equity and exposure."""
        prices = self.prices if self.decimals is None else self.prices / 10.0**self.decimals
        worth = np.repeat(self.quantity, self.lengths) * prices
        return self.times, np.repeat(self.cash, self.lengths) + worth, np.abs(worth)


_Part = _Columns | Holdings


@dataclass(slots=True)
class EquityCurve:
    """Points in order of time, handed out in records of `POINTS`. Truthy where there are some that were not handed out."""

    _count: int = 0  # of points in parts
    _parts: list[_Part] = field(default_factory=list)
    _times: list[int] = field(default_factory=list)  # of the points that came since the last part
    _equity: list[float] = field(default_factory=list)
    _exposure: list[float] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._parts or self._times)

    @property
    def pending(self) -> int:
        """How many points were not handed out."""
        return self._count + len(self._times)

    def note(self, at: int, equity: Decimal, exposure: Decimal) -> None:
        self._times.append(at)
        self._equity.append(float(equity))
        self._exposure.append(float(exposure))

    def note_stretch(self, times: NDArray[np.int64], equity: Floats, exposure: Floats) -> None:
        """Points at consecutive instants, later than those before."""
        self._gather()
        self._parts.append((times, equity, exposure))
        self._count += len(times)

    def note_holdings(self, held: Holdings) -> None:
        """Points at consecutive instants, later than those before, by what is held; there may be none."""
        self._gather()
        self._parts += [held] if len(held) else []
        self._count += len(held)

    def _gather(self) -> None:
        if self._times:
            self._parts.append((np.array(self._times, dtype=np.int64), np.array(self._equity), np.array(self._exposure)))
            self._count += len(self._times)
            self._times, self._equity, self._exposure = [], [], []

    def full(self) -> list[Curve]:
        """Records of `POINTS` each, while there are as many; they are not kept any longer."""
        if self.pending < POINTS:
            return []
        self._gather()
        found = []
        while self._count >= POINTS:
            found.append(_packed(self._taken(POINTS)))
        # copies, so that what was handed out can go
        self._parts = [_copied(part) for part in self._parts]
        return found

    def _taken(self, count: int) -> list[_Part]:
        """The first points, which are not kept any longer."""
        taken, self._count = list[_Part](), self._count - count
        while count:
            part = self._parts.pop(0)
            size = len(part) if isinstance(part, Holdings) else len(part[0])
            if size > count:
                self._parts.insert(0, _cut(part, count, size))
                part, size = _cut(part, 0, count), count
            taken.append(part)
            count -= size
        return taken

    def record(self) -> Curve:
        """The points that were not handed out as one record. Raises ValueError where there is none."""
        self._gather()
        if not self._parts:
            raise ValueError("a curve has at least one point")
        return _packed(self._parts)

    def hand_out(self) -> Curve:
        """As `record`, and the points are not kept any longer. Raises ValueError where there is none."""
        found = self.record()
        self._count, self._parts, self._times, self._equity, self._exposure = 0, [], [], [], []
        return found


def _cut(part: _Part, begin: int, end: int) -> _Part:
    if isinstance(part, Holdings):
        return part.cut(begin, end)
    times, equity, exposure = part
    return times[begin:end], equity[begin:end], exposure[begin:end]


def _copied(part: _Part) -> _Part:
    if isinstance(part, Holdings):
        flat = part.lengths.copy(), part.cash.copy(), part.quantity.copy()
        return Holdings(part.times.copy(), *flat, part.prices.copy(), part.decimals)
    times, equity, exposure = part
    return times.copy(), equity.copy(), exposure.copy()


def _joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _packed(parts: Sequence[_Part]) -> Curve:
    """Parts as one record: by what is held, where all of them are."""
    held = [part for part in parts if isinstance(part, Holdings)]
    if len(held) == len(parts) and len({part.decimals for part in held}) == 1:
        return _packed_held(held)
    columns = [part.columns() if isinstance(part, Holdings) else part for part in parts]
    times, equity, exposure = map(_joined, zip(*columns, strict=True))
    runs, rows = _runs(times), len(times)
    return pack(runs, _bytes(equity, "<f8"), _bytes(exposure, "<f8"), int(times[0]), int(times[-1]), rows)


def _packed_held(parts: Sequence[Holdings]) -> Curve:
    decimals, times = parts[0].decimals, _joined([part.times for part in parts])
    lengths = _bytes(_joined([part.lengths for part in parts]), "<u4")
    cash, quantity = (_bytes(_joined([getattr(part, name) for part in parts]), "<f8") for name in ("cash", "quantity"))
    prices = _bytes(_joined([part.prices for part in parts]), "<f8" if decimals is None else "<i4")
    span = int(times[0]), int(times[-1])
    return pack_held(_runs(times), lengths, cash, quantity, prices, decimals, len(times), span)


def _runs(times: Ints) -> tuple[memoryview, memoryview]:
    """The steps from instant to instant, the first from 0, and how often each follows itself."""
    steps = np.diff(times, prepend=0)
    begins = np.r_[0, 1 + np.flatnonzero(steps[1:] != steps[:-1])]
    return _bytes(steps[begins], "<i8"), _bytes(np.diff(begins, append=len(steps)), "<i8")


def _bytes(column: NDArray[Any], kind: str) -> memoryview:
    return np.ascontiguousarray(column, dtype=kind).data.cast("B")
