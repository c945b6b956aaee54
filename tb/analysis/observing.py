"""Reads the records of a run into what the linter asks of it. All follows from the records and their policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tb.analysis.observed import Judged, Keys, Observed, Use
from tb.core.records import Decision, Mark, Trade
from tb.engine.plan import ConstraintPlan, Plan
from tb.gate.explain.reproduce import facts_of
from tb.gate.gate import Gate


def observed(
    run: str,
    plan: Plan,
    gates: Mapping[int, Gate],
    decisions: Iterable[Decision],
    marks: Iterable[Mark],
    trades: Iterable[Trade],
) -> Observed:
    """Counts over one pass of the records. `gates` are those of the plan, by period."""
    uses: dict[str, Use] = {}
    judged: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for decision in decisions:
        gate = gates[plan.strategy(decision.strategy).period]
        facts = facts_of(plan.graph, gate, decision)
        _use(uses, gate.usage(facts, decision.proposed) if decision.kind == "enter" else {}, decision.at)
        for bit, constraint in enumerate(gate.policy.constraints):
            if constraint.acts is not None and (decision.kind == "enter" or constraint.every_order):
                judged[constraint.name] += 1
                refused[constraint.name] += _refuses(constraint, bit, decision)
    for mark in marks:
        _use(uses, mark.usage, mark.at)
    closed = Counter(trade.strategy for trade in trades if trade.exit_at is not None)
    counts = {name: Judged(orders, refused[name]) for name, orders in judged.items()}
    return Observed(run, uses, counts, dict(closed), keys_of(plan))


def keys_of(plan: Plan) -> Keys:
    """What each constraint computes, in each period."""
    found: dict[str, set[str]] = {}
    for policy in plan.policies.values():
        for constraint in policy.constraints:
            found.setdefault(constraint.name, set()).add(plan.graph[constraint.node].key)
    return {name: frozenset(keys) for name, keys in found.items()}


def _use(uses: dict[str, Use], usage: Mapping[str, float | None], at: int) -> None:
    for name, share in usage.items():
        if share is not None:
            before = uses.get(name, Use(float("-inf"), at, 0))
            largest, when = (share, at) if share > before.largest else (before.largest, before.at)
            uses[name] = Use(largest, when, before.measured + 1)


def _refuses(constraint: ConstraintPlan, bit: int, decision: Decision) -> bool:
    """Whether an order failed a constraint and was not sent; one that shrinks has to have decided that itself."""
    fails = (decision.failed | decision.unknown) >> bit & 1 == 1
    return fails and decision.approved <= 0 and (constraint.acts != "shrink" or constraint.name in decision.deciding)
