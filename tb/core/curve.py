"""Equity over time, packed: a run has up to millions of points, and each as a record of its own would dominate the ledger.

Points are float64: they are drawn and measured, and nothing is decided by them. An equity that was known exactly is kept as the
nearest float; one worked out in floats, where prices alone moved, is within a few units of its last place.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

from tb.core.records import Curve, Mark

_HEAD = struct.Struct("<Q")  # bytes that the instants take
_SIZE = 8  # bytes of one number


def pack(steps: bytes, equity: bytes, exposure: bytes, first: int, last: int) -> Curve:
    """One record for a curve. All little-endian, one for each point: `steps` from instant to instant as 64 bit integers,
    the first from 0; equity and gross exposure as float64."""
    packed = zlib.compress(steps, 1)
    return Curve(first=first, last=last, rows=len(equity) // _SIZE, points=_HEAD.pack(len(packed)) + packed + equity + exposure)


def unpack(curve: Curve) -> list[Mark]:
    """The points that were packed, without `usage`."""
    (length,) = _HEAD.unpack_from(curve.points)
    values = _numbers("d", curve.points[_HEAD.size + length :])
    times = accumulate(_numbers("q", zlib.decompress(curve.points[_HEAD.size : _HEAD.size + length])))
    pairs = zip(times, values[: curve.rows], values[curve.rows :], strict=True)
    return [Mark(at=int(at), equity=Decimal(repr(here)), exposure=Decimal(repr(gross)), usage={}) for at, here, gross in pairs]


def _numbers(kind: str, content: bytes) -> array[float]:
    found: array[float] = array(kind, content)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def joined(curves: Iterable[Curve], marks: Iterable[Mark]) -> list[Mark]:
    """All points in order of time; where several stand at one instant, the marks come last."""
    points = [(point.at, 0, point) for curve in curves for point in unpack(curve)]
    points += [(mark.at, 1, mark) for mark in marks]
    return [point for _, _, point in sorted(points, key=lambda item: item[:2])]
