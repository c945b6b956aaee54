"""The meaning of every operation of one instant, in plain Python: the reference for both stages.

Market stage: float64, NaN is unknown, a result that is not finite is unknown. Truth is 1.0, 0.0, NaN.
Decision stage: Decimal with 28 digits, None is unknown, truth is True, False, None; text compares with text.
Both use Kleene's three-valued logic: false wins over unknown in `and`, true wins in `or`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Context, Decimal

from tb.engine.graph import Constant
from tb.vocabulary.pointwise import POINTWISE

NAN = math.nan
Exact = Decimal | str | bool | None
# quiet: an impossible operation gives NaN or an infinity, which `_settled` turns into unknown
EXACT = Context(prec=28, traps=[])


def market_value(op: str, consts: Sequence[Constant], args: Sequence[float]) -> float:
    """One operation on market values."""
    match op:
        case "and":
            return 0.0 if 0.0 in args else NAN if any(map(math.isnan, args)) else 1.0
        case "or":
            return 1.0 if 1.0 in args else NAN if any(map(math.isnan, args)) else 0.0
        case "best":
            fired = [args[i + 1] for i in range(0, len(args), 2) if args[i] == 1.0]
            return max(fired) if fired and not any(map(math.isnan, fired)) else NAN
        case "regime" | "first":
            return _regime(len(consts), args)
        case "pick":
            return args[1 + int(args[0])] if 0.0 <= args[0] < len(args) - 1 else NAN
        case "signal" | "agrees" | "conviction":
            return signal_value(op, consts, args)
        case _ if any(map(math.isnan, args)):
            return NAN
        case "not":
            return 1.0 - args[0]
        case "member":
            return 1.0 if args[0] >= 0.0 else 0.0
        case "regime_is" | "first_is":
            return 1.0 if args[0] == consts[0] else 0.0
        case "signal_is":
            return 1.0 if (args[0] > 0.0) - (args[0] < 0.0) == consts[0] else 0.0
        case "strength":
            return abs(args[0])
        case "agree":
            return float(args.count(1.0))
        case "score":
            return _score(consts, args)
        case "ramp":
            return _ramp(consts, args[0])
        case "lt" | "le" | "gt" | "ge" | "eq" | "ne":
            return 1.0 if _ordered(op, args[0], args[1]) else 0.0
        case "neg":
            return -args[0]
        case "add" | "sub" | "mul" | "div":
            return _arithmetic(op, args[0], args[1])
        case _:
            return POINTWISE[op].value(*args)


def _regime(cases: int, conditions: Sequence[float]) -> float:
    for at, condition in enumerate(conditions):
        if math.isnan(condition):
            return NAN
        if condition == 1.0:
            return float(at)
    return float(len(conditions)) if len(conditions) < cases else NAN


def signal_value(op: str, consts: Sequence[Constant], args: Sequence[float]) -> float:
    """What signals say and how many agree; an argument that is unknown need not make these unknown."""
    match op:
        case "signal":
            return _signal(consts, args[0], args[1:])
        case "agrees":
            return _agrees(str(consts[0]), args[1], args[2:])
        case _:
            return _conviction(consts[0], args)


def _signal(signs: Sequence[Constant], chosen: float, convictions: Sequence[float]) -> float:
    """The conviction of the case chosen, with the sign of its direction; 0 where none is."""
    if math.isnan(chosen):
        return NAN
    if chosen == len(convictions):
        return 0.0
    conviction, sign = convictions[int(chosen)], signs[int(chosen)]
    assert isinstance(sign, int)
    return sign * conviction if 1.0 <= conviction <= 10.0 else NAN


def _agrees(op: str, bound: float, votes: Sequence[float]) -> float:
    """The comparison of a count of votes: known once it is the same however the unknown votes fall."""
    if math.isnan(bound):
        return NAN
    known = sum(1 for vote in votes if vote == 1.0)
    unknown = sum(1 for vote in votes if math.isnan(vote))
    answers = {_ordered(op, float(count), bound) for count in range(known, known + unknown + 1)}
    return NAN if len(answers) == 2 else 1.0 if True in answers else 0.0


def _conviction(sign: Constant, said: Sequence[float]) -> float:
    """The mean conviction of the signals that say the direction; one that is unknown counts as the least that it could be."""
    assert isinstance(sign, int)
    total, agreeing, unknown = 0.0, 0, 0
    for value in said:
        if math.isnan(value):
            total, unknown = total + 1.0, unknown + 1
        elif value * sign > 0.0:
            total, agreeing = total + abs(value), agreeing + 1
    return total / (agreeing + unknown) if agreeing else NAN


def _score(points: Sequence[Constant], conditions: Sequence[float]) -> float:
    total = 0.0
    for each, condition in zip(points, conditions, strict=True):
        assert isinstance(each, Decimal)
        total = total + float(each) * condition
    return max(total, 0.0)


def _ramp(consts: Sequence[Constant], driver: float) -> float:
    low, high, start, end = (float(c) for c in consts if c is not None)
    share = (driver - start) / (end - start)
    share = 0.0 if share < 0.0 else 1.0 if share > 1.0 else share
    return low + (high - low) * share


def _arithmetic(op: str, left: float, right: float) -> float:
    if op == "div" and right == 0.0:
        return NAN
    result = left + right if op == "add" else left - right if op == "sub" else left * right if op == "mul" else left / right
    return result if math.isfinite(result) else NAN


def _ordered(op: str, left: float | Decimal, right: float | Decimal) -> bool:
    match op:
        case "lt":
            return left < right
        case "le":
            return left <= right
        case "gt":
            return left > right
        case "ge":
            return left >= right
        case "eq":
            return left == right
        case _:
            return left != right


def exact(value: float | None) -> Decimal | None:
    """A market value as it enters the decision stage: by its shortest text; NaN and infinities are unknown."""
    if value is None or not math.isfinite(value):
        return None
    return Decimal(repr(float(value)))


def decision_value(op: str, consts: Sequence[Constant], args: Sequence[Exact]) -> Exact:
    """One operation on exact values."""
    match op:
        case "and":
            return False if any(a is False for a in args) else None if None in args else True
        case "or":
            return True if any(a is True for a in args) else None if None in args else False
        case "is_set":
            return args[0] is not None
        case "first":
            return _first(len(consts), args)
        case "pick":
            return args[1 + int(args[0])] if isinstance(args[0], Decimal) else None
        case _ if any(a is None for a in args):
            return None
        case "not":
            return not args[0]
        case "first_is":
            return args[0] == consts[0]
        case "one_of":
            names = consts[1:] if len(args) == 1 else str(args[1]).split(",")
            return args[0] in names
        case "eq":
            return args[0] == args[1]
        case "ne":
            return args[0] != args[1]
        case "lt" | "le" | "gt" | "ge":
            left, right = args
            assert isinstance(left, Decimal)
            assert isinstance(right, Decimal)
            return _ordered(op, left, right)
        case _:
            return _settled(op, [a for a in args if isinstance(a, Decimal)])


def _first(cases: int, conditions: Sequence[Exact]) -> Decimal | None:
    for at, condition in enumerate(conditions):
        if condition is None:
            return None
        if condition is True:
            return Decimal(at)
    return Decimal(len(conditions)) if len(conditions) < cases else None


def _settled(op: str, args: list[Decimal]) -> Decimal | None:
    result = _exact_number(op, args)
    return result if result.is_finite() else None


def _exact_number(op: str, args: list[Decimal]) -> Decimal:
    match op:
        case "neg":
            return EXACT.minus(args[0])
        case "add":
            return EXACT.add(args[0], args[1])
        case "sub":
            return EXACT.subtract(args[0], args[1])
        case "mul":
            return EXACT.multiply(args[0], args[1])
        case "div":
            return EXACT.divide(args[0], args[1])
        case "abs":
            return abs(args[0])
        case "min":
            return min(args)
        case "max":
            return max(args)
        case "sign":
            return Decimal((args[0] > 0) - (args[0] < 0))
        case "log":
            return EXACT.ln(args[0])
        case "exp":
            return EXACT.exp(args[0])
        case "sqrt":
            return EXACT.sqrt(args[0])
        case _:
            raise AssertionError(f"`{op}` has no exact meaning")
