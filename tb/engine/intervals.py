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

import numpy as np
from numpy.typing import NDArray

from tb.vocabulary.kernels.compiled import compiled

TRUE, FALSE, UNKNOWN = 1, 2, 4  # what a truth may be: their sum
ANY = TRUE + FALSE + UNKNOWN
ADD, SUB, MUL, DIV, NEG, ABS, MIN, MAX = range(8)
IF_ZERO, IF_POSITIVE = 8, 9  # of three operands: the second where the first is 0 (above 0), else the third
LT, LE, GT, GE, EQ, NE = range(10, 16)
AND, OR, NOT, IS_SET, IS_TRUE = range(16, 21)  # `IS_TRUE` reads a truth that came as an input: 1, 0 or unknown
TEST = 21  # a root: what it may be is told
WHOLE = 2.0**52
_MOST, _LEAST, _STEP = 1e300, 1e-300, 2.0**-50
LOW, HIGH, GIVEN, TOLD, VAGUE = range(5)  # rows of the work space
FAILS, OPEN = 1, 2  # what a run finds: their sum


@compiled
def _wide(low: float, high: float) -> tuple[float, float]:
    """The bounds of a rounded result; nothing is known of one that is not finite, or beyond what is looked at."""
    low, high = low - abs(low) * _STEP - _LEAST, high + abs(high) * _STEP + _LEAST
    if low > -_MOST and high < _MOST:
        return low, high
    return -math.inf, math.inf


@compiled
def _read(value: float, is_exact: bool) -> tuple[float, float]:
    if math.isnan(value) or (is_exact and value == math.floor(value) and abs(value) < WHOLE):
        return value, value
    if math.isinf(value):
        return -math.inf, math.inf
    return _wide(value, value)


@compiled
def _settled(exact: float, low: float, high: float) -> tuple[float, float]:
    """The bounds of a result of whole numbers (1.0), exact while it is one that float64 and Decimal both have, or of others."""
    if exact == 1.0 and low == math.floor(low) and abs(low) < WHOLE:
        return low, low
    return _wide(low, high)


@compiled
def _ends(p: float, q: float, r: float, s: float) -> tuple[float, float]:
    return min(p, q, r, s), max(p, q, r, s)


@compiled
def _number(op: int, a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """The result of an operation on [a, b] and [c, d], both known; nothing is known of what is infinite."""
    if math.isinf(b) or math.isinf(d):
        return -math.inf, math.inf
    if op == NEG:
        return -b, -a
    if op == ABS:
        if a >= 0.0:
            return a, b
        return (-b, -a) if b <= 0.0 else (0.0, max(-a, b))
    if op == MIN:
        return min(a, c), min(b, d)
    if op == MAX:
        return max(a, c), max(b, d)
    whole = 1.0 if a == b and c == d and a == math.floor(a) and c == math.floor(c) else 0.0
    if op == ADD:
        return _settled(whole, a + c, b + d)
    if op == SUB:
        return _settled(whole, a - d, b - c)
    if op == MUL:
        return _settled(whole, *_ends(a * c, a * d, b * c, b * d))
    if c == 0.0 and d == 0.0:
        return math.nan, math.nan
    if c <= 0.0 <= d:
        return -math.inf, math.inf
    return _wide(*_ends(a / c, a / d, b / c, b / d))


@compiled
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
    return min(c, e), max(d, f)


@compiled
def _compared(op: int, a: float, b: float, c: float, d: float) -> int:
    """What a comparison of [a, b] with [c, d], both known and finite, may be."""
    if op == LT:
        return TRUE if b < c else FALSE if a >= d else TRUE + FALSE
    if op == LE:
        return TRUE if b <= c else FALSE if a > d else TRUE + FALSE
    if op == GT:
        return TRUE if a > d else FALSE if b <= c else TRUE + FALSE
    if op == GE:
        return TRUE if a >= d else FALSE if b < c else TRUE + FALSE
    apart = b < c or a > d
    same = a == b and c == d and a == c
    if op == EQ:
        return FALSE if apart else TRUE if same else TRUE + FALSE
    return TRUE if apart else FALSE if same else TRUE + FALSE


@compiled
def _joined(op: int, one: int, two: int) -> int:
    """`and` or `or` of two truths: false wins over unknown in the one, true in the other."""
    wins, yields = (FALSE, TRUE) if op == AND else (TRUE, FALSE)
    found = 0
    if (one | two) & wins:
        found |= wins
    if one & two & yields:
        found |= yields
    if (one | two) & UNKNOWN and one & (yields | UNKNOWN) and two & (yields | UNKNOWN):
        found |= UNKNOWN
    return found


@compiled
def settle(rows: NDArray[np.uint32], work: NDArray[np.float64], inputs: int) -> int:
    """Runs a program: each row is (operation, three slots that it reads, the slot for its result).

    `work` has the inputs in `GIVEN`, in `VAGUE` which of them may be whole though what they stand for is not, and the bounds of
    the constants, behind the inputs, in `LOW` and `HIGH`. What each root may be stands in `TOLD` afterwards. Returns 0 where
    all are true for certain; else `FAILS` where one surely is not, `OPEN` where one is not certain, or both.
    """
    low, high, given, told, vague = work[LOW], work[HIGH], work[GIVEN], work[TOLD], work[VAGUE]
    for at in range(inputs):
        low[at], high[at] = _read(given[at], vague[at] == 0.0)
    found = 0
    for row in range(rows.shape[0]):
        op, one, two, three, to = rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3], rows[row, 4]
        a, c = low[one], low[two]
        if op == TEST:
            told[to] = a
            if a != TRUE:
                found |= FAILS if a in (FALSE, UNKNOWN) else OPEN
        elif op <= MAX:
            if math.isnan(a) or math.isnan(c):
                low[to], high[to] = math.nan, math.nan
            else:
                low[to], high[to] = _number(op, a, high[one], c, high[two])
        elif op <= IF_POSITIVE:
            low[to], high[to] = _chosen(op, a, high[one], c, high[two], low[three], high[three])
        elif op <= NE:
            b, d = high[one], high[two]
            if math.isnan(a) or math.isnan(c):
                low[to] = UNKNOWN
            else:
                low[to] = ANY if math.isinf(b) or math.isinf(d) else _compared(op, a, b, c, d)
        elif op <= OR:
            low[to] = _joined(op, int(a), int(c))
        elif op == NOT:
            may = int(a)
            low[to] = (may & UNKNOWN) + (FALSE if may & TRUE else 0) + (TRUE if may & FALSE else 0)
        elif op == IS_SET:
            low[to] = FALSE if math.isnan(a) else TRUE + FALSE if math.isinf(high[one]) else TRUE
        else:
            low[to] = UNKNOWN if math.isnan(a) else TRUE if a == 1.0 else FALSE if high[one] == 0.0 else ANY
    return found
