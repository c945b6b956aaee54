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

from tb.vocabulary.kernels.compiled import compiled, short

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
def _tested(op: int, a: float, b: float, c: float, d: float) -> int:
    """What any comparison may be."""
    if math.isnan(a) or math.isnan(c):
        return UNKNOWN
    return ANY if math.isinf(b) or math.isinf(d) else _compared(op, a, b, c, d)


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


@short
def settle(rows: NDArray[np.uint32], work: NDArray[np.float64], operations: int) -> int:
    """Runs a part of a program: so many rows of (operation, three slots that it reads, the slot for its result), then rows of
    roots: comparisons, or `TEST` of what there is.

    `work` has the inputs in `GIVEN`, in `VAGUE` which of them may be whole though what they stand for is not, and the bounds of
    constants, and of what another part has found, in `LOW` and `HIGH`. What a root may be stands in `LOW` afterwards. Returns 0
    where all are true for certain; else `FAILS` where one surely is not, `OPEN` where one is not certain, or both.
    """
    low, high, given, vague = work[LOW], work[HIGH], work[GIVEN], work[VAGUE]
    for row in range(operations):
        op, one, two, three, to = rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3], rows[row, 4]
        a, c = low[one], low[two]
        if op <= MAX:
            if math.isnan(a) or math.isnan(c):
                low[to], high[to] = math.nan, math.nan
            else:
                low[to], high[to] = _number(op, a, high[one], c, high[two])
        elif op <= IF_POSITIVE:
            low[to], high[to] = _chosen(op, a, high[one], c, high[two], low[three], high[three])
        elif op <= NE:
            low[to] = _tested(op, a, high[one], c, high[two])
        elif op <= OR:
            low[to] = _joined(op, int(a), int(c))
        elif op == NOT:
            may = int(a)
            low[to] = (may & UNKNOWN) + (FALSE if may & TRUE else 0) + (TRUE if may & FALSE else 0)
        elif op == IS_SET:
            low[to] = FALSE if math.isnan(a) else TRUE + FALSE if math.isinf(high[one]) else TRUE
        elif op == IS_TRUE:
            low[to] = UNKNOWN if math.isnan(a) else TRUE if a == 1.0 else FALSE if high[one] == 0.0 else ANY
        else:
            low[to], high[to] = _read(given[to], vague[to] == 0.0)
    found = 0
    for row in range(operations, rows.shape[0]):
        op, one, two, to = rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 4]
        if op == TEST:
            is_true = low[one] == TRUE
        elif op == LE:
            is_true = high[one] <= low[two]
        elif op == GE:
            is_true = low[one] >= high[two]
        elif op == LT:
            is_true = high[one] < low[two]
        else:
            is_true = op == GT and low[one] > high[two]
        if is_true:
            low[to] = TRUE
            continue
        may = int(low[one]) if op == TEST else _tested(op, low[one], high[one], low[two], high[two])
        low[to] = may
        if may != TRUE:
            found |= FAILS if may in (FALSE, UNKNOWN) else OPEN
    return found
