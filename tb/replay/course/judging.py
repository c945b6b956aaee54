"""What constraints surely say of the orders of a course: all of them at once, in floats with their errors.

As in `tb.gate.foresight`, but about orders: a comparison closer than the error of its sides is undecided, and so is whatever
else is not understood here. INVARIANT: an order that is said to pass has no bit in the gate's judgement, and masks are those
of the gate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from tb.engine.derived import DERIVED
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, decision_value
from tb.engine.plan import ConstraintPlan
from tb.engine.surely import Masks

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
EXACTLY = 1 << 53  # whole numbers up to here are floats
STEP = 1e-15  # more than the relative error of one rounded operation
_COMPARE = frozenset(("lt", "le", "gt", "ge", "eq", "ne"))
_CHOOSING = frozenset(("first", "pick"))  # known where what they do not choose is unknown


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A number of each order, and how far it may be from the exact one; one of all orders where neither is an array. It may be
    unknown where it is `missing`. Where it is `sharp` these floats are exact: it may come as far and no further."""

    value: Floats | np.float64
    error: Floats | np.float64
    missing: Bools | np.bool_ = np.False_
    sharp: bool = False

    @classmethod
    def of(cls, value: Floats | np.float64) -> Number:
        """NaN is what is not known."""
        missing = np.isnan(value)
        if bool(missing.any()):
            return cls(np.where(missing, 0.0, value), np.where(missing, np.inf, np.abs(value) * STEP), missing)
        return cls(value, np.abs(value) * STEP)

    def at(self, which: NDArray[np.int64]) -> Number:
        """Those of some orders."""
        missing = self.missing if isinstance(self.missing, np.bool_) else self.missing[which]
        return Number(self.value[which], self.error[which], missing, self.sharp)  # type: ignore[index]

    @classmethod
    def counted(cls, low: Floats, high: Floats) -> Number:
        """Anything between two whole numbers."""
        return cls((low + high) / 2, (high - low) / 2, sharp=True)

    @classmethod
    def within(cls, low: Floats, high: Floats) -> Number:
        """Anything between two numbers that are themselves next to exact ones."""
        return cls((low + high) / 2, (high - low) / 2 + 2 * STEP * (np.abs(low) + np.abs(high)))


