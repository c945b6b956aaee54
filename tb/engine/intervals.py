"""settle: a small program over intervals of float64, by one kernel that is compiled once, whatever the policy.

A number is an interval that holds the exact one; a truth is the set of what it may be. Each row of the program is an operation
on earlier slots:

1. Inputs become intervals (`_read`). A whole number below 2**52 is meant exactly; any other stands for whatever rounds to it,
   or is a rounding away. NaN is unknown, an infinity is a number of which nothing is known here.
2. Each operation's bounds are moved outward by more than the float operation and the exact one, of 28 digits, can round
   (`_wide`); whole numbers stay exact, as they are in both.
3. Where an operand is surely unknown, so is the result; where nothing is known, anything may be.

INVARIANT: what the exact evaluation (`tb.engine.decide`) gives is among what is told here. The proof by rounding: both
evaluations round to nearest, by at most 2**-53 and 10**-27 of the result, or by less than 10**-300 where it is tiny; a bound
moves by 2**-50 of itself and 10**-300, and moving it rounds by at most 2**-53 again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb.vocabulary.kernels.compiled import part, short

TRUE, FALSE, UNKNOWN = 1, 2, 4  # what a truth may be: their sum
ANY = TRUE + FALSE + UNKNOWN
ADD, SUB, MUL, DIV, NEG, ABS, MIN, MAX = range(8)
IF_ZERO, IF_POSITIVE = 8, 9  # of three operands: the second where the first is 0 (above 0), else the third
LT, LE, GT, GE, EQ, NE = range(10, 16)
AND, OR, NOT, IS_SET, IS_TRUE = range(16, 21)  # `IS_TRUE` reads a truth that came as an input: 1, 0 or unknown
READ = 21  # makes an interval of an input
TEST = 22  # a root, after all operations: whether it is true for certain
WHOLE = 2.0**52
_MOST, _LEAST, _STEP = 1e300, 1e-300, 2.0**-50
LOW, HIGH, GIVEN, VAGUE = range(4)  # rows of the work space
FAILS, OPEN = 1, 2  # what a run finds: their sum


@part
def _wide(low: float, high: float) -> tuple[float, float]:
    """The bounds of a rounded result; nothing is known of one that is not finite, or beyond what is looked at."""
    low, high = low - abs(low) * _STEP - _LEAST, high + abs(high) * _STEP + _LEAST
    if low > -_MOST and high < _MOST:
        return low, high
    return -math.inf, math.inf


@part
def _read(value: float, vague: float) -> tuple[float, float]:
    if math.isnan(value) or (vague == 0.0 and value == math.floor(value) and abs(value) < WHOLE):
        return value, value
    if math.isinf(value):
        return -math.inf, math.inf
    return _wide(value, value)


@part
def _number(op: int, a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """The result of an operation on [a, b] and [c, d], unknown where one is; nothing is known of what is infinite."""
    if math.isnan(a) or math.isnan(c):
        return math.nan, math.nan
    if math.isinf(b) or math.isinf(d):
        return -math.inf, math.inf
    if op >= NEG:
        return _moved(op, a, b, c, d)
    is_whole = a == b and c == d and a == math.floor(a) and c == math.floor(c)
    if op <= SUB:
        low, high = (a + c, b + d) if op == ADD else (a - d, b - c)
    else:
        if op == DIV:
            if c == 0.0 and d == 0.0:
                return math.nan, math.nan
            if c <= 0.0 <= d:
                return -math.inf, math.inf
            low, high, third, fourth = a / c, a / d, b / c, b / d
            is_whole = False
        else:
            low, high, third, fourth = a * c, a * d, b * c, b * d
        if low > high:
            low, high = high, low
        if third > fourth:
            third, fourth = fourth, third
        low = third if third < low else low
        high = fourth if fourth > high else high
    # exact while it is a whole number of whole ones that float64 and Decimal both have
    if is_whole and low == math.floor(low) and abs(low) < WHOLE:
        return low, low
    return _wide(low, high)


@part
def _moved(op: int, a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """Of what rounds nothing: a sign, or one of the two."""
    if op == NEG:
        return -b, -a
    if op == ABS:
        if a >= 0.0:
            return a, b
        return (-b, -a) if b <= 0.0 else (0.0, b if b > -a else -a)
    if op == MIN:
        return c if c < a else a, d if d < b else b
    return c if c > a else a, d if d > b else b


@part
def _chosen(op: int, a: float, b: float, c: float, d: float, e: float, f: float) -> tuple[float, float]:
    """[c, d] or [e, f], by [a, b]; both where that is not certain."""
    if math.isnan(a) or math.isnan(c) or math.isnan(e):
        return math.nan, math.nan
    if math.isinf(b) or math.isinf(d) or math.isinf(f):
        return -math.inf, math.inf
    if (a == 0.0 and b == 0.0) if op == IF_ZERO else a > 0.0:
        return c, d
    if (a > 0.0 or b < 0.0) if op == IF_ZERO else b <= 0.0:
        return e, f
    return e if e < c else c, f if f > d else d


@part
def _compared(op: int, a: float, b: float, c: float, d: float) -> int:
    """What a comparison of [a, b] with [c, d] may be; anything where one is not known, and unknown where one is that."""
    if math.isnan(a) or math.isnan(c):
        return UNKNOWN
    if math.isinf(b) or math.isinf(d):
        return ANY
    if op >= EQ:
        if b < c or a > d:
            return FALSE if op == EQ else TRUE
        if a == b and c == d and a == c:
            return TRUE if op == EQ else FALSE
        return TRUE + FALSE
    if op >= GT:
        a, b, c, d = c, d, a, b
        op -= GT - LT
    if b < c or (op == LE and b == c):
        return TRUE
    return FALSE if a > d or (op == LT and a == d) else TRUE + FALSE


@part
def _joined(op: int, one: int, two: int) -> int:
    """`and` or `or` of two truths: false wins over unknown in the one, true in the other."""
    wins, yields = (FALSE, TRUE) if op == AND else (TRUE, FALSE)
    found = ((one | two) & wins) | (one & two & yields)
    left = yields | UNKNOWN
    if (one | two) & UNKNOWN and one & left and two & left:
        found |= UNKNOWN
    return found


@part
def _truth(op: int, a: float, b: float, c: float) -> int:
    """What an operation on truths may be, or a question about a number [a, b]."""
    may: Any = np.int64(a)  # of a NaN, which is no truth, some number that is not looked at
    if op <= OR:
        other: Any = np.int64(c)
        return _joined(op, may, other)
    if op == NOT:
        turned: int = (may & UNKNOWN) + (FALSE if may & TRUE else 0) + (TRUE if may & FALSE else 0)
        return turned
    if op == IS_SET:
        return FALSE if math.isnan(a) else TRUE + FALSE if math.isinf(b) else TRUE
    return UNKNOWN if math.isnan(a) else TRUE if a == 1.0 else FALSE if b == 0.0 else ANY


@short
def settle(rows: NDArray[np.uint32], work: NDArray[np.float64], operations: int) -> int:
    """Runs a part of a program: so many rows of (operation, three slots that it reads, the slot for its result), then rows of
    roots: comparisons, or `TEST` of what there is.

    `work` has the inputs in `GIVEN`, in `VAGUE` which of them may be whole though what they stand for is not, and the bounds of
    constants, and of what another part has found, in `LOW` and `HIGH`. What a root may be stands in `LOW` afterwards. Returns 0
    where all are true for certain; else `FAILS` where one surely is not, `OPEN` where one is not certain, or both.
    """
    low, high = work[LOW], work[HIGH]
    for row in range(operations):
        op: Any = np.int64(rows[row, 0])
        one, two, to = rows[row, 1], rows[row, 2], rows[row, 4]
        a, b, c, d = low[one], high[one], low[two], high[two]
        if op <= MAX:
            low[to], high[to] = _number(op, a, b, c, d)
        elif op <= IF_POSITIVE:
            three = rows[row, 3]
            low[to], high[to] = _chosen(op, a, b, c, d, low[three], high[three])
        elif op <= NE:
            low[to] = _compared(op, a, b, c, d)
        elif op <= IS_TRUE:
            low[to] = _truth(op, a, b, c)
        else:
            low[to], high[to] = _read(work[GIVEN, to], work[VAGUE, to])
    found = 0
    for row in range(operations, rows.shape[0]):
        op = np.int64(rows[row, 0])
        one, two, to = rows[row, 1], rows[row, 2], rows[row, 4]
        a, b, c, d = low[one], high[one], low[two], high[two]
        if op == TEST:
            is_true = a == TRUE
        elif op == LE:
            is_true = b <= c
        elif op == GE:
            is_true = a >= d
        elif op == LT:
            is_true = b < c
        else:
            is_true = op == GT and a > d
        if is_true:
            low[to] = TRUE
            continue
        may: Any = np.int64(a)
        if op != TEST:
            may = _compared(op, a, b, c, d)
        low[to] = may
        if may != TRUE:
            is_told = may == FALSE or may == UNKNOWN  # noqa: PLR1714 (a search in a tuple takes long to compile)
            found |= FAILS if is_told else OPEN
    return found
