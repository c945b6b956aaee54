"""The equity curve of a session while it grows: points taken one by one, and many at once where prices alone moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.core.curve import pack
from tb.core.records import Curve

POINTS = 65_536  # of a record
Floats = NDArray[np.float64]
_Columns = tuple[NDArray[np.int64], Floats, Floats]


@dataclass(slots=True)
class EquityCurve:
    """Points in order of time, handed out in records of `POINTS`. Truthy where there are some that were not handed out."""

    _count: int = 0  # of points in parts
    _parts: list[_Columns] = field(default_factory=list)
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
            found.append(_packed(*_one(self._taken(POINTS))))
        # copies, so that what was handed out can go
        self._parts = [tuple(column.copy() for column in part) for part in self._parts]  # type: ignore[misc]
        return found

    def _taken(self, count: int) -> list[_Columns]:
        """The first points, which are not kept any longer."""
        taken, self._count = list[_Columns](), self._count - count
        while count:
            times, equity, exposure = self._parts.pop(0)
            if len(times) > count:
                self._parts.insert(0, (times[count:], equity[count:], exposure[count:]))
                times, equity, exposure = times[:count], equity[:count], exposure[:count]
            taken.append((times, equity, exposure))
            count -= len(times)
        return taken

    def record(self) -> Curve:
        """The points that were not handed out as one record. Raises ValueError where there is none."""
        self._gather()
        if not self._parts:
            raise ValueError("a curve has at least one point")
        return _packed(*_one(self._parts))

    def hand_out(self) -> Curve:
        """As `record`, and the points are not kept any longer. Raises ValueError where there is none."""
        found = self.record()
        self._count, self._parts, self._times, self._equity, self._exposure = 0, [], [], [], []
        return found


def _one(parts: Sequence[_Columns]) -> _Columns:
    """Parts as one."""
    if len(parts) == 1:
        return parts[0]
    times, equity, exposure = zip(*parts, strict=True)
    return np.concatenate(times), np.concatenate(equity), np.concatenate(exposure)


def _packed(times: NDArray[np.int64], equity: Floats, exposure: Floats) -> Curve:
    steps = np.diff(times, prepend=0)
    begins = np.r_[0, 1 + np.flatnonzero(steps[1:] != steps[:-1])]
    runs = steps[begins].astype("<i8").data, np.diff(begins, append=len(steps)).astype("<i8").data
    held, gross = (np.ascontiguousarray(column, dtype="<f8").data for column in (equity, exposure))
    return pack(runs, held, gross, int(times[0]), int(times[-1]), len(times))
