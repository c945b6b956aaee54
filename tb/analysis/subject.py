"""What a lint rule looks at, and what a lint rule is.

A `Subject` is one sound project: its files, checked program, plan, limits, and what is known of data and instruments. A rule is
a pure function from it to findings. Both are read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from tb.analysis.contradiction import Contradictions
from tb.analysis.covered import Covered, covered
from tb.analysis.implied import Implications
from tb.analysis.observed import Observed
from tb.core.diagnostics import Diagnostic, Severity
from tb.core.span import Span
from tb.core.units import Kind
from tb.dsl import checked, syntax
from tb.dsl.check import LimitValue
from tb.engine.graph import Node, RuleGraph
from tb.engine.plan import ConstraintPlan, EnterPlan, Plan, StrategyPlan
from tb.vocabulary.std import CONTROLS

if TYPE_CHECKING:
    from tb.engine.markets import Markets

Category = Literal["correctness", "time", "risk", "parameters", "hygiene"]
Technique = Literal["types", "graph", "intervals", "data", "run", "text"]  # `data` needs bars, `run` a run of the ledger


class Instrument(Protocol):
    """What is known of an instrument: a pip in price, the largest quantity of an order; None where it has none."""

    @property
    def pip(self) -> Decimal | None: ...

    @property
    def max_quantity(self) -> Decimal | None: ...


class Costs(Protocol):
    """What the venue charges, as shares of the value; None is unknown."""

    @property
    def fee(self) -> Decimal: ...

    @property
    def slippage(self) -> Decimal: ...

    @property
    def spread(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class DataSpan:
    """How much data there is: its period in ms and the number of bars of each instrument."""

    period: int
    bars: Mapping[str, int]


@dataclass(frozen=True)
class Subject:
    """A sound project. `data`, `instruments`, `costs`, `markets` and `observed` are None where nothing is known of them."""

    files: tuple[syntax.File, ...]
    program: checked.Program
    plan: Plan
    limits: Mapping[str, LimitValue]
    data: DataSpan | None = None
    instruments: Callable[[str], Instrument | None] | None = None
    zone: str = "UTC"  # of the account's trading day
    costs: Callable[[str], Costs | None] | None = None  # of an instrument
    markets: Markets | None = None  # the bars themselves
    observed: Observed | None = None  # a recorded run
    tests: tuple[syntax.File, ...] = ()  # files that hold tests alone
    budget: int | None = None  # of what the plan looks at for each bar

    @property
    def graph(self) -> RuleGraph:
        return self.plan.graph

    @cached_property
    def contradictions(self) -> Contradictions:
        tiers = {u.name: tuple(tier.name for tier in u.tiers) for u in self.program.universes.values()}
        return Contradictions(self.graph, tiers)

    @cached_property
    def implications(self) -> Implications:
        return Implications(self.contradictions)

    @cached_property
    def covered(self) -> tuple[Covered, ...]:
        """Constraints that decide nothing beside others."""
        return tuple(covered(tuple(self.plan.policies.values()), self.policy_files, self.implications))

    @cached_property
    def _lines(self) -> dict[str, list[str]]:
        return {file.path: file.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n") for file in self.files}

    # --- places and words -------------------------------------------------------------------------------------------

    def words(self, span: Span) -> str:
        """The text of a place on one line; empty for a file that is not among those linted."""
        lines = self._lines.get(span.file, [])[span.line - 1 : span.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return " ".join(" ".join(line.split("#")[0] if len(lines) > 1 else line for line in lines).split())

    def head(self, span: Span) -> Span:
        """The first line of a place of several lines."""
        if span.line == span.end_line or span.file not in self._lines:
            return span
        line = self._lines[span.file][span.line - 1].split(" #")[0].rstrip()
        return Span(span.file, span.line, span.column, span.line, len(line) + 1)

    def places(self, node: Node) -> tuple[Span, ...]:
        """Where the files linted say what a node computes, each place once."""
        return tuple(dict.fromkeys(span for span in node.spans if span.file in self._lines))

    def place_in(self, node: Node, around: Span) -> Span | None:
        """Where a node is said, inside a place if it is said there too."""
        places = self.places(node)
        return next((span for span in places if inside(span, around)), places[0] if places else None)

    def file(self, path: str) -> syntax.File:
        return next(file for file in self.files if file.path == path)

    def facts(self, condition: int) -> tuple[tuple[int, str], ...]:
        """The facts that a condition reads: their nodes and names."""
        if condition not in self._facts:
            nodes = (self.graph[id_] for id_ in self.graph.reach((condition,)))
            self._facts[condition] = tuple((node.id, str(node.consts[0])) for node in nodes if node.op == "fact")
        return self._facts[condition]

    @cached_property
    def _facts(self) -> dict[int, tuple[tuple[int, str], ...]]:
        return {}

    # --- what is looked at ------------------------------------------------------------------------------------------

    @property
    def policy_files(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files if file.is_policy)

    @cached_property
    def constraints(self) -> tuple[ConstraintPlan, ...]:
        """Those that policy files say or use of the library, once for each period in use; not those that every project has."""
        own = (*self.policy_files, CONTROLS.path)
        return tuple(c for policy in self.plan.policies.values() for c in policy.constraints if c.span.file in own)

    @cached_property
    def hard(self) -> tuple[ConstraintPlan, ...]:
        """Constraints that can deny an order."""
        return tuple(constraint for constraint in self.constraints if constraint.acts not in {None, "warn"})

    @cached_property
    def conditions(self) -> tuple[Node, ...]:
        """Every part of a condition of rules or policy that is true or false, arguments first."""
        roots = [constraint.node for constraint in self.constraints]
        for strategy in self.plan.strategies:
            roots += [] if strategy.membership is None else [strategy.membership]
            roots += [exit_.when for exit_ in strategy.exits]
            for enter in strategy.enters:
                roots += [enter.when, *(size.condition for size in enter.sizes if size.condition is not None)]
            for basket in strategy.baskets:
                roots += [] if basket.membership is None else [basket.membership]
                roots += [legs[0].entry.when for legs in basket.entries] + [exit_.when for exit_ in basket.exits]
        nodes = (self.graph[id_] for id_ in self.graph.reach(tuple(roots)))
        return tuple(node for node in nodes if node.unit.kind is Kind.TRUTH)


def entries_of(strategy: StrategyPlan) -> Iterator[EnterPlan]:
    """Every entry of a strategy, each leg as one, and each side of a quote."""
    yield from strategy.enters
    yield from (leg.entry for basket in strategy.baskets for legs in basket.entries for leg in legs)


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. `severity` is what its findings usually have; `suppressible` says whether a comment in a rule file may hide
    them (what a whole project lacks is settled in its settings instead, where everyone sees it)."""

    code: str
    name: str
    category: Category
    technique: Technique
    severity: Severity
    check: Callable[[Subject], Iterable[Diagnostic]]
    suppressible: bool = True


def inside(span: Span, around: Span) -> bool:
    """Whether one place lies within another."""
    starts = (span.line, span.column) >= (around.line, around.column)
    return span.file == around.file and starts and (span.end_line, span.end_column) <= (around.end_line, around.end_column)


def named(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a` and `b`, or `a`, `b` and `c`: each quoted, each once."""
    quoted = [f"`{word}`" for word in dict.fromkeys(words)]
    return f" {last} ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def enters(subject: Subject) -> Iterator[tuple[checked.Strategy, int, checked.Enter]]:
    """Every entry with its strategy and its place among the strategy's entries."""
    for strategy in subject.program.strategies.values():
        for at, enter in enumerate(strategy.enters):
            yield strategy, at, enter
