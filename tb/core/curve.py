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
from itertools import accumulate, chain, repeat

from tb.core.records import Curve, Mark

_HEAD = struct.Struct("<Q")  # bytes that the instants take; the highest byte says how they are told
_FORM = 56  # bits before that byte
EACH, RUNS = 0, 1  # a step for each point; stretches of one step
Buffer = bytes | memoryview


def pack(runs: tuple[Buffer, Buffer], equity: Buffer, exposure: Buffer, first: int, last: int, rows: int) -> Curve:
    """One record for a curve of so many points. All little-endian: `runs` are steps from instant to instant, the first from 0,
    and how often each follows itself, both as 64 bit integers; equity and gross exposure as float64, one for each point."""
    packed = zlib.compress(b"".join(runs), 1)
    head = _HEAD.pack(RUNS << _FORM | len(packed))
    return Curve(first=first, last=last, rows=rows, points=b"".join((head, packed, equity, exposure)))


def columns(curve: Curve) -> tuple[list[int], array[float], array[float]]:
    """Instants, equity and exposure. Raises `ValueError` for a form that this tb does not know."""
    (head,) = _HEAD.unpack_from(curve.points)
    form, length = head >> _FORM, head & (1 << _FORM) - 1
    if form not in {EACH, RUNS}:
        raise ValueError(f"instants of a curve have form {form}, this tb reads 0 and 1")
    values = _numbers("d", curve.points[_HEAD.size + length :])
    steps: Iterable[float] = _numbers("q", zlib.decompress(curve.points[_HEAD.size : _HEAD.size + length]))
    if form == RUNS:
        told = list(steps)
        half = len(told) // 2
        steps = chain.from_iterable(map(repeat, told[:half], map(int, told[half:])))
    return list(map(int, accumulate(steps))), values[: curve.rows], values[curve.rows :]


def unpack(curve: Curve) -> list[Mark]:
    """The points that were packed, without `usage`. Raises as `columns`."""
    pairs = zip(*columns(curve), strict=True)
    return [Mark(at=at, equity=Decimal(repr(here)), exposure=Decimal(repr(gross)), usage={}) for at, here, gross in pairs]


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
