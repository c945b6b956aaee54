"""Which orders of a course surely pass every constraint: all of them at once, in floats with their errors.

As in `tb.gate.foresight`, but about orders: a comparison closer than the error of its sides is undecided, and so is whatever
else is not understood here. INVARIANT: an order that is said to pass has no bit in the gate's judgement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tb.engine.derived import DERIVED
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, decision_value
from tb.engine.plan import ConstraintPlan

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_STEP = 1e-15  # more than the relative error of one rounded operation
_COMPARE = frozenset(("lt", "le", "gt", "ge"))
_CHOOSING = frozenset(("first", "pick"))  # known where what they do not choose is unknown


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A number of each order, known, and how far it may be from the exact one; one of all orders where neither is an array."""

    value: Floats | np.float64
    error: Floats | np.float64

    @classmethod
    def of(cls, value: Floats | np.float64) -> Number:
        return cls(value, np.abs(value) * _STEP)


@dataclass(frozen=True, slots=True)
class Same:
    """What is the same for all orders, exactly."""

    value: Exact


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Where it may be true, and where it may be false; the same for all orders where it is no array."""

    true: Bools | np.bool_
    false: Bools | np.bool_


Column = Number | Same | Truth | None  # None: not understood


def surely(graph: RuleGraph, constraints: Sequence[ConstraintPlan], leaves: Mapping[int, Column], size: int) -> Bools:
    """For each order whether it surely passes all constraints."""
    known: dict[int, Column] = dict(leaves)
    passes = np.ones(size, dtype=np.bool_)
    for constraint in constraints:
        for node in _unknown(graph, constraint.node, known):
            known[node] = _evaluate(graph, node, known)
        found = known[constraint.node]
        if isinstance(found, Same):
            passes &= found.value is True
        elif isinstance(found, Truth):
            passes &= ~found.false
        else:
            passes[:] = False
    return passes


def _unknown(graph: RuleGraph, root: int, known: Mapping[int, Column]) -> list[int]:
    """What a root depends on and nobody knows yet, in evaluation order. Nothing below what is known is looked at: a leaf comes
    with its value, and what the market made it of has no exact one."""
    found, stack = set[int](), [root]
    while stack:
        node = stack.pop()
        if node not in known and node not in found:
            found.add(node)
            stack.extend(graph[node].args)
    return sorted(found)


def _evaluate(graph: RuleGraph, id_: int, known: Mapping[int, Column]) -> Column:
    node = graph[id_]
    if node.op == "const":
        value = node.consts[0]
        return Same(value) if isinstance(value, Decimal | str) else None
    args = [known[arg] for arg in node.args]
    said = [arg.value for arg in args if isinstance(arg, Same)]
    if (node.op == "or" and True in said) or (node.op == "and" and False in said):
        return Same(node.op == "or")  # whatever the others are
    if node.op == "fact" or node.stage != "decision" or any(arg is None for arg in args):
        return None
    if len(said) == len(args):
        if node.op != "derived":
            return Same(decision_value(node.op, node.consts, said))
        return Same(None if None in said else DERIVED[str(node.consts[0])](*said))
    if node.op in {"and", "or", "not"}:
        return _logic(node.op, args)
    if node.op == "is_set":
        return Same(True) if isinstance(args[0], Number) else None
    if None in said and node.op not in _CHOOSING:
        return Same(None)
    numbers = [_number(arg) for arg in args]
    found = [number for number in numbers if number is not None]
    if len(found) != len(numbers):
        return None
    if node.op in _COMPARE:
        return _compared(node.op, *found)
    return _derived(str(node.consts[0]), found) if node.op == "derived" else _arithmetic(node.op, found)


def _number(column: Column) -> Number | None:
    if isinstance(column, Same):
        return Number.of(np.float64(column.value)) if isinstance(column.value, Decimal) else None
    return column if isinstance(column, Number) else None


def _logic(op: str, args: Sequence[Column]) -> Column:
    everywhere, nowhere = np.True_, np.False_
    truths = []
    for arg in args:
        if isinstance(arg, Truth):
            truths.append(arg)
        elif isinstance(arg, Same) and isinstance(arg.value, bool):
            truths.append(Truth(everywhere, nowhere) if arg.value else Truth(nowhere, everywhere))
        else:
            return None  # unknown, or a number where there is none
    if op == "not":
        return Truth(truths[0].false, truths[0].true)
    true, false = [one.true for one in truths], [one.false for one in truths]
    if op == "and":
        return Truth(reduce(np.logical_and, true), reduce(np.logical_or, false))
    return Truth(reduce(np.logical_or, true), reduce(np.logical_and, false))


def _compared(op: str, left: Number, right: Number) -> Truth:
    gap = right.value - left.value if op in {"lt", "le"} else left.value - right.value
    error = left.error + right.error + _STEP * (np.abs(left.value) + np.abs(right.value))
    is_known = np.isfinite(gap) & np.isfinite(error)
    return Truth(~is_known | (gap >= -error), ~is_known | (gap <= error))


def _arithmetic(op: str, args: Sequence[Number]) -> Number | None:
    with np.errstate(all="ignore"):
        match op:
            case "neg":
                return Number(-args[0].value, args[0].error)
            case "abs":
                return Number(np.abs(args[0].value), args[0].error)
            case "add":
                return _added(args[0], args[1])
            case "sub":
                return _added(args[0], Number(-args[1].value, args[1].error))
            case "mul":
                return _multiplied(args[0], args[1])
            case "div":
                return _divided(args[0], args[1])
            case "min" | "max":
                fold = np.minimum if op == "min" else np.maximum
                return Number(reduce(fold, [a.value for a in args]), reduce(np.maximum, [a.error for a in args]))
            case _:
                return None


def _added(left: Number, right: Number) -> Number:
    size = np.abs(left.value) + np.abs(right.value)
    return Number(left.value + right.value, left.error + right.error + _STEP * size)


def _multiplied(left: Number, right: Number) -> Number:
    error = np.abs(left.value) * right.error + np.abs(right.value) * left.error + left.error * right.error
    value = left.value * right.value
    return Number(value, error + _STEP * np.abs(value))


def _divided(left: Number, right: Number) -> Number:
    """Unknown, as an infinite error, where the divisor may be 0."""
    least = np.abs(right.value) - right.error
    value = left.value / right.value
    error = np.where(least > 0, (left.error + np.abs(value) * right.error) / least, np.inf)
    return Number(value, error + _STEP * np.abs(value))


def _apart(left: Number, right: Number) -> Number:
    return _added(left, Number(-right.value, right.error))


def _absolute(number: Number) -> Number:
    return Number(np.abs(number.value), number.error)


def _derived(name: str, args: Sequence[Number]) -> Number | None:
    """The derived facts that orders are judged by, as `tb.engine.derived` has them."""
    with np.errstate(all="ignore"):
        match name:
            case "order.notional":
                return _multiplied(args[0], args[1])
            case "order.risk":
                return _multiplied(args[0], _absolute(_apart(args[1], args[2])))
            case "order.stop_gap":
                return _multiplied(args[0], _apart(args[1], args[2]))
            case "order.target_gap":
                return _multiplied(args[0], _apart(args[2], args[1]))
            case "reward_risk":
                return _divided(_absolute(_apart(args[2], args[0])), _absolute(_apart(args[0], args[1])))
            case "order.fee" | "order.margin":
                return _multiplied(_multiplied(args[0], args[1]), args[2])
            case "after.open_positions":
                return _added(args[0], args[1])
            case "after.exposure":
                inside, others, long, short, sign, quantity, price = args
                larger = _larger(long, short, sign, quantity, price)
                return _added(others, larger) if bool((inside.value == 1.0).all()) else None
            case "after.gross":
                others, long, short, sign, quantity, price = args
                return _added(others, _larger(long, short, sign, quantity, price))
            case _:
                return None


def _larger(long: Number, short: Number, sign: Number, quantity: Number, price: Number) -> Number:
    value = _multiplied(quantity, price)
    is_long = bool((sign.value > 0).all())
    long, short = (_added(long, value), short) if is_long else (long, _apart(short, value))
    error = np.maximum(long.error, short.error)
    return Number(np.maximum(np.abs(long.value), np.abs(short.value)), error)
