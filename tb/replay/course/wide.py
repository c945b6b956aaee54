"""Whole numbers of 128 bits for kernels: two words each, the upper one first.

They wrap around as two's complement; those who multiply say beforehand that the product fits (`fits`). Every word is a uint64:
mixed with a signed number it would become a float.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import part

HALF, LOWER, TOP = np.uint64(32), np.uint64(0xFFFF_FFFF), np.uint64(63)
NONE, ONE = np.uint64(0), np.uint64(1)
WORD = 18_446_744_073_709_551_616.0  # what the upper word counts
TENS = np.array([10**power for power in range(20)], dtype=np.uint64)
CUT = 18  # digits of the lower part where a number is cut into two that are signed (`cut`)
TEN_18 = 1e18  # the same as a float
FITS = 1.6e38  # a little less than 2 ** 127
DIGITS = 9.999999999e27  # a little less than 28 digits, the session's precision


@part
def product(left: Any, right: Any) -> Any:
    """Of two words."""
    a, b, c, d = left >> HALF, left & LOWER, right >> HALF, right & LOWER
    low, inner, outer = b * d, a * d, b * c
    middle = (low >> HALF) + (inner & LOWER) + (outer & LOWER)
    return a * c + (inner >> HALF) + (outer >> HALF) + (middle >> HALF), (middle << HALF) | (low & LOWER)


@part
def times(high: Any, low: Any, by: Any) -> Any:
    carried, lower = product(low, by)
    return high * by + carried, lower


@part
def added(high: Any, low: Any, more: Any, lower: Any) -> Any:
    found = low + lower
    return high + more + (ONE if found < low else NONE), found


@part
def taken(high: Any, low: Any, less: Any, lower: Any) -> Any:
    return high - less - (ONE if low < lower else NONE), low - lower


@part
def is_negative(high: Any) -> Any:
    return (high >> TOP) != NONE


@part
def amount(high: Any, low: Any) -> Any:
    """Without its sign."""
    return taken(NONE, NONE, high, low) if is_negative(high) else (high, low)


@part
def near(high: Any, low: Any) -> float:
    """The nearest float or one next to it."""
    upper, lower = amount(high, low)
    found = np.float64(upper) * WORD + np.float64(lower)
    return -found if is_negative(high) else found


@part
def scaled(high: Any, low: Any, power: int) -> Any:
    """Times ten to a power up to 38; it must fit."""
    if power > 19:
        high, low = times(high, low, TENS[19])
        power -= 19
    return times(high, low, TENS[power])


@part
def divided(high: Any, low: Any, by: Any, by_low: Any) -> Any:
    """The quotient rounded down, as one word, and whether something remains. Both are positive, and the quotient is known to be
    less than 2 ** 62."""
    divisor, quotient = near(by, by_low), NONE
    while True:  # a float at a time, which brings 50 bits more
        step = np.uint64(abs(near(high, low) / divisor))
        if step == NONE:
            break
        more, lower = times(by, by_low, step)
        if is_negative(high):
            high, low = added(high, low, more, lower)
            quotient -= step
        else:
            high, low = taken(high, low, more, lower)
            quotient += step
    while is_negative(high):
        high, low = added(high, low, by, by_low)
        quotient -= ONE
    while True:
        more, lower = taken(high, low, by, by_low)
        if is_negative(more):
            break
        high, low = more, lower
        quotient += ONE
    return quotient, (high | low) != NONE


@part
def cut(high: Any, low: Any) -> Any:
    """A number of at most 28 digits as two signed ones: what is above its last 18 digits, and these. Both have its sign."""
    upper, lower = amount(high, low)
    # a float is right to one here, and what remains fits one word
    above = np.int64(near(upper, lower) / TEN_18)
    rest = np.int64(lower - np.uint64(above) * TENS[CUT])
    if rest < 0:
        above, rest = above - 1, rest + np.int64(TENS[CUT])
    elif rest >= np.int64(TENS[CUT]):
        above, rest = above + 1, rest - np.int64(TENS[CUT])
    sign = -1 if is_negative(high) else 1
    return sign * above, sign * rest
