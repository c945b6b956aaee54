"""The nodes that a test speaks of, built after those of the plan: what is given, clauses, conditions and their confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tb.core.units import TRUTH, Kind
from tb.dsl import checked, checked_tests
from tb.engine.build import Builder, Context
from tb.engine.drafting import triggers_in
from tb.engine.instant import Exact
from tb.engine.plan import Plan


@dataclass(frozen=True, slots=True)
class Asked:
    """Nodes of one test. Those of expectations stand under the number of the expectation; a clause has one for each period.

    `given` holds the value of each node that is given, `words` what the test says of it. `confidences` are nodes too.
    """

    test: checked_tests.Test
    context: Context
    given: Mapping[int, Exact]
    words: Mapping[int, checked_tests.Given]
    clauses: Mapping[int, Mapping[int, int]]
    conditions: Mapping[int, int]
    confidences: Mapping[int, int]


def ask(builder: Builder, plan: Plan, test: checked_tests.Test, period: int | None) -> Asked:
    """Builds what a test speaks of. `period` is that of its bars in ms, None where it has none."""
    context = _context(plan, test, period)
    given: dict[int, Exact] = {}
    words: dict[int, checked_tests.Given] = {}
    for fact in test.given if test.kind != "market" else ():
        node = _leaf(builder, builder.expression(fact.what, context), fact.what)
        given[node] = amount(fact.value, context.period)
        words[node] = fact
    clauses, conditions, confidences = {}, {}, {}
    periods = (context.period,) if test.proposes is not None else tuple(sorted(plan.policies))
    for at, expected in enumerate(test.expects):
        if isinstance(expected, checked_tests.ExpectVerdict) and expected.clause is not None:
            clause = expected.clause
            clauses[at] = {each: builder.expression(clause, Context(each, "", True)) for each in periods}
        if isinstance(expected, checked_tests.ExpectThat):
            conditions[at] = builder.expression(expected.condition, context)
            if expected.operator is not None:
                confidences[at] = _confidence(builder, plan, expected, context)
    return Asked(test, context, given, words, clauses, conditions, confidences)


def amount(value: checked.Const | None, period: int) -> Exact:
    """A value in base units; bars become the time that so many of them take."""
    if value is None:
        return None
    if value.unit.kind is Kind.BARS and isinstance(value.value, Decimal):
        return value.value * period
    return value.value


def _context(plan: Plan, test: checked_tests.Test, period: int | None) -> Context:
    """An order is looked at as policy does, in the period of its strategy; a market as a strategy that trades it."""
    if test.proposes is not None:
        return Context(plan.strategy(test.proposes.strategy).period, "", True)
    symbols = [table.instrument for table in test.bars]
    covering = next((s for s in plan.strategies if not symbols or s.covers(symbols[0])), None)
    usual = min(plan.policies) if covering is None else covering.period
    return Context(period or usual, "" if covering is None else covering.universe, False)


def _leaf(builder: Builder, node: int, what: checked.Expr) -> int:
    """Policy reads a condition on the market as a number that is 1: the number is what is given."""
    draft = builder.graph[node]
    return draft.args[0] if what.unit == TRUTH and draft.op == "eq" and draft.stage == "decision" else node


def _confidence(builder: Builder, plan: Plan, expected: checked_tests.ExpectThat, context: Context) -> int:
    """The highest confidence of the triggers named that fired, as a strategy's proposal would have it."""
    pairs = []
    for name in triggers_in(plan.program, expected.condition):
        trigger = plan.program.triggers[name]
        if trigger.confidence is not None:
            ref = checked.Ref(name, "trigger", TRUTH, trigger.span)
            pairs.append((builder.expression(ref, context), builder.ramp(trigger.confidence, context, trigger.span)))
    return builder.best(tuple(pairs), context, expected.span)
