"""Exact numbers in columns as the texts that Decimals have, packed for the ledger: no Decimal is made on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.ledger.cells import Packed
from tb.replay.course.numbers import DIGITS, Ints, Numbers
from tb.replay.course.reckoning import chosen, parts, quotient
from tb.vocabulary.kernels.compiled import compiled, part

MOST = 64  # bytes of a number at most
PLAIN, MINUS, NOTHING = range(3)  # as it is; a nothing with a minus; no number
_TEN, _HUNDRED, _ZERO = np.uint64(10), np.uint64(100), np.uint64(48)
_SHORT = 32  # bytes of a text from which on its length takes a byte of its own


@part
def _count(number: Any) -> int:
    """How many digits a whole number has; 1 for nothing."""
    count, most = 1, _TEN
    while count < DIGITS and number >= most:
        count += 1
        most *= _TEN
    return count + 1 if count == DIGITS and number >= most else count


@part
def _put(number: Any, count: int, out: Any, end: int) -> None:
    """Writes the last digits of a number to the places before `end`, two at a time."""
    at = end
    while at - 1 > end - count:
        rest = number // _HUNDRED
        pair = number - rest * _HUNDRED
        tens = pair // _TEN
        out[at - 1], out[at - 2] = np.uint8(_ZERO + (pair - tens * _TEN)), np.uint8(_ZERO + tens)
        number, at = rest, at - 2
    if at > end - count:
        rest = number // _TEN
        out[at - 1] = np.uint8(_ZERO + (number - rest * _TEN))


@part
def _number(high: int, low: int, decimals: int, out: Any, at: int) -> int:
    """A number without its sign, as Decimal writes it, and where it ends."""
    below, above = np.uint64(abs(low)), np.uint64(abs(high))
    count = _count(below) if above == np.uint64(0) else DIGITS + _count(above)
    left = count - decimals  # digits before the point
    before = left if decimals >= 0 and left > -6 else 1
    if before <= 0:
        out[at], out[at + 1] = 48, 46
        at += 2
        for _ in range(-before):
            out[at] = 48
            at += 1
    has_point = 0 < before < count
    end = at + count + (1 if has_point else 0)
    if above == np.uint64(0):
        _put(below, count, out, end)
    else:
        _put(below, DIGITS, out, end)
        _put(above, count - DIGITS, out, end - DIGITS)
    if has_point:
        for k in range(at, at + before):
            out[k] = out[k + 1]
        out[at + before] = 46
    at = end
    if left != before:
        power = left - before
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
    at = 0
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
            at = _number(high[k], low[k], decimals[k], out, at)
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


@compiled
def _alternate(first: Any, first_ends: Any, second: Any, second_ends: Any, out: Any, ends: Any) -> None:
    """Writes a cell of each in turn, and where each ends."""
    at = 0
    for k in range(first_ends.shape[0] - 1):
        for j in range(first_ends[k], first_ends[k + 1]):
            out[at] = first[j]
            at += 1
        ends[2 * k + 1] = at
        for j in range(second_ends[k], second_ends[k + 1]):
            out[at] = second[j]
            at += 1
        ends[2 * k + 2] = at


_POWERS = [10**power for power in range(60)]
_TENS = np.array([float(power) for power in _POWERS])
_BESIDE = np.array([float(power - int(float(power))) for power in _POWERS])  # what the float of a power leaves out
_SPLIT = 134_217_729.0  # 2 ** 27 + 1
_DOUBT = 1e-28  # of a quotient: far more than two floats together are wrong by
_ROUNDED = 1e-27  # the same where the context rounds it to 28 digits, by half of the last one at most


def _product(left: Any, right: Any) -> Any:
    """A product as two floats, exactly (Dekker 1971)."""
    found, wide, wider = left * right, _SPLIT * left, _SPLIT * right
    a, c = wide - (wide - left), wider - (wider - right)
    b, d = left - a, right - c
    return found, ((a * c - found) + a * d + b * c) + b * d


def _as_two(numbers: Numbers) -> tuple[Any, Any, Any]:
    """The whole numbers as two floats each, and the powers of ten by which they are to be divided."""
    high, low, decimals = parts(numbers)
    above, above_rest = _product(high.astype(np.float64), 10.0**DIGITS)
    below = low.astype(np.float64)
    whole = above + below
    rest = (above - (whole - (whole - above))) + (below - (whole - above)) + above_rest + (low - below.astype(np.int64))
    return whole, rest, decimals


def _over(whole: Any, rest: Any, by: Any, by_rest: Any) -> tuple[Any, Any]:
    """The quotient of numbers of two floats each."""
    first = whole / by
    product, product_rest = _product(first, by)
    return first, ((whole - product) - product_rest + rest - first * by_rest) / by


def _float_of(first: Any, second: Any, doubt: float) -> tuple[Any, Any]:
    """The float next to a quotient, and where two floats together, with so much doubt, cannot tell it."""
    doubt = np.abs(first) * doubt
    found, other = first + (second - doubt), first + (second + doubt)
    return found, ~(found == other)


def nearest(numbers: Numbers) -> Any:
    """The float next to each: that of its Decimal. Where two floats together cannot tell it, it is read from the text."""
    whole, rest, decimals = _as_two(numbers)
    within = np.clip(decimals, 0, len(_POWERS) - 1)
    found, is_open = _float_of(*_over(whole, rest, _TENS[within], _BESIDE[within]), _DOUBT)
    which = np.flatnonzero(is_open | (within != decimals))
    if len(which):
        some = chosen(numbers, which)
        found[which] = list(map(float, texts_of(some).listed()))
    return found


def nearest_quotient(left: Numbers, right: Numbers) -> Any:
    """The float next to each quotient in the session's context: `nearest` of `quotient`. No number of `right` is nothing."""
    whole, rest, decimals = _as_two(left)
    by, by_rest, by_decimals = _as_two(right)
    power = by_decimals - decimals
    within = np.clip(np.abs(power), 0, len(_POWERS) - 1)
    tens, beside = _TENS[within], _BESIDE[within]
    whole, rest = _times(whole, rest, np.where(power > 0, tens, 1.0), np.where(power > 0, beside, 0.0))
    by, by_rest = _times(by, by_rest, np.where(power < 0, tens, 1.0), np.where(power < 0, beside, 0.0))
    found, is_open = _float_of(*_over(whole, rest, by, by_rest), _ROUNDED)
    which = np.flatnonzero(is_open | (within != np.abs(power)))
    if len(which):
        found[which] = nearest(quotient(chosen(left, which), chosen(right, which)))
    return found


