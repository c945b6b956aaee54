"""Arithmetic on columns of exact numbers: sums, products and quotients as the session's context has them, cell by cell.

Kernels work them out in whole numbers; a cell where the context would round a sum or a product, or that is too large for a
kernel, is worked out in decimals. INVARIANT: each cell has the digits and the exponent that `EXACT` gives; a zero has no sign.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb.engine.instant import EXACT
from tb.replay.course.numbers import Ints, Numbers, columns_of
from tb.replay.course.wide import (
    CUT,
    DIGITS,
    HALF,
    LOWER,
    NONE,
    ONE,
    added,
    amount,
    cut,
    divided,
    is_negative,
    near,
    scaled,
    taken,
    times,
)
from tb.vocabulary.kernels.compiled import compiled, part

MOST, PRECISION = 28, 28  # decimals of what a kernel takes; digits of the session's context
TEN = np.uint64(10)
FIVE = np.uint64(5)


@part
def _words(high: int, low: int) -> Any:
    """The amount of a number in two words."""
    upper, lower = scaled(NONE, np.uint64(abs(high)), CUT)
    return added(upper, lower, NONE, np.uint64(abs(low)))


@part
def _note(row: Any, is_minus: bool, high: Any, low: Any, decimals: int) -> None:
    above, below = cut(high, low)
    row[0], row[1], row[2] = (-above if is_minus else above), (-below if is_minus else below), decimals


@part
def _tenth(high: Any, low: Any) -> Any:
    """A tenth, rounded down, and what remains."""
    upper, left = high // TEN, high % TEN
    part = (left << HALF) | (low >> HALF)
    middle, left = part // TEN, part % TEN
    part = (left << HALF) | (low & LOWER)
    return upper, (middle << HALF) | (part // TEN), part % TEN


@part
def _length(high: Any, low: Any) -> int:
    """How many digits it has; 1 for nothing."""
    count = 1
    while high != NONE:
        high, low, _ = _tenth(high, low)
        count += 1
    while count < 40 and low >= TEN:
        low //= TEN
        count += 1
    return count


@compiled
def _add(sign: int, a_high: Any, a_low: Any, a_decimals: Any, b_high: Any, b_low: Any, b_decimals: Any, out: Any) -> Any:
    """The sum, or with a sign of -1 the difference; returns the numbers of the cells that are left out."""
    left = np.zeros(a_low.shape[0], dtype=np.bool_)
    for k in range(a_low.shape[0]):
        most = max(a_decimals[k], b_decimals[k])
        up, other = most - a_decimals[k], most - b_decimals[k]
        high, low = _words(a_high[k], a_low[k])
        more, lower = _words(b_high[k], b_low[k])
        if most > MOST or up > MOST or other > MOST or near(high, low) * 10.0**up + near(more, lower) * 10.0**other > DIGITS:
            left[k] = True
            continue
        high, low = scaled(high, low, up)
        more, lower = scaled(more, lower, other)
        if a_high[k] < 0 or a_low[k] < 0:
            high, low = taken(NONE, NONE, high, low)
        if (b_high[k] < 0 or b_low[k] < 0) == (sign > 0):
            high, low = taken(high, low, more, lower)
        else:
            high, low = added(high, low, more, lower)
        is_minus = is_negative(high)
        high, low = amount(high, low)
        _note(out[k], is_minus, high, low, most)
    return left


@compiled
def _multiply(a_high: Any, a_low: Any, a_decimals: Any, b_high: Any, b_low: Any, b_decimals: Any, out: Any) -> Any:
    """The product; returns which cells are left out."""
    left = np.zeros(a_low.shape[0], dtype=np.bool_)
    for k in range(a_low.shape[0]):
        high, low = _words(a_high[k], a_low[k])
        more, lower = _words(b_high[k], b_low[k])
        if high != NONE:
            high, low, more, lower = more, lower, high, low
        if high != NONE or near(high, low) * near(more, lower) > DIGITS:
            left[k] = True
            continue
        more, lower = times(more, lower, low)
        is_minus = (a_high[k] < 0 or a_low[k] < 0) != (b_high[k] < 0 or b_low[k] < 0)
        _note(out[k], is_minus, more, lower, a_decimals[k] + b_decimals[k])
    return left


@part
def _rounded(high: Any, low: Any) -> Any:
    """At most 28 digits, the last one rounded to the even one of two that are as near, and how many were dropped."""
    dropped, last, is_more = 0, NONE, False
    length = _length(high, low)
    while length - dropped > PRECISION:
        is_more = is_more or last != NONE
        high, low, last = _tenth(high, low)
        dropped += 1
    if last > FIVE or (last == FIVE and (is_more or low & ONE)):
        high, low = added(high, low, NONE, ONE)
        if _length(high, low) > PRECISION:
            high, low, last = _tenth(high, low)
            dropped += 1
    return high, low, dropped


@part
def _quotient(high: Any, low: Any, by: Any, by_low: Any, ideal: int) -> Any:
    """A quotient of amounts, its decimals, and whether it could be worked out. An exact one has no more decimals than it needs,
    or `ideal` ones."""
    shift = _length(by, by_low) - _length(high, low) + PRECISION + 1
    if near(high, low) / near(by, by_low) > 4e18:
        return high, low, ideal, False
    decimals, upper, lower = ideal, NONE, NONE
    power = 0
    while True:
        part, _ = divided(high, low, by, by_low)
        upper, lower = scaled(upper, lower, power)
        upper, lower = added(upper, lower, NONE, part)
        whole, whole_low = times(by, by_low, part)
        high, low = taken(high, low, whole, whole_low)
        if shift == 0:
            break
        power = min(shift, 9)
        high, low = scaled(high, low, power)
        shift -= power
        decimals += power
    if (high | low) != NONE:
        _, _, last = _tenth(upper, lower)
        if last % FIVE == NONE:
            upper, lower = added(upper, lower, NONE, ONE)
    else:
        while decimals > ideal:
            less, less_low, last = _tenth(upper, lower)
            if last != NONE:
                break
            upper, lower = less, less_low
            decimals -= 1
    upper, lower, dropped = _rounded(upper, lower)
    return upper, lower, decimals - dropped, True


@compiled
def _divide(a_high: Any, a_low: Any, a_decimals: Any, b_high: Any, b_low: Any, b_decimals: Any, out: Any) -> Any:
    """The quotient; returns which cells are left out. No divisor is nothing."""
    left = np.zeros(a_low.shape[0], dtype=np.bool_)
    for k in range(a_low.shape[0]):
        high, low = _words(a_high[k], a_low[k])
        by, by_low = _words(b_high[k], b_low[k])
        decimals = a_decimals[k] - b_decimals[k]
        if (high | low) == NONE:
            _note(out[k], False, NONE, NONE, decimals)
            continue
        high, low, decimals, is_sure = _quotient(high, low, by, by_low, decimals)
        if not is_sure:
            left[k] = True
            continue
        is_minus = (a_high[k] < 0 or a_low[k] < 0) != (b_high[k] < 0 or b_low[k] < 0)
        _note(out[k], is_minus, high, low, decimals)
    return left


# --- columns ---------------------------------------------------------------------------------------------------------


def parts(numbers: Numbers) -> tuple[Ints, Ints, Ints]:
    """Both parts and the decimals, each in one stretch of memory."""
    low = np.ascontiguousarray(numbers.low)
    high = np.zeros(len(low), dtype=np.int64) if numbers.high is None else np.ascontiguousarray(numbers.high)
    return high, low, np.ascontiguousarray(numbers.decimals)


def added_up(left: Numbers, right: Numbers) -> Numbers:
    return _worked_out(left, right, partial(_add, 1), EXACT.add)


def difference(left: Numbers, right: Numbers) -> Numbers:
    return _worked_out(left, right, partial(_add, -1), EXACT.subtract)


def multiplied(left: Numbers, right: Numbers) -> Numbers:
    return _worked_out(left, right, _multiply, EXACT.multiply)


def quotient(left: Numbers, right: Numbers) -> Numbers:
    """No number of `right` is nothing."""
    return _worked_out(left, right, _divide, EXACT.divide)


def same(value: Decimal, count: int) -> Numbers:
    """A number so many times."""
    high, low, decimals = (np.full(count, column[0]) for column in columns_of([value]))
    return Numbers(high, low, decimals)


def chosen(numbers: Numbers, which: NDArray[Any]) -> Numbers:
    """The numbers at these places, or where a mask says so."""
    return Numbers(None if numbers.high is None else numbers.high[which], numbers.low[which], numbers.decimals[which])


def _worked_out(
    left: Numbers, right: Numbers, kernel: Callable[..., Any], in_decimals: Callable[[Decimal, Decimal], Decimal]
) -> Numbers:
    out = np.empty((len(left), 3), dtype=np.int64)
    which = np.flatnonzero(kernel(*parts(left), *parts(right), out))
    if len(which):
        pairs = zip(chosen(left, which), chosen(right, which), strict=True)
        out[which] = np.array(columns_of([in_decimals(one, other) for one, other in pairs])).T
    return Numbers(np.ascontiguousarray(out[:, 0]), np.ascontiguousarray(out[:, 1]), np.ascontiguousarray(out[:, 2]))


def signed(numbers: Numbers, sign: int) -> Numbers:
    """Each times 1 or -1."""
    if sign > 0:
        return numbers
    return Numbers(None if numbers.high is None else -numbers.high, -numbers.low, numbers.decimals)


def taking_turns(first: Numbers, second: Numbers) -> Numbers:
    """One of each in turn."""
    columns = []
    for one, other in zip(parts(first), parts(second), strict=True):
        whole = np.empty(2 * len(one), dtype=np.int64)
        whole[::2], whole[1::2] = one, other
        columns.append(whole)
    high, low, decimals = columns
    return Numbers(high, low, decimals)
