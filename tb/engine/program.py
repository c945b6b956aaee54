"""program: the constraints of a policy as a program for the kernel of `tb.engine.intervals`.

Its slots are the leaves; the nodes that the kernel cannot compute (text, remainders, the like: `outside`), whose exact values
it is given; the constants; then one for each operation, each once. Derived facts are written out as in `tb.engine.derived`.
What follows from leaves that seldom change alone is a part of its own, run when these do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tb.core.units import TRUTH, Kind
from tb.engine import intervals as k
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import PolicyPlan

NAN, INF = math.nan, math.inf
Slot = tuple[str, int]  # `input`, `constant` or `row`, and its number among these
Row = tuple[int, Slot, Slot, Slot]
_WORDS = frozenset({Kind.TEXT, Kind.INSTRUMENT, Kind.LIST})
_TWO = {"add": k.ADD, "sub": k.SUB, "mul": k.MUL, "div": k.DIV, "min": k.MIN, "max": k.MAX}
_ONE = {"neg": k.NEG, "abs": k.ABS}
_COMPARE = {"lt": k.LT, "le": k.LE, "gt": k.GT, "ge": k.GE, "eq": k.EQ, "ne": k.NE}
_OPPOSITE = {k.LT: k.GE, k.LE: k.GT, k.GT: k.LE, k.GE: k.LT, k.EQ: k.NE, k.NE: k.EQ}
_LOGIC = {"and": k.AND, "or": k.OR}
_TRUTHS = frozenset({*_COMPARE, *_LOGIC, "not", "is_set", "one_of", "first_is"})


def rounded(value: Exact) -> float:
    """An exact value as the kernel takes it: NaN for unknown, an infinity for what is no number; text is known, and 0."""
    if value is None:
        return NAN
    if isinstance(value, Decimal):
        return rounded_text(value, str(value))
    return float(value) if isinstance(value, bool) else 0.0


def rounded_text(value: Decimal, text: str) -> float:
    """A number by its text: whole where the number is whole, and only there (below 2**52)."""
    try:
        near = float(text)
    except ValueError:  # a NaN that says more
        return INF
    if near.is_integer():
        return near if value == int(near) else math.nextafter(near, INF)
    return INF if math.isnan(near) else near


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for the kernel, the first so many of them operations, and tests of roots."""

    rows: NDArray[np.uint32]
    operations: int


@dataclass(frozen=True, slots=True)
class Program:
    """`inputs` counts the leaves and, after them, the nodes `outside`, whose exact values are given too. `work` has the
    constants in their slots; `roots` are the slots of the constraints' truths. `moving` reads what `fixed` found."""

    inputs: int
    outside: tuple[int, ...]
    roots: NDArray[np.intp]
    fixed: Part
    moving: Part
    work: NDArray[np.float64]


def program_of(
    graph: RuleGraph, policy: PolicyPlan, leaves: Sequence[int], vague: Collection[int], seldom: Collection[int] = ()
) -> Program:
    """The program that tests every constraint of the policy, in its order, with the leaves as inputs in the order given. Those
    that are `vague` are never taken to be whole: what rounds to a whole number may be given for them. What follows from those
    that change `seldom` alone is fixed."""
    writer = _Writer(graph, leaves)
    tested = [writer.truth(constraint.node) for constraint in policy.constraints]
    inputs = len(leaves) + len(writer.outside)
    first = {"input": 0, "constant": inputs, "row": inputs + len(writer.constants)}
    roots = [first[kind] + place for kind, place in tested]
    made: list[tuple[int, ...]] = [(k.READ, at, at, at, at) for at in range(inputs)]
    for at, (op, *slots) in enumerate(writer.rows):
        one, two, three = (first[kind] + place for kind, place in slots)
        made.append((op, one, two, three, first["row"] + at))
    made = _needed(made, roots)
    moving = {at for at, leaf in enumerate(leaves) if leaf not in seldom}
    moving |= {len(leaves) + at for at, node in enumerate(writer.outside) if not leaves_under(graph, leaves, node) <= {*seldom}}
    for _, *read, to in made:
        if not moving.isdisjoint(read):
            moving.add(to)
    work = np.zeros((4, first["row"] + len(writer.rows)))
    work[k.VAGUE, : len(leaves)] = [leaf in vague for leaf in leaves]
    for value, at in writer.constants.items():
        work[k.LOW, first["constant"] + at], work[k.HIGH, first["constant"] + at] = _around(value)
    fixed, moves = (
        _part(
            [row for row in made if (row[-1] in moving) == is_moving], [root for root in roots if (root in moving) == is_moving]
        )
        for is_moving in (False, True)
    )
    return Program(inputs, tuple(writer.outside), np.array(roots, dtype=np.intp), fixed, moves, work)


