"""The equity curve of a session while it grows: points taken one by one, and many at once where prices alone moved."""

from __future__ import annotations

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
        times, equity, exposure = self._joined()
        whole = len(times) - len(times) % POINTS
        self._count = len(times) - whole
        # copies, so that what was handed out can go
        self._parts = [(times[whole:].copy(), equity[whole:].copy(), exposure[whole:].copy())] if self._count else []
        cuts = [slice(at, at + POINTS) for at in range(0, whole, POINTS)]
        return [_packed(times[cut], equity[cut], exposure[cut]) for cut in cuts]

    def record(self) -> Curve:
        """The points that were not handed out as one record. Raises ValueError where there is none."""
        return _packed(*self._joined())

    def hand_out(self) -> Curve:
        """As `record`, and the points are not kept any longer. Raises ValueError where there is none."""
        found = self.record()
        self._count, self._parts, self._times, self._equity, self._exposure = 0, [], [], [], []
        return found

    def _joined(self) -> _Columns:
        self._gather()
        if not self._parts:
            raise ValueError("a curve has at least one point")
        times, equity, exposure = zip(*self._parts, strict=True)
        return np.concatenate(times), np.concatenate(equity), np.concatenate(exposure)


def _packed(times: NDArray[np.int64], equity: Floats, exposure: Floats) -> Curve:
    steps = np.diff(times, prepend=0).astype("<i8").tobytes()
    return pack(steps, equity.astype("<f8").tobytes(), exposure.astype("<f8").tobytes(), int(times[0]), int(times[-1]))
