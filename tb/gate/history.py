"""Equity as an account took note of it: instants, and whole stretches over which nothing but prices moved.

A stretch keeps prices, not results: the equity of one of its instants is worked out exactly when somebody asks for it.

INVARIANT: what `before` and `last` give is what noting each instant of a stretch by itself would give.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.instant import EXACT, exact

Equity = NDArray[np.float64]
Floats = tuple[Equity, Equity, float]  # equity, gross exposure, and how far each may be from the exact value


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Consecutive instants at which nothing happened but that prices moved. `closes` has the last known price of each held
    instrument at each instant, all of them known; `times` in ms, ascending, at least one."""

    times: NDArray[np.int64]
    closes: dict[str, NDArray[np.float64]]

    @property
    def last(self) -> int:
        return int(self.times[-1])

    def price(self, instrument: str, place: int) -> Decimal:
        found = exact(float(self.closes[instrument][place]))
        assert found is not None  # a stretch ends before a price that is not known
        return found


@dataclass(frozen=True, slots=True, eq=False)
class HeldThrough:
    """Equity over a stretch: cash, and the same quantities throughout, in the order in which the account adds them up."""

    stretch: Stretch
    cash: Decimal
    held: tuple[tuple[str, Decimal], ...]

    @property
    def times(self) -> NDArray[np.int64]:
        return self.stretch.times

    def at(self, place: int) -> Decimal:
        equity = self.cash
        for instrument, quantity in self.held:
            equity = EXACT.add(equity, EXACT.multiply(quantity, self.stretch.price(instrument, place)))
        return equity

    def floats(self) -> Floats:
        """Equity and gross exposure at each instant, and how far each may be from the exact value."""
        cash = float(self.cash)
        if not self.held:
            return np.full(len(self.times), cash), np.zeros(len(self.times)), abs(cash) * 3e-15
        first, *others = [float(quantity) * self.stretch.closes[instrument] for instrument, quantity in self.held]
        equity, gross = cash + first, np.abs(first)
        for value in others:
            equity, gross = equity + value, gross + np.abs(value)
        most = abs(cash) + float(np.maximum.reduce(gross))
        return equity, gross, most * 1e-15 * (len(self.held) + 3)


@dataclass(slots=True)
class EquityHistory:
    """Ascending. Truthy once there is something."""

    _starts: list[int]
    _parts: list[Decimal | HeldThrough]

    @classmethod
    def empty(cls) -> EquityHistory:
        return cls([], [])

    def __bool__(self) -> bool:
        return bool(self._starts)

    def note(self, at: int, equity: Decimal) -> None:
        """Takes note of equity at an instant; one that is as it was before adds nothing."""
        if not self._parts or self.last() != equity:
            self._starts.append(at)
            self._parts.append(equity)

    def note_after_others(self, at: int, equity: Decimal) -> None:
        """Takes note of equity at an instant before which others were not kept."""
        self._starts.append(at)
        self._parts.append(equity)

    def note_stretch(self, noted: HeldThrough) -> None:
        """Takes note of equity at each instant of a stretch."""
        self._starts.append(int(noted.times[0]))
        self._parts.append(noted)

    def last(self) -> Decimal:
        """The equity noted last. Raises IndexError where nothing was noted."""
        part = self._parts[-1]
        return part if isinstance(part, Decimal) else part.at(len(part.times) - 1)

    def before(self, at: int) -> Decimal | None:
        """Equity as last noted at or before an instant; before the first note, the first; None without any."""
        if not self._starts:
            return None
        place = max(bisect_right(self._starts, at) - 1, 0)
        part = self._parts[place]
        return part if isinstance(part, Decimal) else part.at(max(int(part.times.searchsorted(at, side="right")) - 1, 0))

    def floats_before(self, times: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        """What `before` gives at each of these ascending instants, rounded, and how far each may be from it. There is a note,
        and an instant."""
        found, error = np.empty(len(times)), 0.0
        first, last = (bisect_right(self._starts, int(times[at])) for at in (0, -1))
        first = max(first - 1, 0)  # of a long run few notes are near
        starts = np.array(self._starts[first:last], dtype=np.int64)
        places = np.maximum(first + np.searchsorted(starts, times, side="right") - 1, 0)
        for place in np.unique(places).tolist():
            part, here = self._parts[place], places == place
            if isinstance(part, Decimal):
                found[here], near = float(part), abs(float(part)) * 1e-15
            else:
                equity, _, near = part.floats()
                found[here] = equity[np.maximum(part.times.searchsorted(times[here], side="right") - 1, 0)]
            error = max(error, near)
        return found, error
