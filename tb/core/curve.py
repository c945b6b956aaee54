"""Equity over time, packed: a run has tens of thousands of points, and each as a record of its own would dominate the ledger.

The texts of the numbers are kept, so what is unpacked is exact.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal

from tb.core.records import Curve, Mark


def pack(points: Sequence[Mark]) -> Curve:
    """One record for points in order of time; their `usage` is not kept. Raises ValueError for none."""
    if not points:
        raise ValueError("a curve has at least one point")
    lines = "\n".join(f"{point.at} {point.equity} {point.exposure}" for point in points)
    return Curve(first=points[0].at, last=points[-1].at, rows=len(points), points=zlib.compress(lines.encode(), 6))


def unpack(curve: Curve) -> list[Mark]:
    """The points that were packed, without `usage`."""
    found = []
    for line in zlib.decompress(curve.points).decode().splitlines():
        at, equity, exposure = line.split(" ")
        found.append(Mark(at=int(at), equity=Decimal(equity), exposure=Decimal(exposure), usage={}))
    return found


def joined(curves: Iterable[Curve], marks: Iterable[Mark]) -> list[Mark]:
    """All points in order of time; where several stand at one instant, the marks come last."""
    points = [(point.at, 0, point) for curve in curves for point in unpack(curve)]
    points += [(mark.at, 1, mark) for mark in marks]
    return [point for _, _, point in sorted(points, key=lambda item: item[:2])]
