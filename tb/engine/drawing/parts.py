"""What a drawing shows: the roots that a strategy or the policy asks for, and each node in the language's words.

Constants are not drawn: they stand in the words of the nodes that use them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tb.core.time import show_duration
from tb.core.units import Kind
from tb.engine.baskets import BasketPlan
from tb.engine.explain.words import describe
from tb.engine.graph import Node, RuleGraph
from tb.engine.plan import EnterPlan, Plan, PolicyPlan, StrategyPlan

# what the value of a stop or target is, by kind of level
LEVELS = {"ratio": "share of the entry price", "distance": "distance from entry", "price": "price", "r": "multiple of the risk"}


@dataclass(frozen=True, slots=True)
class Root:
    """A node that something is decided by, and what that is."""

    label: str
    node: int


@dataclass(frozen=True, slots=True)
class Part:
    """A strategy, or the policy for strategies of one period."""

    title: str
    roots: tuple[Root, ...]


def parts(plan: Plan, strategy: str | None = None) -> list[Part]:
    """Every strategy and then the policy; or one strategy alone. A KeyError where there is no such strategy."""
    if strategy is not None:
        found = {known.name: known for known in plan.strategies}
        return [_of_strategy(plan.graph, found[strategy])]
    strategies = [_of_strategy(plan.graph, known) for known in plan.strategies]
    return [*strategies, *(_of_policy(policy) for policy in plan.policies.values())]


def _of_strategy(graph: RuleGraph, strategy: StrategyPlan) -> Part:
    members = ", ".join(strategy.members)
    title = f"strategy {strategy.name} on {strategy.universe} every {show_duration(strategy.period)}: {members}"
    roots: list[Root] = []
    if strategy.membership is not None:
        roots.append(Root("in the universe only when", strategy.membership))
    for enter in strategy.enters:
        roots += _of_enter(graph, enter)
    roots += [Root("exit when", found.when) for found in strategy.exits]
    for basket in strategy.baskets:
        roots += _of_basket(graph, basket)
    return Part(title, tuple(roots))


def _of_basket(graph: RuleGraph, basket: BasketPlan) -> Iterator[Root]:
    if basket.membership is not None:
        yield Root(f"{basket.name}: in the universe only when", basket.membership)
    for legs in basket.entries:
        yield Root(f"{basket.name}: enter when", legs[0].entry.when)
        for leg in legs:
            side = "buy" if leg.sign > 0 else "sell"
            for size in leg.entry.sizes:
                if graph[size.share].op != "const":
                    yield Root(f"{basket.name}: {side} {leg.symbol}, share of equity", size.share)
    yield from (Root(f"{basket.name}: exit when", found.when) for found in basket.exits)


def _of_enter(graph: RuleGraph, enter: EnterPlan) -> Iterator[Root]:
    yield Root(f"enter {enter.direction} when", enter.when)
    for size in enter.sizes:
        name = "size risking" if size.risking else "size"
        if size.condition is None:
            yield Root(f"{name}, share of equity", size.share)
            continue
        share = graph[size.share]
        if share.op != "const":
            yield Root(f"{name}, share of equity", size.share)
        yield Root(f"{name} {words(graph, share)} of equity if", size.condition)
    for name, level in (("stop", enter.stop), ("target", enter.target)):
        if level is not None:
            yield Root(f"{name}, {LEVELS[level.kind]}", level.node)
    if enter.confidence is not None:
        yield Root("confidence", enter.confidence)
    if enter.conviction is not None:
        sized = "" if enter.by_conviction is None else f", size {enter.by_conviction.text}"
        yield Root(f"conviction{sized}", enter.conviction)


def _of_policy(policy: PolicyPlan) -> Part:
    roots = [Root(f"{c.kind} {c.name} otherwise {c.verdict}", c.node) for c in policy.constraints]
    return Part(f"policy for strategies of {show_duration(policy.period)}", tuple(roots))


def reached(graph: RuleGraph, roots: tuple[Root, ...]) -> list[Node]:
    """The nodes that roots depend on, constants left out, in evaluation order."""
    return [graph[id_] for id_ in graph.reach(tuple(root.node for root in roots)) if graph[id_].op != "const"]


def words(graph: RuleGraph, node: Node) -> str:
    """`name: what it is`, or only what it is."""
    said = describe(graph, node.id)
    return f"{node.names[0]}: {said}" if node.names and node.op != "const" and node.names[0] != said else said


def remarks(node: Node) -> str:
    """Unit and look-back, as in `ratio, looks back 24 bars of 1h`."""
    unit = "true or false" if node.unit.kind is Kind.TRUTH else str(node.unit)
    if not node.look_back:
        return unit
    bars = "1 bar" if node.look_back == 1 else f"{node.look_back} bars"
    return f"{unit}, looks back {bars}" + (f" of {show_duration(node.period)}" if node.period else "")
