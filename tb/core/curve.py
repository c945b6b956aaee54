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
# a step for each point; stretches of one step; the same, and in place of equity and exposure what they follow from
EACH, RUNS, HELD = 0, 1, 2
_HOLDINGS = struct.Struct("<Qq")  # stretches of one cash and quantity; decimals of the prices, or -1 where these are float64
Buffer = bytes | memoryview


def pack(runs: tuple[Buffer, Buffer], equity: Buffer, exposure: Buffer, first: int, last: int, rows: int) -> Curve:
    """One record for a curve of so many points. All little-endian: `runs` are steps from instant to instant, the first from 0,
    and how often each follows itself, both as 64 bit integers; equity and gross exposure as float64, one for each point."""
    packed = zlib.compress(b"".join(runs), 1)
    head = _HEAD.pack(RUNS << _FORM | len(packed))
    return Curve(first=first, last=last, rows=rows, points=b"".join((head, packed, equity, exposure)))


def pack_held(
    runs: tuple[Buffer, Buffer],
    lengths: Buffer,
    cash: Buffer,
    quantity: Buffer,
    prices: Buffer,
    decimals: int | None,
    rows: int,
    times: tuple[int, int],
) -> Curve:
    """The same where equity is `cash` and `quantity` (negative where it is owed) at the price of each point, and exposure what
    that quantity is worth: both float64, one for each stretch of `lengths` points (32 bits). `prices` are whole numbers of 32
    bits, to be divided by 10 to the power of `decimals`, or float64 where that is None."""
    packed = zlib.compress(b"".join(runs), 1)
    head, count = _HEAD.pack(HELD << _FORM | len(packed)), memoryview(cash).nbytes // 8
    holdings = _HOLDINGS.pack(count, -1 if decimals is None else decimals)
    points = b"".join((head, packed, holdings, cash, quantity, lengths, prices))
    return Curve(first=times[0], last=times[1], rows=rows, points=points)


def columns(curve: Curve) -> tuple[list[int], array[float], array[float]]:
    """Instants, equity and exposure. Raises `ValueError` for a form that this tb does not know, and where parts do not fit."""
    (head,) = _HEAD.unpack_from(curve.points)
    form, length = head >> _FORM, head & (1 << _FORM) - 1
    if form not in {EACH, RUNS, HELD}:
        raise ValueError(f"instants of a curve have form {form}, this tb reads 0 to 2")
    rest = curve.points[_HEAD.size + length :]
    values = _of_holdings(rest, curve.rows) if form == HELD else _numbers("d", rest)
    steps: Iterable[float] = _numbers("q", zlib.decompress(curve.points[_HEAD.size : _HEAD.size + length]))
    if form != EACH:
        told = list(steps)
        half = len(told) // 2
        steps = chain.from_iterable(map(repeat, told[:half], map(int, told[half:])))
    return list(map(int, accumulate(steps))), values[: curve.rows], values[curve.rows :]


def _of_holdings(packed: bytes, rows: int) -> array[float]:
    """Equity and exposure out of what they follow from, operation by operation as they were worked out."""
    import numpy as np

    count, decimals = _HOLDINGS.unpack_from(packed)
    at, wide = _HOLDINGS.size, 8 if decimals < 0 else 4
    if len(packed) != at + 20 * count + wide * rows:
        raise ValueError("the stretches of a curve and its points do not fit together")
    cash, quantity = (np.frombuffer(packed, "<f8", count, at + 8 * count * part) for part in (0, 1))
    lengths = np.frombuffer(packed, "<u4", count, at + 16 * count)
    prices = np.frombuffer(packed, "<f8" if decimals < 0 else "<i4", rows, at + 20 * count)
    if int(lengths.sum(dtype=np.int64)) != rows:
        raise ValueError("the stretches of a curve and its points do not fit together")
    worth = np.repeat(quantity, lengths) * (prices if decimals < 0 else prices / 10.0**decimals)
    return array("d", np.concatenate((np.repeat(cash, lengths) + worth, np.abs(worth))).tobytes())


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
