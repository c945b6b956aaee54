"""Fewer points for the same picture: each of some hundred stretches of time keeps its lowest, its highest and its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tb.replay.report.chart import Span

# of one instrument, equally long: times (ms ascending, or datetimes), open, high, low, close; NaN is unknown
Bars = tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike, ArrayLike]
STRETCHES = 600


@dataclass(frozen=True, slots=True)
class Band:
    """What one stretch of time holds."""

    at: int  # of its last value
    low: float
    high: float
    close: float


def thin(points: Sequence[tuple[int, float]], first: int, last: int, stretches: int = STRETCHES) -> list[tuple[int, float]]:
    """At most two points a stretch, its extremes in order of time, plus the very first and last; instants ascending."""
    if len(points) <= 2 * stretches:
        return list(points)
    width = max(last - first, 1)
    kept: list[tuple[int, float]] = []
    current: list[tuple[int, float]] = []
    number = -1
    for point in points:
        place = (point[0] - first) * stretches // width
        if place != number and current:
            kept += _extremes(current)
            current = []
        number = place
        current.append(point)
    kept += _extremes(current)
    ends = ([points[0]] if kept[0] != points[0] else []), ([points[-1]] if kept[-1] != points[-1] else [])
    return [*ends[0], *kept, *ends[1]]


def _extremes(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    low = min(points, key=lambda point: point[1])
    high = max(points, key=lambda point: point[1])
    return sorted({low, high})


def bands(bars: Bars, span: Span) -> list[list[Band]]:
    """Bars within a span as bands, in pieces: a new piece begins after a gap. Bars with an unknown value are left out."""
    times, _, high, low, close = bars
    first, last = span.first, span.last
    at = _instants(times)
    lows, highs, closes = (np.asarray(column, dtype=np.float64) for column in (low, high, close))
    usable = np.isfinite(lows) & np.isfinite(highs) & np.isfinite(closes) & (at >= first) & (at <= last)
    at, lows, highs, closes = at[usable], lows[usable], highs[usable], closes[usable]
    if len(at) == 0:
        return []
    width = max(last - first, 1)
    few = len(at) <= STRETCHES
    place = np.arange(len(at)) if few else (at - first) * STRETCHES // (width + 1)
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    ends = np.r_[starts[1:], len(at)] - 1
    floor, ceiling = np.minimum.reduceat(lows, starts), np.maximum.reduceat(highs, starts)
    spacing = int(np.median(np.diff(at))) if len(at) > 1 else 0
    gap = 2 * (spacing if few else max(width // STRETCHES, spacing)) + 1
    pieces: list[list[Band]] = []
    for index, end in enumerate(ends.tolist()):
        band = Band(int(at[end]), float(floor[index]), float(ceiling[index]), float(closes[end]))
        if not pieces or int(at[starts[index]]) - pieces[-1][-1].at > gap:
            pieces.append([])
        pieces[-1].append(band)
    return pieces


def _instants(times: ArrayLike) -> NDArray[np.int64]:
    """Milliseconds, also from an array of datetimes."""
    column = np.asarray(times)
    if column.dtype.kind == "M":
        column = column.astype("datetime64[ms]")
    return column.astype(np.int64)