def _needed(made: Sequence[tuple[int, ...]], roots: Sequence[int]) -> list[tuple[int, ...]]:
    """The operations that roots are computed from."""
    needed = set(roots)
    for _, *read, to in reversed(made):
        if to in needed:
            needed |= {*read}
    return [row for row in made if row[-1] in needed]


def _part(operations: Sequence[tuple[int, ...]], roots: Sequence[int]) -> Part:
    """A comparison that nothing else reads is made when it is tested."""
    read = {slot for row in operations if row[0] != k.READ for slot in row[1:4]}
    last = {row[-1]: row for row in operations if k.LT <= row[0] <= k.NE and row[-1] in roots and row[-1] not in read}
    tests = [last.get(root, (k.TEST, root, root, root, root)) for root in dict.fromkeys(roots)]
    before = _sorted([row for row in operations if row[-1] not in last])
    return Part(np.array([*before, *sorted(tests)], dtype=np.uint32).reshape(-1, 5), len(before))


def _sorted(operations: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Each after those that it reads, and as many of one kind as there are one after the other: the processor guesses well."""
    made, left, found = {row[-1] for row in operations}, list(operations), list[tuple[int, ...]]()
    while left:
        ready = [row for row in left if row[0] == k.READ or made.isdisjoint(row[1:4])]
        op = k.READ if any(row[0] == k.READ for row in ready) else min(row[0] for row in ready)
        now = [row for row in ready if row[0] == op]
        found += now
        made -= {row[-1] for row in now}
        left = [row for row in left if row[-1] in made]
    return found


def leaves_under(graph: RuleGraph, leaves: Collection[int], node: int) -> set[int]:
    """Which of the leaves a node is computed from."""
    known, found, stack = frozenset(leaves), set[int](), [node]
    while stack:
        id_ = stack.pop()
        if id_ in known:
            found.add(id_)
        else:
            stack += graph[id_].args
    return found


def _around(value: Decimal) -> tuple[float, float]:
    """The narrowest bounds of a constant; a number that float64 has is exact."""
    near = rounded(value)
    if not math.isfinite(near):
        return -INF, INF
    if Fraction(near) == Fraction(value):
        return near, near
    return math.nextafter(math.nextafter(near, -INF), -INF), math.nextafter(math.nextafter(near, INF), INF)


@dataclass(slots=True)
class _Writer:
    graph: RuleGraph
    leaves: Sequence[int]
    rows: list[Row] = field(default_factory=list)
    constants: dict[Decimal, int] = field(default_factory=dict)
    outside: dict[int, int] = field(default_factory=dict)  # node -> its place among them
    _slots: dict[int, Slot] = field(default_factory=dict)
    _known: dict[Row, Slot] = field(default_factory=dict)
    _inputs: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._inputs = {leaf: at for at, leaf in enumerate(self.leaves)}

    def _row(self, op: int, one: Slot, two: Slot | None = None, three: Slot | None = None) -> Slot:
        row: Row = (op, one, two or one, three or one)
        if row not in self._known:
            self._known[row] = ("row", len(self.rows))
            self.rows.append(row)
        return self._known[row]

    def _constant(self, value: Decimal) -> Slot:
        return ("constant", self.constants.setdefault(value, len(self.constants)))

    def _outside(self, id_: int) -> Slot:
        return ("input", len(self.leaves) + self.outside.setdefault(id_, len(self.outside)))

    def truth(self, id_: int) -> Slot:
        """The slot of a truth; what is none by its operation is computed outside."""
        if id_ in self._inputs or self.graph[id_].op not in _TRUTHS:
            return self._row(k.IS_TRUE, self._outside(id_))
        return self._slot(id_)

    def _slot(self, id_: int) -> Slot:
        if id_ not in self._slots:
            node = self.graph[id_]
            at = self._inputs.get(id_)
            found = ("input", at) if at is not None else self._written(node)
            if found is None:
                found = self._outside(id_)
                found = self._row(k.IS_TRUE, found) if node.unit == TRUTH else found
            self._slots[id_] = found
        return self._slots[id_]

    def _written(self, node: Node) -> Slot | None:
        """The slot of an operation, None where the kernel does not have it."""
        op, args = node.op, node.args
        if op == "const":
            value = node.consts[0]
            return self._constant(value) if isinstance(value, Decimal) else None
        if op in _LOGIC:
            return self._folded(_LOGIC[op], [self.truth(arg) for arg in args])
        if op == "not":
            return self._opposite(self.truth(args[0]))
        if op == "is_set":
            return self._row(k.IS_SET, self._slot(args[0])) if self._is_number(args[0]) or args[0] in self._inputs else None
        if not all(map(self._is_number, args)):
            return None
        if op in _COMPARE:
            return self._row(_COMPARE[op], *map(self._slot, args))
        if op in _TWO:
            return self._folded(_TWO[op], [self._slot(arg) for arg in args])
        if op in _ONE:
            return self._row(_ONE[op], self._slot(args[0]))
        formula = _FORMULAS.get(str(node.consts[0]).removesuffix(" of book")) if op == "derived" else None
        return None if formula is None else formula(self, *map(self._slot, args))

    def _opposite(self, truth: Slot) -> Slot:
        """Of a comparison the opposite one, which is unknown where that is."""
        op, one, two, _ = self.rows[truth[1]] if truth[0] == "row" else (k.NOT, truth, truth, truth)
        return self._row(_OPPOSITE[op], one, two) if op in _OPPOSITE else self._row(k.NOT, truth)

    def _is_number(self, id_: int) -> bool:
        node = self.graph[id_]
        return node.unit.kind not in _WORDS and (id_ in self._inputs or node.op not in _TRUTHS)

    def _folded(self, op: int, slots: Sequence[Slot]) -> Slot:
        found = slots[0]
        for slot in slots[1:]:
            found = self._row(op, found, slot)
        return found

    # --- derived facts, as in `tb.engine.derived` --------------------------------------------------------------------

    def product(self, *factors: Slot) -> Slot:
        return self._folded(k.MUL, factors)

    def risk(self, quantity: Slot, price: Slot, stop: Slot) -> Slot:
        return self.product(quantity, self.distance(price, stop))

    def distance(self, one: Slot, two: Slot) -> Slot:
        return self._row(k.ABS, self._row(k.SUB, one, two))

    def gap_to_stop(self, sign: Slot, price: Slot, stop: Slot) -> Slot:
        return self.product(sign, self._row(k.SUB, price, stop))

    def gap_to_target(self, sign: Slot, price: Slot, target: Slot) -> Slot:
        return self.product(sign, self._row(k.SUB, target, price))

    def reward_risk(self, price: Slot, stop: Slot, target: Slot) -> Slot:
        return self._row(k.DIV, self.distance(target, price), self.distance(price, stop))

    def exposure(self, inside: Slot, others: Slot, long: Slot, short: Slot, sign: Slot, quantity: Slot, price: Slot) -> Slot:
        return self._row(k.IF_ZERO, inside, others, self.gross(others, long, short, sign, quantity, price))

    def gross(self, others: Slot, long: Slot, short: Slot, sign: Slot, quantity: Slot, price: Slot) -> Slot:
        value = self.product(quantity, price)
        larger = self._larger(sign, long, self._row(k.ADD, long, value), short, self._row(k.SUB, short, value))
        return self._row(k.ADD, others, larger)

    def net(self, long: Slot, short: Slot, sign: Slot, quantity: Slot, price: Slot, share: Slot) -> Slot:
        value = self.product(self.product(sign, self.product(quantity, price)), share)
        return self._larger(value, long, self._row(k.ADD, long, value), short, self._row(k.ADD, short, value))

    def _larger(self, sign: Slot, long: Slot, longer: Slot, short: Slot, shorter: Slot) -> Slot:
        sides = self._row(k.IF_POSITIVE, sign, longer, long), self._row(k.IF_POSITIVE, sign, short, shorter)
        return self._row(k.MAX, self._row(k.ABS, sides[0]), self._row(k.ABS, sides[1]))

    def sum(self, one: Slot, two: Slot) -> Slot:
        return self._row(k.ADD, one, two)

    def allocated(self, used: Slot, quantity: Slot, price: Slot) -> Slot:
        return self.sum(used, self.product(quantity, price))


_FORMULAS: Mapping[str, Callable[..., Slot]] = {
    "order.notional": _Writer.product,
    "order.risk": _Writer.risk,
    "order.stop_gap": _Writer.gap_to_stop,
    "order.target_gap": _Writer.gap_to_target,
    "reward_risk": _Writer.reward_risk,
    "order.fee": _Writer.product,
    "order.margin": _Writer.product,
    "after.allocated": _Writer.allocated,
    "after.exposure": _Writer.exposure,
    "after.gross": _Writer.gross,
    "after.net": _Writer.net,
    "after.open_positions": _Writer.sum,
}
