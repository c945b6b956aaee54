"""Whether clauses can all have the answers wanted of them, at one instant of any market and account.

1. A clause cannot be both true and false.
2. Names: a tier, a regime, a side is one thing at a time, and one of those there are.
3. What is not set has no value, so nothing compared with it has an answer.
4. Numbers: ranges of values, comparisons between them, and what is true of every market (`relations`), through `gaps`.

INVARIANT: `impossible` is said only of what no values can make true. Whatever is not understood counts as possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import product

from tb.analysis.clauses import Clause, Clauses
from tb.analysis.gaps import ZERO, Apart, Gap, hold_together, whole
from tb.analysis.linear import ARITHMETIC, Linear, Linears
from tb.analysis.proportions import hold_with_parts
from tb.analysis.ranges import SLACK, Ranges, is_whole
from tb.analysis.relations import never_above
from tb.engine.graph import Node, RuleGraph

COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
NUMERIC = COMPARISONS | {"agrees"}  # known already where some of its signals are not
_OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}
_SIDES = ("buy", "sell")
MOST_SIDES = 4  # of `!=` that a witness is looked for on both sides of


@dataclass(slots=True)
class _Choice:
    """What is known of a value that is one of several names. `domain` None: there may be others."""

    domain: tuple[str, ...] | None
    allowed: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()

    def is_empty(self) -> bool:
        if self.allowed is not None:
            return all(name in self.excluded for name in self.allowed)
        return self.domain is not None and all(name in self.excluded for name in self.domain)


@dataclass(slots=True)
class _Numbers:
    gaps: list[Gap] = field(default_factory=list)
    aparts: list[Apart] = field(default_factory=list)
    values: dict[int, None] = field(default_factory=dict)


class Contradictions:
    """Answers questions about the conditions of one graph. `tiers` names the tiers of each universe."""

    def __init__(self, graph: RuleGraph, tiers: Mapping[str, tuple[str, ...]]) -> None:
        self.graph = graph
        self.tiers = tiers
        self.clauses = Clauses(graph)
        self.ranges = Ranges(graph)
        self._linears = Linears(graph, self.ranges)
        self._never: dict[Clause, bool] = {}
        self._impossible: dict[tuple[frozenset[Clause], bool], bool] = {}
        self._said: dict[Clause, _Numbers] = {}
        self.thresholds: dict[Clause, tuple[tuple[tuple[int, Fraction], ...], str, Fraction] | None] = {}  # of `thresholds`
        self._above: dict[tuple[int, int], bool] = {}

    def never(self, node: int, wanted: bool) -> bool:
        """Whether a condition never has this answer."""
        key = (node, wanted)
        if key not in self._never:
            self._never[key] = self.never_together([key])
        return self._never[key]

    def never_together(self, clauses: Sequence[Clause]) -> bool:
        """Whether these conditions never have these answers at the same instant."""
        terms = self.clauses.together(clauses)
        return terms is not None and all(self.impossible(term) for term in terms)

    def culprits(self, clauses: Sequence[Clause]) -> tuple[Clause, ...]:
        """As few as possible of clauses that never hold together: a pair where there is one."""
        for at, first in enumerate(clauses):
            for second in clauses[at + 1 :]:
                if self.never_together([first, second]):
                    return first, second
        left = list(clauses)
        for clause in clauses:
            rest = [other for other in left if other != clause]
            if self.never_together(rest):
                left = rest
        return tuple(left)

    def out_of_range(self, node: int, wanted: bool) -> bool:
        """Whether the ranges of a comparison's two sides alone rule the answer out."""
        return self.impossible([(node, wanted)], related=False)

    def is_choice(self, node: int) -> bool:
        """Whether a clause says which of several names something is."""
        return self._choice(self.graph[node]) is not None

    def difference(self, node: Node) -> Linear | None:
        """The left side of a comparison less the right one; None where one of them is not seen through."""
        left, right = (self._linears.of(argument, node.stage) for argument in node.args)
        return None if left is None or right is None else left.plus(right.scaled(Fraction(-1)))

    def ways_of(self, clauses: Sequence[Clause]) -> Iterator[list[Gap]]:
        """What clauses, none of them an `and` or `or`, say of numbers; each `!=` once from below and once from above."""
        numbers = self._numbers(dict(clauses), True)
        if numbers is None:
            yield []
            return
        gaps = [self._settled(gap) for gap in numbers.gaps]
        sides = [(Gap(a.left, a.right, a.by, True), Gap(a.right, a.left, -a.by, True)) for a in numbers.aparts[:MOST_SIDES]]
        for chosen in product(*sides):
            more = [*gaps, *(self._settled(gap) for gap in chosen)]
            if hold_together(more):
                yield more

    # --- one set of clauses -----------------------------------------------------------------------------------------

    def impossible(self, clauses: Sequence[Clause], *, related: bool = True) -> bool:
        """Whether these clauses, none of them an `and` or `or`, can never have these answers at the same instant."""
        key = (frozenset(clauses), related)
        if key not in self._impossible:
            self._impossible[key] = self._is_impossible(clauses, related)
        return self._impossible[key]

    def _is_impossible(self, clauses: Sequence[Clause], related: bool) -> bool:
        answers: dict[int, bool] = {}
        for node, wanted in clauses:
            if answers.setdefault(node, wanted) != wanted:
                return True
        return self._names(answers) or self._missing(answers) or self._compared(answers, related)

    def _names(self, answers: Mapping[int, bool]) -> bool:
        choices: dict[object, _Choice] = {}
        for id_, wanted in answers.items():
            found = self._choice(self.graph[id_])
            if found is None:
                continue
            of, domain, names, is_negative = found
            choice = choices.setdefault(of, _Choice(domain))
            if wanted != is_negative:
                before = choice.allowed
                choice.allowed = names if before is None else tuple(name for name in before if name in names)
            else:
                choice.excluded += names
        return any(choice.is_empty() for choice in choices.values())

    def _choice(self, node: Node) -> tuple[object, tuple[str, ...] | None, tuple[str, ...], bool] | None:
        """What is chosen, from which names, those the clause names, and whether it says `is not`."""
        match node.op:
            case "tier_is":
                universe, tier = (str(const) for const in node.consts)
                return ("tier", universe), self.tiers.get(universe), (tier,), False
            case "regime_is":
                domain = tuple(str(name) for name in self.graph[node.args[0]].consts)
                return node.args[0], domain, (str(node.consts[1]),), False
            case "signal_is":
                return node.args[0], ("long", "short", "neutral"), (str(node.consts[1]),), False
            case "one_of" if len(node.args) == 1:
                return node.args[0], None, tuple(str(name) for name in node.consts[1:]), False
            case "eq" | "ne":
                for value, word in (node.args, node.args[::-1]):
                    other = self.graph[word]
                    if other.op == "const" and not isinstance(other.consts[0], Decimal):
                        is_side = self.graph[value].consts[:1] == ("order.side",)
                        return value, _SIDES if is_side else None, (str(other.consts[0]),), node.op == "ne"
        return None

    def _missing(self, answers: Mapping[int, bool]) -> bool:
        unset = [self.graph[id_].args[0] for id_, wanted in answers.items() if self.graph[id_].op == "is_set" and not wanted]
        if not unset:
            return False
        compared = tuple(id_ for id_ in answers if self.graph[id_].op in COMPARISONS)
        reached = self.graph.reach(compared)
        return any(fact in reached for fact in unset)

    # --- numbers ----------------------------------------------------------------------------------------------------

    def _compared(self, answers: Mapping[int, bool], related: bool) -> bool:
        numbers = self._numbers(answers, related)
        if numbers is None:
            return False
        gaps = [self._settled(gap) for gap in numbers.gaps]
        if not hold_together(gaps, numbers.aparts):
            return True
        return related and not hold_with_parts(self.graph, self.ranges, gaps, numbers.values)

    def _numbers(self, answers: Mapping[int, bool], related: bool) -> _Numbers | None:
        numbers = _Numbers()
        for clause in answers.items():
            said = self._said.get(clause)
            if said is None:
                said = self._said[clause] = self._of_clause(clause)
            numbers.gaps += said.gaps
            numbers.aparts += said.aparts
            numbers.values |= said.values
        if not (numbers.gaps or numbers.aparts):
            return None
        if related:
            self._take_apart(numbers)
        for id_ in numbers.values:
            low, high = self.ranges.range_of(id_)
            if low is not None:
                numbers.gaps.append(Gap(ZERO, id_, -low, False))
            if high is not None:
                numbers.gaps.append(Gap(id_, ZERO, high, False))
        if related:
            numbers.gaps += [
                Gap(lower, upper, Fraction(0), False)
                for lower in numbers.values
                for upper in numbers.values
                if lower != upper and self._never_above(lower, upper)
            ]
        return numbers

    def _never_above(self, lower: int, upper: int) -> bool:
        key = (lower, upper)
        if key not in self._above:
            self._above[key] = never_above(self.graph, lower, upper)
        return self._above[key]

    def _of_clause(self, clause: Clause) -> _Numbers:
        numbers, node = _Numbers(), _ordered(self.graph[clause[0]])
        if node.op in NUMERIC and not self.ranges.is_setting(node.id):
            self._compare(numbers, node if clause[1] else _opposite(node))
        return numbers

    def _compare(self, numbers: _Numbers, node: Node) -> None:
        left, right = (self._placed(argument, node.stage) for argument in node.args)
        if left is None or right is None:
            return
        self._add(numbers, node.op, left[0], right[0], right[1] - left[1], Fraction(0))
        self._look_through(numbers, node)

    def _take_apart(self, numbers: _Numbers) -> None:
        """A quotient of values that are not negative lies below 1 where its dividend is below its divisor; a size without sign
        that is bounded bounds what it is the size of on both sides."""
        for gap in tuple(numbers.gaps):
            if gap.right == ZERO and gap.left != ZERO and self.graph[gap.left].op == "abs":
                inner = self.graph[gap.left].args[0]
                numbers.values[inner] = None
                numbers.gaps += [Gap(inner, ZERO, gap.most, gap.strict), Gap(ZERO, inner, gap.most, gap.strict)]
            quotient, is_most = (gap.left, True) if gap.right == ZERO else (gap.right, False)
            if ZERO not in (gap.left, gap.right) or quotient == ZERO or self.graph[quotient].op != "div":
                continue
            above, below = self.graph[quotient].args
            ends = [self.ranges.range_of(part)[0] for part in (above, below)]
            if any(low is None or low < 0 for low in ends) or not self._is_beyond_one(gap.most, is_most):
                continue
            numbers.values.update({above: None, below: None})
            numbers.gaps.append(Gap(above, below, Fraction(0), True) if is_most else Gap(below, above, Fraction(0), True))

    @staticmethod
    def _is_beyond_one(most: Fraction, is_most: bool) -> bool:
        """Whether a bound of a quotient keeps it from 1, with room for rounding."""
        return most < 1 - SLACK if is_most else -most > 1 + SLACK

    def _placed(self, id_: int, stage: str) -> tuple[int, Fraction] | None:
        """A value and what is added to it: a constant stands at ZERO. None for a text."""
        constant = self.ranges.fixed(id_, stage)
        if constant is not None:
            return ZERO, constant
        return None if self.graph[id_].op == "const" else (id_, Fraction(0))

    def _look_through(self, numbers: _Numbers, node: Node) -> None:
        """What follows for the values that the two sides are computed from, with room for rounding."""
        if node.op == "ne" or not any(self.graph[argument].op in ARITHMETIC for argument in node.args):
            return
        difference = self.difference(node)
        if difference is None:
            return
        match list(difference.weights.items()):
            case [(value, weight)]:
                op = node.op if weight > 0 else _mirrored(node.op)
                room = difference.magnitude / abs(weight) * SLACK
                self._add(numbers, op, value, ZERO, -difference.constant / weight, room)
            case [(one, first), (two, second)] if first == -second and abs(first) == 1:
                if difference.magnitude and node.stage == "market":
                    return  # next to a large value a float forgets a small constant
                op = node.op if first > 0 else _mirrored(node.op)
                self._add(numbers, op, one, two, -difference.constant / first, difference.magnitude * SLACK)

    def _add(self, numbers: _Numbers, op: str, left: int, right: int, by: Fraction, room: Fraction) -> None:
        """`left - right <op> by`, or as much as still follows where `by` may be off by `room`."""
        for value in (left, right):
            if value != ZERO:
                numbers.values[value] = None
        strict = op in {"lt", "gt"} and not room
        if op in {"lt", "le", "eq"}:
            numbers.gaps.append(Gap(left, right, by + room, strict))
        if op in {"gt", "ge", "eq"}:
            numbers.gaps.append(Gap(right, left, room - by, strict))
        if op == "ne":
            numbers.aparts.append(Apart(left, right, by))

    def _settled(self, gap: Gap) -> Gap:
        counts = [end == ZERO or is_whole(self.graph[end]) for end in (gap.left, gap.right)]
        return whole(gap) if all(counts) and gap.left != gap.right else gap


def _ordered(node: Node) -> Node:
    """`agree(...) >= 2` as the comparison of a count that it is."""
    if node.op != "agrees":
        return node
    fields = {name: getattr(node, name) for name in Node.__dataclass_fields__}
    return Node(**{**fields, "op": str(node.consts[0]), "args": node.args[:2]})


def _opposite(node: Node) -> Node:
    fields = {name: getattr(node, name) for name in Node.__dataclass_fields__}
    return Node(**{**fields, "op": _OPPOSITE[node.op]})


def _mirrored(op: str) -> str:
    return {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}.get(op, op)
