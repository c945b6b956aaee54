"""Re-evaluation: a decision's record put through the reference interpreter and the gate again, compared field by field."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.units import Kind
from tb.engine import interpret
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import EnterPlan, ExitPlan, Plan, StrategyPlan
from tb.engine.say import say
from tb.gate.gate import Gate, Judgement
from tb.gate.sizing import size

_NAMES = frozenset({Kind.TEXT, Kind.INSTRUMENT, Kind.LIST})
HELD_TOO_LONG = -1


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A decision evaluated again: every node above the leaves, the judgement, and where the record says otherwise."""

    strategy: StrategyPlan
    entry: EnterPlan | ExitPlan | None
    market: dict[int, Exact | float]
    inputs: tuple[Exact, ...]
    judgement: Judgement
    differences: tuple[str, ...]


def reproduce(plan: Plan, gate: Gate, settings: Settings, decision: Decision) -> Evaluated:
    """Evaluates a decision from its snapshot alone. Every difference from the record is named; none means reproduced."""
    strategy = plan.strategy(decision.strategy)
    differences: list[str] = []
    entry: EnterPlan | ExitPlan | None = None
    if decision.kind == "enter":
        entry = strategy.enters[decision.enter]
    elif decision.enter != HELD_TOO_LONG:
        entry = strategy.exits[decision.enter]
    market = _market(plan.graph, strategy, entry, decision, differences)
    inputs = facts_of(plan.graph, gate, decision)
    spec = settings.instrument(decision.instrument)
    judgement = gate.decide(inputs, decision.kind == "enter", decision.proposed, None if spec is None else spec.lot)
    _compare(judgement, decision, differences)
    applies = gate.applies(decision.kind == "enter")
    again = tuple(mask & applies for mask in interpret.judge(plan.graph, gate.policy, inputs))
    if again != (judgement.failed, judgement.unknown):
        differences.append(f"the interpreter says {again}, the generated function {(judgement.failed, judgement.unknown)}")
    if isinstance(entry, EnterPlan):
        _compare_entry(plan.graph, gate, entry, settings, decision, market, inputs, differences)
    return Evaluated(strategy, entry, market, inputs, judgement, tuple(differences))


def facts_of(graph: RuleGraph, gate: Gate, decision: Decision) -> tuple[Exact, ...]:
    """The inputs of the decision function, from the record's texts: names stay text, all else is a number."""
    return tuple(
        None if text is None else text if graph[leaf].unit.kind in _NAMES else Decimal(text)
        for leaf, text in zip(gate.policy.leaves, decision.facts, strict=True)
    )


def _market(
    graph: RuleGraph, strategy: StrategyPlan, entry: EnterPlan | ExitPlan | None, decision: Decision, differences: list[str]
) -> dict[int, Exact | float]:
    if entry is None:
        return {}
    leaves: dict[int, Exact | float] = {
        leaf: float("nan") if value is None else value for leaf, value in zip(entry.leaves, decision.market, strict=True)
    }
    roots = [entry.when]
    if isinstance(entry, EnterPlan) and strategy.membership is not None:
        roots.append(strategy.membership)
    values = from_leaves(graph, leaves, [*roots, *_others(entry)])
    if any(values[root] != 1.0 for root in roots):
        differences.append("the condition is not true on the recorded values")
    return values


def _others(entry: EnterPlan | ExitPlan) -> list[int]:
    """Nodes besides the condition that sizes, levels and words read."""
    found = [node for node in entry.leaves if node != entry.when]
    if isinstance(entry, EnterPlan):
        for case in entry.sizes:
            found += [case.share] if case.condition is None else [case.share, case.condition]
        found += [level.node for level in (entry.stop, entry.target) if level is not None]
        found += [] if entry.confidence is None else [entry.confidence]
    stack = list(entry.because)
    while stack:
        word = stack.pop()
        if not isinstance(word, str):
            found.append(word.node)
            stack.extend(word.inner or ())
    return found


def _compare(judgement: Judgement, decision: Decision, differences: list[str]) -> None:
    pairs = (
        ("verdict", judgement.verdict, decision.verdict),
        ("deciding rules", judgement.deciding, decision.deciding),
        ("failed constraints", judgement.failed, decision.failed),
        ("unknown constraints", judgement.unknown, decision.unknown),
        ("approved quantity", judgement.quantity, decision.approved),
    )
    differences += [f"{what}: {now} now, {then} recorded" for what, now, then in pairs if now != then]


def _compare_entry(
    graph: RuleGraph,
    gate: Gate,
    entry: EnterPlan,
    settings: Settings,
    decision: Decision,
    market: dict[int, Exact | float],
    inputs: tuple[Exact, ...],
    differences: list[str],
) -> None:
    def values(node: int) -> float | None:
        value = market.get(node)
        if isinstance(value, Decimal):
            return float(value)
        return value if isinstance(value, float) and value == value else None  # noqa: PLR0124 - NaN differs from itself

    spec = settings.instrument(decision.instrument)
    if spec is not None and decision.price is not None:
        equity = inputs[gate.leaf("equity")]
        sized = size(graph, entry, decision.price, equity if isinstance(equity, Decimal) else None, spec, values)
        pairs = (
            ("proposed quantity", sized.quantity, decision.proposed),
            ("stop", sized.stop, decision.stop),
            ("target", sized.target, decision.target),
        )
        differences += [f"{what}: {now} now, {then} recorded" for what, now, then in pairs if now != then]
    reason = say(graph, entry.because, values)
    if reason != decision.reason:
        differences.append(f"reason: `{reason}` now, `{decision.reason}` recorded")
