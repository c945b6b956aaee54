"""The tier of a decision, from its record alone: which it was, why, and whether the two agree."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from tb.core.records import Decision
from tb.engine.explain.clauses import Clause, clause_tree
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import StrategyPlan
from tb.engine.tiers import tier_name, tier_value

Values = Mapping[int, Exact | float]


def tier_of(strategy: StrategyPlan, decision: Decision) -> str | None:
    """The tier that the instrument was in when the decision was made; None where the record does not say."""
    if strategy.tier is None:
        return strategy.tiers.get(decision.instrument)
    if decision.kind != "enter" or not 0 <= decision.enter < len(strategy.enters):
        return None
    leaves = strategy.enters[decision.enter].leaves
    if len(leaves) != len(decision.market):
        return None
    recorded = dict(zip(leaves, decision.market, strict=True))
    return strategy.tier_at(decision.instrument, recorded.get)


def compare_tier(graph: RuleGraph, strategy: StrategyPlan, symbol: str, values: Values, differences: list[str]) -> None:
    """The tier that the record says follows from its conditions, and so does every question for a tier."""
    if strategy.tier is None or strategy.tier not in values:
        return
    node, said = graph[strategy.tier], _number(values[strategy.tier])
    known = [_number(values.get(arg)) for arg in node.args]
    now = tier_value(node, symbol, known)
    if not _same(now, said):
        differences.append(f"tier: {tier_name(node, now)} by its conditions, {tier_name(node, said)} recorded")
    for id_, value in values.items():
        asked = graph[id_]
        if asked.op == "tier_is" and asked.args == (node.id,):
            wanted = float("nan") if said != said else float(tier_name(node, said) == asked.consts[1])  # noqa: PLR0124
            if not _same(wanted, _number(value)):
                differences.append(f"tier is {asked.consts[1]}: not what the tier says")


def membership_node(strategy: StrategyPlan | None, symbol: str) -> int | None:
    """What must hold for the instrument to be in its universe; None where being listed is enough."""
    return None if strategy is None else strategy.membership_of(symbol)


def membership(graph: RuleGraph, strategy: StrategyPlan | None, decision: Decision, values: Values) -> Clause | None:
    """Which tier took the instrument of an entry, with `only when` and the conditions of the tiers; None where neither is."""
    symbol = decision.instrument
    node = None if decision.kind == "exit" else membership_node(strategy, symbol)
    if strategy is None or node is None or node not in values:
        return None
    listed = strategy.tiers.get(symbol, "")
    name = listed if strategy.tier is None else tier_name(graph[strategy.tier], _number(values.get(strategy.tier)))
    tree = clause_tree(graph, node, values)
    of_tier = f"tier {name} of " if name and strategy.basket(symbol) is None else ""
    return msgspec.structs.replace(tree, name=f"{of_tier}{strategy.universe}")


def _number(value: Exact | float) -> float:
    return float(value) if isinstance(value, float | Decimal) else float("nan")


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN differs from itself
