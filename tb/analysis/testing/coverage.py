"""What tests have seen of a project: which rules an expectation names, and what each clause of them came out as.

A clause is a part of a condition that is decided by itself. It is known by its place in the files, so that a rule built for
several periods is one rule. Only what a passing test saw counts; unknown is no outcome. Of a threshold it is noted whether a
value lay at it, just below it, and just above it: within 1 %, or within 1 of a whole number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from tb.core.span import Span
from tb.core.units import Kind
from tb.dsl import checked
from tb.dsl.check.walk import parts_of
from tb.dsl.checked_tests import ExpectNoProposal, ExpectThat, ExpectVerdict, Test
from tb.engine.explain.clauses import sides, truth_of
from tb.engine.explain.words import describe
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import Plan

Values = Mapping[int, Exact | float]
Key = tuple[Span, str]
_ORDERED = frozenset({"lt", "le", "gt", "ge"})
_SIDES = ("at", "just below", "just above")


class RuleCover(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, and whether an expectation of a passing test names it."""

    kind: str
    name: str
    span: Span
    tested: bool


class ClauseCover(msgspec.Struct, frozen=True, kw_only=True):
    """A clause with the outcomes seen, and of a threshold the sides; both in the order `true`, `false`, `at`, ..."""

    text: str
    span: Span
    outcomes: tuple[str, ...]
    sides: tuple[str, ...]
    is_threshold: bool


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests of a run have seen."""

    rules: tuple[RuleCover, ...]
    clauses: tuple[ClauseCover, ...]

    @property
    def rules_tested(self) -> int:
        return sum(rule.tested for rule in self.rules)

    @property
    def outcomes_seen(self) -> int:
        return sum(len(clause.outcomes) for clause in self.clauses)

    @property
    def share(self) -> Decimal:
        """Of rules or of outcomes, whichever is lower; a project without rules is covered."""
        of_rules = Decimal(self.rules_tested) / len(self.rules) if self.rules else Decimal(1)
        of_outcomes = Decimal(self.outcomes_seen) / (2 * len(self.clauses)) if self.clauses else Decimal(1)
        return min(of_rules, of_outcomes)


class Coverage:
    """Collects what passing tests see. `files` are the paths of the project's rules and policy."""

    def __init__(self, plan: Plan, graph: RuleGraph, files: Iterable[str]) -> None:
        self.graph = graph
        self.program = plan.program
        self.named: set[str] = set()
        self.outcomes: dict[Key, set[str]] = {}
        self.sides: dict[Key, set[str]] = {}
        self._files = frozenset(files)
        wanted: dict[Key, None] = {}
        for root in _roots(plan):
            for node in clauses_of(graph, root):
                wanted.update(dict.fromkeys(self._keys(graph[node])))
        for key in sorted(wanted):
            self.outcomes[key], self.sides[key] = set(), set()
        self._by_node = {
            node.id: keys
            for node in graph.nodes
            if node.unit.kind is Kind.TRUTH and (keys := [key for key in self._keys(node) if key in self.outcomes])
        }
        self._thresholds = {key for id_, keys in self._by_node.items() if graph[id_].op in _ORDERED for key in keys}

    def _keys(self, node: Node) -> list[Key]:
        places = [span for span in node.spans if span.file in self._files]
        text = describe(self.graph, node.id) if places else ""
        return [(span, text) for span in places]

    def see(self, values: Values) -> None:
        """Notes the outcome of every clause among these values."""
        for id_, keys in self._by_node.items():
            if id_ not in values:
                continue
            truth = truth_of(values[id_])
            side = _side(self.graph, id_, values) if truth != "unknown" else None
            for key in keys:
                self.outcomes[key].update({truth} - {"unknown"})
                self.sides[key].update({side} if side is not None else set())

    def name(self, test: Test) -> None:
        """Notes which rules the expectations of a test name."""
        for expected in test.expects:
            match expected:
                case ExpectVerdict(by=by) | ExpectNoProposal(by=by):
                    self.named.update({by} if by is not None else set())
                case ExpectThat(condition=condition):
                    self.named.update(part.name for part in parts_of(condition) if isinstance(part, checked.Ref))

    def covered(self) -> Covered:
        """What was seen so far."""
        rules = [
            RuleCover(kind=kind, name=name, span=span, tested=name in self.named)
            for kind, name, span in self._rules()
            if span.file in self._files
        ]
        clauses = [
            ClauseCover(
                text=text,
                span=span,
                outcomes=tuple(each for each in ("true", "false") if each in seen),
                sides=tuple(each for each in _SIDES if each in self.sides[span, text]),
                is_threshold=(span, text) in self._thresholds,
            )
            for (span, text), seen in self.outcomes.items()
        ]
        return Covered(rules=tuple(sorted(rules, key=lambda rule: rule.span)), clauses=tuple(clauses))

    def _rules(self) -> Iterator[tuple[str, str, Span]]:
        program = self.program
        yield from ((c.kind, c.name, c.span) for c in program.constraints)
        yield from (("trigger", trigger.name, trigger.span) for trigger in program.triggers.values())
        yield from (("strategy", strategy.name, strategy.span) for strategy in program.strategies.values())


def _roots(plan: Plan) -> Iterator[int]:
    """Every condition of the project that decides something."""
    for policy in plan.policies.values():
        for constraint in policy.constraints:
            yield constraint.node
            yield from (e.applies for e in constraint.exemptions if e.applies is not None)
    for strategy in plan.strategies:
        yield from () if strategy.membership is None else (strategy.membership,)
        yield from (exit_.when for exit_ in strategy.exits)
        for enter in strategy.enters:
            yield enter.when
            yield from (size.condition for size in enter.sizes if size.condition is not None)


def clauses_of(graph: RuleGraph, root: int) -> Iterator[int]:
    """The clauses of a condition. `x in a..b` and `x crosses above y` are one, though they are computed as two."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        id_ = stack.pop()
        if id_ in seen:
            continue
        seen.add(id_)
        node = graph[id_]
        if node.op in {"and", "or", "not"} and not _is_one(graph, node):
            stack.extend(node.args)
            continue
        if node.unit.kind is Kind.TRUTH and node.op != "const":
            yield id_
        if node.op == "regime_is":
            stack.extend(graph[node.args[0]].args)
        elif node.op in _ORDERED:
            stack.extend(arg for side in node.args if graph[side].op == "score" for arg in graph[side].args)


def _is_one(graph: RuleGraph, node: Node) -> bool:
    """Whether a join was written as one clause: its parts have its own place."""
    return node.op != "not" and all(set(node.spans) & set(graph[arg].spans) for arg in node.args)


def _side(graph: RuleGraph, id_: int, values: Values) -> str | None:
    node = graph[id_]
    if node.op not in _ORDERED:
        return None
    measured, bound = (_exactly(values.get(side)) for side in sides(graph, node))
    if measured is None or bound is None:
        return None
    near = max(abs(bound) / 100, Decimal(1) if graph[node.args[0]].unit.kind is Kind.NUMBER and bound % 1 == 0 else Decimal(0))
    if measured == bound:
        return "at"
    if abs(measured - bound) > near:
        return None
    return "just below" if measured < bound else "just above"


def _exactly(value: Exact | float) -> Decimal | None:
    if isinstance(value, bool | str) or value is None:
        return None
    number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return number if number.is_finite() else None
