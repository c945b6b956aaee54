"""Exact numbers in columns as the texts that Decimals have, packed for the ledger: no Decimal is made on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.ledger.cells import Packed
from tb.replay.course.numbers import DIGITS, Ints, Numbers
from tb.replay.course.reckoning import parts
from tb.vocabulary.kernels.compiled import compiled

MOST = 64  # bytes of a number at most
PLAIN, MINUS, NOTHING = range(3)  # as it is; a nothing with a minus; no number
_TEN, _ZERO = np.uint64(10), np.uint64(48)
_SHORT = 32  # bytes of a text from which on its length takes a byte of its own
_BUFFER = 40


@compiled
def _digits(high: int, low: int, buffer: Any) -> int:
    """Writes the digits of an amount to the end of the buffer, and returns where they begin."""
    at, rest, above = _BUFFER, np.uint64(abs(low)), np.uint64(abs(high))
    if above != np.uint64(0):
        for _ in range(DIGITS):
            at -= 1
            buffer[at] = np.uint8(_ZERO + rest % _TEN)
            rest //= _TEN
        rest = above
    while True:
        at -= 1
        buffer[at] = np.uint8(_ZERO + rest % _TEN)
        rest //= _TEN
        if rest == np.uint64(0):
            return at


@compiled
def _number(buffer: Any, begin: int, decimals: int, out: Any, at: int) -> int:
    """A number without its sign, as Decimal writes it, and where it ends."""
    count = _BUFFER - begin
    left = count - decimals  # digits before the point
    point = left if decimals >= 0 and left > -6 else 1
    if point <= 0:
        out[at], out[at + 1] = 48, 46
        at += 2
        for _ in range(-point):
            out[at] = 48
            at += 1
    for k in range(count):
        if k == point and k > 0:
            out[at] = 46
            at += 1
        out[at] = buffer[begin + k]
        at += 1
    if left != point:
        power = left - point
        out[at], out[at + 1] = 69, 43 if power >= 0 else 45
        at += 2
        power = abs(power)
        if power >= 100:
            out[at] = 48 + power // 100
            at += 1
        if power >= 10:
            out[at] = 48 + power // 10 % 10
            at += 1
        out[at] = 48 + power % 10
        at += 1
    return at


@compiled
def _write(high: Any, low: Any, decimals: Any, how: Any, out: Any, ends: Any) -> int:
    """Writes all cells and where each ends; returns how many bytes these are."""
    buffer, at = np.empty(_BUFFER, dtype=np.uint8), 0
    for k in range(low.shape[0]):
        if how[k] == NOTHING:
            out[at] = 0xC0
            at += 1
        else:
            start = at + 1
            at = start
            if high[k] < 0 or low[k] < 0 or how[k] == MINUS:
                out[at] = 45
                at += 1
            at = _number(buffer, _digits(high[k], low[k], buffer), decimals[k], out, at)
            size = at - start
            if size < _SHORT:
                out[start - 1] = 0xA0 | size
            else:
                for j in range(at, start, -1):
                    out[j] = out[j - 1]
                out[start - 1], out[start] = 0xD9, size
                at += 1
        ends[k + 1] = at
    return at


_POWERS = [10**power for power in range(60)]
_TENS = np.array([float(power) for power in _POWERS])
_BESIDE = np.array([float(power - int(float(power))) for power in _POWERS])  # what the float of a power leaves out
_SPLIT = 134_217_729.0  # 2 ** 27 + 1
_DOUBT = 1e-28  # of a quotient: far more than two floats together are wrong by


def _product(left: Any, right: Any) -> Any:
    """A product as two floats, exactly (Dekker 1971)."""
    found, wide, wider = left * right, _SPLIT * left, _SPLIT * right
    a, c = wide - (wide - left), wider - (wider - right)
    b, d = left - a, right - c
    return found, ((a * c - found) + a * d + b * c) + b * d


def nearest(numbers: Numbers) -> Any:
    """The float next to each: that of its Decimal. Where two floats together cannot tell it, it is read from the text."""
    high, low, decimals = parts(numbers)
    above, above_rest = _product(high.astype(np.float64), 10.0**DIGITS)
    below = low.astype(np.float64)
    whole = above + below
    rest = (above - (whole - (whole - above))) + (below - (whole - above)) + above_rest + (low - below.astype(np.int64))
    within = np.clip(decimals, 0, len(_POWERS) - 1)
    by, by_rest = _TENS[within], _BESIDE[within]
    first = whole / by
    product, product_rest = _product(first, by)
    second = ((whole - product) - product_rest + rest - first * by_rest) / by
    doubt = np.abs(first) * _DOUBT
    found, other = first + (second - doubt), first + (second + doubt)
    which = np.flatnonzero((found != other) | (within != decimals))
    if len(which):
        some = Numbers(high[which], low[which], decimals[which])
        found[which] = list(map(float, texts_of(some).listed()))
    return found


def texts_of(numbers: Numbers, how: Ints | None = None) -> Packed:
    """Each as the text that its Decimal has. `how` says of each what it is besides its digits."""
    high, low, decimals = parts(numbers)
    if how is None:
        how = np.where(low == 0, NOTHING, PLAIN) if numbers.is_price else np.zeros(len(low), dtype=np.int64)
    out, ends = np.empty(MOST * len(low), dtype=np.uint8), np.zeros(len(low) + 1, dtype=np.int64)
    size = _write(high, low, decimals, how, out, ends)
    return Packed(out[:size].tobytes(), ends)
