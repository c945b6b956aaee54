"""Masks over bars as figures: how often, how long in a row, how near, and where along the span."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.core.time import show_instant
from tb.core.units import Kind, Unit
from tb.engine.explain.words import show_apart
from tb.replay.stopped.model import CELLS, Closest, Streak

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Near = tuple[float, Closest]  # how near, for comparing, and where
# what is measured in these moves with the price level, so nearness is told in relation to the threshold
_SCALED = frozenset({Kind.PRICE, Kind.MONEY, Kind.QUANTITY})


@dataclass(frozen=True, slots=True)
class Grid:
    """The stretches of a timeline: `edges` are their ends, each stretch holding the closes after one edge up to the next."""

    edges: Ints

    @classmethod
    def of(cls, first: int, last: int, period: int) -> Grid:
        """At most CELLS stretches of a span, none shorter than a bar."""
        count = max(1, min(CELLS, -(-(last - first) // period)))
        return cls(np.array([first + (last - first) * at // count for at in range(count + 1)], dtype=np.int64))

    @property
    def count(self) -> int:
        return len(self.edges) - 1

    def bars(self, closes: Ints) -> Ints:
        """How many bars each stretch has."""
        return np.diff(np.searchsorted(closes, self.edges, side="right"))

    def counted(self, closes: Ints, mask: Mask) -> Ints:
        """At how many of the bars of each stretch the mask is true."""
        until = np.concatenate([[0], np.cumsum(mask, dtype=np.int64)])
        return np.diff(until[np.searchsorted(closes, self.edges, side="right")])


def timeline(bars: Ints, counted: Ints) -> tuple[int | None, ...]:
    """Percent of the bars of each stretch, rounded up, so that a single bar is seen."""
    shares = -(-counted * 100 // np.maximum(bars, 1))
    return tuple(None if not of else int(share) for of, share in zip(bars.tolist(), shares.tolist(), strict=True))


def longest(mask: Mask, closes: Ints, instrument: str) -> Streak | None:
    """The first of the longest runs of true values."""
    if not mask.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    place = int((ends - starts).argmax())
    first, end = int(starts[place]), int(ends[place])
    return Streak(
        instrument=instrument,
        length=end - first,
        first=show_instant(int(closes[first])),
        last=show_instant(int(closes[end - 1])),
    )


def nearest(mask: Mask, measured: Floats, bound: Floats, unit: Unit, closes: Ints, instrument: str) -> Near | None:
    """The first of the bars of the mask at which two sides lay nearest, and how near; None where they are never known."""
    distance = np.abs(bound - measured)
    if unit.kind in _SCALED:
        distance = distance / np.where(bound == 0.0, 1.0, np.abs(bound))
    distance = np.where(mask & ~np.isnan(distance), distance, np.inf)
    if not len(distance) or not np.isfinite(distance.min()):
        return None
    row = int(distance.argmin())
    value, threshold = float(measured[row]), float(bound[row])
    shown = show_apart((value, threshold, abs(threshold - value)), unit)
    said = dict(zip(("value", "threshold", "distance"), shown, strict=True))
    return float(distance[row]), Closest(instrument=instrument, at=show_instant(int(closes[row])), **said)
