"""What constraints compare, worked out exactly for all orders of a course at once, as the gate would for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.replay.course.held import exactly
from tb.replay.course.numbers import Ints, Numbers
from tb.replay.course.passage import Passage
from tb.replay.course.reckoning import added_up, difference, multiplied, parts, quotient, same
from tb.replay.course.terms import Terms

_HELD = {"after.gross": 3, "after.exposure": 4}  # how many leaves stand for what is held


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """Those of one entry, from the leaves of its policy."""

    graph: RuleGraph
    passage: Passage
    terms: Terms
    leaves: tuple[int, ...]

    def of(self, id_: int) -> Numbers | None:
        """A node for each order; None where it is not known of all, or its sign could be that of nothing."""
        node = self.graph[id_]
        if id_ in self.leaves:
            return self._leaf(self.leaves.index(id_))
        if node.op == "const":
            value = node.consts[0]
            return same(value, len(self.passage)) if isinstance(value, Decimal) else None
        if node.op == "derived":
            return self._derived(str(node.consts[0]), node.args)
        if node.op not in {"add", "sub", "mul", "div", "abs", "min", "max"}:
            return None
        found = [self.of(arg) for arg in node.args]
        args = [one for one in found if one is not None]
        return _worked_out(node.op, args) if len(args) == len(found) else None

    def _leaf(self, place: int) -> Numbers | None:
        passage, terms = self.passage, self.terms
        leaf = dict(terms.moving).get(place)
        if leaf is None:
            value = passage.still[terms.number][place]
            return same(value, len(passage)) if isinstance(value, Decimal) else None
        if isinstance(leaf, int):
            values = passage.view.values(leaf, terms.symbol, passage.deciding)
            is_known = bool(np.isfinite(values).all())
            return exactly(values, np.full(len(values), terms.decimals)) if is_known else None
        if leaf == "order.confidence":
            return None
        found = passage.facts(leaf)
        if not isinstance(found, Numbers) or (found.is_price and not found.low.all()):
            return None
        return Numbers(found.high, found.low, found.decimals)

    def _derived(self, name: str, args: Sequence[int]) -> Numbers | None:
        held = _HELD.get(name, 0)
        if held and not self._is_alone(args[:held]):
            return None
        if held or name == "order.notional":
            return multiplied(self.passage.chain.quantity, self.passage.chain.price)
        if name not in {"order.risk", "reward_risk"}:
            return None
        found = [self.of(arg) for arg in args]
        price, stop = (found[1], found[2]) if name == "order.risk" else (found[0], found[1])
        if price is None or stop is None or found[2] is None or found[0] is None:
            return None
        distance = _absolute(difference(price, stop))
        if name == "order.risk":
            return multiplied(found[0], distance)
        return _worked_out("div", [_absolute(difference(found[2], price)), distance])

    def _is_alone(self, held: Sequence[int]) -> bool:
        """Whether nothing is held besides, and the order is inside of what is looked at."""
        still = dict(zip(self.leaves, self.passage.still[self.terms.number], strict=True))
        before: list[Exact] = [still.get(arg) for arg in held]
        return (len(before) < 4 or before.pop(0) == 1) and not any(value != 0 for value in before)


def _worked_out(op: str, args: Sequence[Numbers]) -> Numbers | None:
    if op == "abs":
        return _absolute(args[0])
    if op in {"min", "max"}:
        return reduce(_greater if op == "max" else _less, args)
    left, right = args
    if op in {"add", "sub"}:
        return added_up(left, right) if op == "add" else difference(left, right)
    if (signs(left) < 0).any() or (signs(right) < (1 if op == "div" else 0)).any():
        return None  # a nothing with a sign, or no divisor
    return multiplied(left, right) if op == "mul" else quotient(left, right)


def signs(numbers: Numbers) -> Ints:
    """-1, 0 or 1 for each."""
    high, low, _ = parts(numbers)
    found: Ints = np.where(high != 0, np.sign(high), np.sign(low))
    return found


def _absolute(numbers: Numbers) -> Numbers:
    high, low, decimals = parts(numbers)
    return Numbers(np.abs(high), np.abs(low), decimals)


def _greater(left: Numbers, right: Numbers) -> Numbers:
    return _taken(left, right, signs(difference(left, right)) < 0)


def _less(left: Numbers, right: Numbers) -> Numbers:
    return _taken(left, right, signs(difference(left, right)) > 0)


def _taken(left: Numbers, right: Numbers, is_right: NDArray[np.bool_]) -> Numbers:
    columns = (np.where(is_right, other, one) for one, other in zip(parts(left), parts(right), strict=True))
    high, low, decimals = columns
    return Numbers(high, low, decimals)
