"""Operations of one instant over columns, and windows of truth values: the same meaning as `tb.engine.instant`, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import Constant
from tb.vocabulary.pointwise import POINTWISE
from tb.vocabulary.run import compare, evaluate_pointwise, join

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shape = int | tuple[int, ...]
# what a comparison gives where its left side is below, equal and above
CASES = {
    "lt": (1.0, 0.0, 0.0),
    "le": (1.0, 1.0, 0.0),
    "gt": (0.0, 0.0, 1.0),
    "ge": (0.0, 1.0, 1.0),
    "eq": (0.0, 1.0, 0.0),
    "ne": (1.0, 0.0, 1.0),
}
LONG_AGO = -(2**60)


def pointwise(op: str, consts: Sequence[Constant], args: Sequence[Floats], size: Shape) -> Floats:
    """`op` at each bar; NaN is unknown, and what is not finite becomes unknown. `size` is the shape of all arguments."""
    if op in CASES:
        return compare(CASES[op], args[0], args[1])
    if op in {"and", "or"}:
        return join(0.0 if op == "and" else 1.0, args)
    with np.errstate(all="ignore"):
        match op:
            case "best":
                return _best(args, size)
            case "regime" | "first":
                return _regime(len(consts), args, size)
            case "pick":
                return _pick(args[0], args[1:], size)
            case "signal":
                return _signal(consts, args[0], args[1:])
            case "agrees":
                return _agrees(str(consts[0]), args[1], args[2:])
            case "conviction":
                return _conviction(float(_number(consts[0])), args, size)
            case "agree":
                return _known(args, np.zeros(size, dtype=np.bool_)) + sum((arg == 1.0 for arg in args), np.zeros(size))
            case "signal_is":
                return _known(args, np.sign(args[0]) == _number(consts[0]))
            case "strength":
                return np.abs(args[0])
            case "not":
                return 1.0 - args[0]
            case "member":
                return _known(args, args[0] >= 0.0)
            case "regime_is" | "first_is":
                return _known(args, args[0] == float(_number(consts[0])))
            case "score":
                return _score(consts, args, size)
            case "ramp":
                return _ramp(consts, args[0])
            case "neg":
                return -args[0]
            case "add":
                return _finite(args[0] + args[1])
            case "sub":
                return _finite(args[0] - args[1])
            case "mul":
                return _finite(args[0] * args[1])
            case "div":
                return _finite(np.where(args[1] == 0.0, np.nan, args[0] / args[1]))
            case _:
                return evaluate_pointwise(POINTWISE[op], np.array(args).reshape(len(args), -1)).reshape(size)


def lasting(op: str, values: Floats, length: int, ago: Ints) -> Floats:
    """`every` or `some` over the last `length` values at each bar of `values` [k, n].

    `ago` [2, k] is carried from chunk to chunk, and changed: the place, seen from the first bar, of the newest value before it
    that decides, and of the newest unknown one. `not_yet` gives it for the first bar of a history.
    """
    deciding = 0.0 if op == "every" else 1.0
    places = np.arange(values.shape[1])
    if not len(places):
        return np.empty(values.shape)
    found = []
    for truth, carried in zip((values == deciding, np.isnan(values)), ago, strict=True):
        last = np.maximum(np.maximum.accumulate(np.where(truth, places, LONG_AGO), axis=1), carried[:, None])
        found.append(places - last < length)
        carried[:] = last[:, -1] - len(places)
    decided, unknown = found
    return np.where(decided, deciding, np.where(unknown, np.nan, 1.0 - deciding))


def not_yet(instruments: int) -> Ints:
    """What `lasting` carries before the first bar: nothing has decided, and everything before is unknown."""
    return np.array([[LONG_AGO] * instruments, [-1] * instruments])


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _known(args: Sequence[Floats], truth: NDArray[np.bool_]) -> Floats:
    unknown = np.isnan(args[0])
    for other in args[1:]:
        unknown = unknown | np.isnan(other)
    return np.where(unknown, np.nan, truth.astype(np.float64))


def _best(args: Sequence[Floats], size: Shape) -> Floats:
    highest = np.full(size, -np.inf)
    unknown = np.zeros(size, dtype=np.bool_)
    for when, confidence in zip(args[::2], args[1::2], strict=True):
        fired = when == 1.0
        unknown |= fired & np.isnan(confidence)
        highest = np.where(fired & ~np.isnan(confidence), np.maximum(highest, confidence), highest)
    return np.where(unknown, np.nan, _finite(highest))


def _regime(cases: int, conditions: Sequence[Floats], size: Shape) -> Floats:
    found = np.full(size, float(len(conditions)) if len(conditions) < cases else np.nan)
    for at in range(len(conditions) - 1, -1, -1):
        condition = conditions[at]
        found = np.where(np.isnan(condition), np.nan, np.where(condition == 1.0, float(at), found))
    return found


def _pick(chosen: Floats, outcomes: Sequence[Floats], size: Shape) -> Floats:
    found = np.full(size, np.nan)
    for at, outcome in enumerate(outcomes):
        found = np.where(chosen == float(at), outcome, found)
    return found


def _signal(signs: Sequence[Constant], chosen: Floats, convictions: Sequence[Floats]) -> Floats:
    found = np.where(chosen == float(len(convictions)), 0.0, np.nan)
    for at, (sign, conviction) in enumerate(zip(signs, convictions, strict=False)):
        said = np.where((conviction >= 1.0) & (conviction <= 10.0), _number(sign) * conviction, np.nan)
        found = np.where(chosen == float(at), said, found)
    return found


def _agrees(op: str, bound: Floats, votes: Sequence[Floats]) -> Floats:
    known, unknown = np.zeros(bound.shape), np.zeros(bound.shape)
    for vote in votes:
        known, unknown = known + (vote == 1.0), unknown + np.isnan(vote)
    can_be, can_fail = np.zeros(bound.shape, dtype=np.bool_), np.zeros(bound.shape, dtype=np.bool_)
    for more in range(len(votes) + 1):
        possible = unknown >= more
        holds = pointwise(op, (), [known + more, bound], bound.shape)
        can_be, can_fail = can_be | (possible & (holds == 1.0)), can_fail | (possible & (holds == 0.0))
    return np.where(np.isnan(bound) | (can_be & can_fail), np.nan, can_be.astype(np.float64))


def _conviction(sign: float, said: Sequence[Floats], size: Shape) -> Floats:
    total, agreeing, unknown = np.zeros(size), np.zeros(size), np.zeros(size)
    for value in said:
        agrees, is_unknown = value * sign > 0.0, np.isnan(value)
        total = total + np.where(is_unknown, 1.0, np.where(agrees, np.abs(value), 0.0))
        agreeing, unknown = agreeing + agrees, unknown + is_unknown
    return np.where(agreeing > 0.0, total / np.maximum(agreeing + unknown, 1.0), np.nan)


def _score(points: Sequence[Constant], conditions: Sequence[Floats], size: Shape) -> Floats:
    total = np.zeros(size)
    for each, condition in zip(points, conditions, strict=True):
        total = total + float(_number(each)) * condition
    return np.where(total < 0.0, 0.0, total)


def _ramp(consts: Sequence[Constant], driver: Floats) -> Floats:
    low, high, start, end = (float(_number(c)) for c in consts)
    share = (driver - start) / (end - start)
    share = np.where(share < 0.0, 0.0, np.where(share > 1.0, 1.0, share))
    return low + (high - low) * share


def _number(constant: Constant) -> float:
    assert isinstance(constant, Decimal | int | float)
    return float(constant)