def _times(whole: Any, rest: Any, by: Any, by_rest: Any) -> tuple[Any, Any]:
    """The product of numbers of two floats each."""
    found, found_rest = _product(whole, by)
    more = found_rest + (whole * by_rest + rest * by)
    total = found + more
    return total, more - (total - found)


def texts_of(numbers: Numbers, how: Ints | None = None) -> Packed:
    """Each as the text that its Decimal has. `how` says of each what it is besides its digits."""
    high, low, decimals = parts(numbers)
    if how is None:
        how = np.where(low == 0, NOTHING, PLAIN) if numbers.is_price else np.zeros(len(low), dtype=np.int64)
    out, ends = np.empty(MOST * len(low), dtype=np.uint8), np.zeros(len(low) + 1, dtype=np.int64)
    size = _write(high, low, decimals, how, out, ends)
    return Packed(out[:size].tobytes(), ends)


def in_turns(first: Packed, second: Packed) -> Packed:
    """A cell of each in turn."""
    out, ends = np.empty(len(first.body) + len(second.body), dtype=np.uint8), np.zeros(2 * len(first) + 1, dtype=np.int64)
    one, other = (np.frombuffer(column.data, dtype=np.uint8) for column in (first, second))
    _alternate(one, first.ends, other, second.ends, out, ends)
    return Packed(out.tobytes(), ends)