@dataclass(frozen=True, slots=True)
class Same:
    """What is the same for all orders, exactly."""

    value: Exact


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Where it may be true, where it may be false and where it may be unknown; the same for all orders where it is no array."""

    true: Bools | np.bool_
    false: Bools | np.bool_
    unknown: Bools | np.bool_ = np.False_


Column = Number | Same | Truth | None  # None: not understood


_TRUE, _FALSE = Truth(np.True_, np.False_), Truth(np.False_, np.True_)
_UNKNOWN, _ANYTHING = Truth(np.False_, np.False_, np.True_), Truth(np.True_, np.True_, np.True_)


class Judging:
    """Some constraints of a graph, about leaves that are `still`, the same for all orders, and others that are `moving`. What
    follows from what is still is worked out once."""

    def __init__(
        self,
        graph: RuleGraph,
        constraints: Sequence[ConstraintPlan],
        still: Mapping[int, Column],
        moving: Collection[int],
    ) -> None:
        self._graph, self._roots = graph, [constraint.node for constraint in constraints]
        self._known: dict[int, Column] = dict(still)
        self._steps: list[int] = []
        pending: dict[int, Column] = dict.fromkeys(moving)
        for root in self._roots:
            for node in _not_known(graph, root, self._known | pending):
                if any(arg in pending for arg in graph[node].args):
                    pending[node] = None
                    self._steps.append(node)
                else:
                    self._known[node] = _evaluate(graph, node, self._known)

    def _truths(self, columns: Mapping[int, Column]) -> list[Truth]:
        """What each constraint may be."""
        known = {**self._known, **columns}
        for node in self._steps:
            known[node] = _evaluate(self._graph, node, known)
        return [_truth(known[root]) for root in self._roots]

    def passes(self, columns: Mapping[int, Column], size: int) -> Bools:
        """For each order whether all constraints surely pass, or are not known: as where constraints are watched."""
        passes = np.ones(size, dtype=np.bool_)
        for found in self._truths(columns):
            passes &= ~found.false
        return passes

    def fails(self, columns: Mapping[int, Column], size: int) -> Bools:
        """For each order whether some constraint is surely not true."""
        fails = np.zeros(size, dtype=np.bool_)
        for found in self._truths(columns):
            fails |= ~found.true
        return fails

    def unsure(self, columns: Mapping[int, Column], size: int) -> dict[int, Masks | None]:
        """The orders that do not surely pass all constraints, with the masks of what fails and of what is not known; None where
        these are not certain."""
        open_ = [(bit, found) for bit, found in enumerate(self._truths(columns)) if (found.false | found.unknown).any()]
        if not open_:
            return {}
        is_unsure = np.zeros(size, dtype=np.bool_)
        for _, found in open_:
            is_unsure |= found.false | found.unknown
        which = np.flatnonzero(is_unsure)
        may = [
            (bit, *(np.broadcast_to(part, size)[which].tolist() for part in (found.true, found.false, found.unknown)))
            for bit, found in open_
        ]
        return {
            k: _masks([(bit, true[at], false[at], no[at]) for bit, true, false, no in may])
            for at, k in enumerate(which.tolist())
        }


def _masks(may: Sequence[tuple[int, bool, bool, bool]]) -> Masks | None:
    """What fails and what is not known, of bits that may be true, false and unknown."""
    failed = unknown = 0
    for bit, true, false, no in may:
        if true + false + no != 1:
            return None
        failed, unknown = failed | false << bit, unknown | no << bit
    return failed, unknown


def _not_known(graph: RuleGraph, root: int, known: Mapping[int, Column]) -> list[int]:
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
    if node.op == "fact" or node.stage != "decision":
        return None
    if len(said) == len(args):
        if node.op != "derived":
            return Same(decision_value(node.op, node.consts, said))
        return Same(None if None in said else DERIVED[str(node.consts[0])](*said))
    if node.op in {"and", "or", "not"}:
        return _logic(node.op, [_truth(arg) for arg in args])
    if any(arg is None for arg in args) or node.op in _CHOOSING:
        return None
    if node.op == "is_set":
        return Truth(np.True_, args[0].missing | ~np.isfinite(args[0].error)) if isinstance(args[0], Number) else None
    if None in said:
        return Same(None)
    numbers = [_number(arg) for arg in args]
    found = [number for number in numbers if number is not None]
    if len(found) != len(numbers):
        return None
    missing = reduce(np.logical_or, [number.missing for number in found])
    if node.op in _COMPARE:
        return compared(node.op, found[0], found[1], missing)
    made = _derived(str(node.consts[0]), found) if node.op == "derived" else _arithmetic(node.op, found)
    return None if made is None else Number(made.value, made.error, missing)


def _number(column: Column) -> Number | None:
    if isinstance(column, Same):
        return _said(column.value) if isinstance(column.value, Decimal) else None
    return column if isinstance(column, Number) else None


@lru_cache(4_096)
def _said(value: Decimal) -> Number:
    near = np.float64(value)
    return Number(near, np.float64(0.0)) if np.isfinite(near) and Decimal(float(near)) == value else Number.of(near)


def _truth(column: Column) -> Truth:
    if isinstance(column, Truth):
        return column
    if not isinstance(column, Same):
        return _ANYTHING
    return _TRUE if column.value is True else _FALSE if column.value is False else _UNKNOWN


def _logic(op: str, args: Sequence[Truth]) -> Truth:
    """Three-valued: what cannot be known matters where nothing else decides."""
    if op == "not":
        return Truth(args[0].false, args[0].true, args[0].unknown)
    decides, others = ("false", "true") if op == "and" else ("true", "false")
    either = reduce(np.logical_or, [getattr(arg, decides) for arg in args])
    all_ = reduce(np.logical_and, [getattr(arg, others) for arg in args])
    unknown = reduce(np.logical_or, [arg.unknown for arg in args])
    is_open = reduce(np.logical_and, [getattr(arg, others) | arg.unknown for arg in args])
    true, false = (all_, either) if op == "and" else (either, all_)
    return Truth(true, false, unknown & is_open)


def compared(op: str, left: Number, right: Number, missing: Bools | np.bool_) -> Truth:
    """Numbers that are exact, or as far from it as exact ones say, compare as they are."""
    if op in {"gt", "ge"}:
        left, right = right, left
    gap, error = right.value - left.value, left.error + right.error
    least = error + STEP * (np.abs(left.value) + np.abs(right.value))
    if op not in {"eq", "ne"}:  # mostly all are far on one side
        if bool(np.all(gap > least)):
            return Truth(np.True_, np.False_, missing)
        if bool(np.all(gap < -least)):
            return Truth(np.False_, np.True_, missing)
    is_known = np.isfinite(gap) & np.isfinite(error)
    is_exact = reduce(np.logical_and, [(side.error == 0.0) | side.sharp for side in (left, right)])
    error = np.where(is_exact, error, least)
    is_strict = op in {"lt", "gt"}
    true = np.where(is_exact, gap > -error if is_strict else gap >= -error, gap >= -error)
    false = np.where(is_exact, gap <= error if is_strict else gap < error, gap <= error)
    if op in {"eq", "ne"}:
        same, other = np.abs(gap) <= error, (np.abs(gap) > 0) | (error > 0) | ~is_exact
        true, false = (same, other) if op == "eq" else (other, same)
    return Truth(~is_known | true, ~is_known | false, missing)


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
    return Number(left.value + right.value, left.error + right.error + STEP * size)


def _multiplied(left: Number, right: Number) -> Number:
    error = np.abs(left.value) * right.error + np.abs(right.value) * left.error + left.error * right.error
    value = left.value * right.value
    return Number(value, error + STEP * np.abs(value))


def _divided(left: Number, right: Number) -> Number:
    """Unknown, as an infinite error, where the divisor may be 0."""
    least = np.abs(right.value) - right.error
    value = left.value / right.value
    error = np.where(least > 0, (left.error + np.abs(value) * right.error) / least, np.inf)
    return Number(value, error + STEP * np.abs(value))


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
