"""What plans read: the leaves at which explanations stop, and every node whose column a session reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tb.engine.baskets import BasketPlan, LegPlan
from tb.engine.graph import POINTWISE_OPS, RuleGraph
from tb.engine.series import is_feed

if TYPE_CHECKING:
    from tb.engine.plan import EnterPlan, ExitPlan, PolicyPlan, Words


def leaves_of(graph: RuleGraph, roots: Iterable[int], *, in_policy: bool) -> tuple[int, ...]:
    """The nodes at which evaluation from a snapshot starts, in graph order.

    Operations of one instant are looked through; so are derived facts and `is_set` in policy. What an `every`, `some` or `x[n]`
    looks at now is added, for the reader, though nothing is computed from it; so are feeds.
    """
    seen: set[int] = set()
    leaves: set[int] = set()
    stack = list(roots)
    through = POINTWISE_OPS | ({"derived", "is_set", "one_of"} if in_policy else set())
    while stack:
        id_ = stack.pop()
        if id_ in seen:
            continue
        seen.add(id_)
        node = graph[id_]
        if node.op == "const":
            continue
        if node.op in through and (node.stage == "decision" or not in_policy):
            stack.extend(node.args)
            continue
        leaves.add(id_)
        if node.op in {"every", "some", "tier", "tier_is"} and not in_policy:
            stack.extend(node.args)
        # beside what a function makes of a feed, the feed itself: how old it is explains why nothing is known
        stack.extend(arg for arg in node.args if is_feed(graph[arg]))
    return tuple(sorted(leaves))


def finish_basket(graph: RuleGraph, basket: BasketPlan, policy: PolicyPlan) -> BasketPlan:
    entries = tuple(_legs_with_leaves(graph, legs, basket.membership) for legs in basket.entries)
    exits = tuple(exit_with_leaves(graph, exit_) for exit_ in basket.exits)
    roots = columns_read(graph, basket.membership, [leg.entry for legs in entries for leg in legs], exits, policy)
    return replace(basket, entries=entries, exits=exits, roots=roots)


def with_leaves(graph: RuleGraph, enter: EnterPlan, membership: int | None) -> EnterPlan:
    roots = [*(() if membership is None else (membership,)), *enter_roots(enter)]
    return replace(enter, leaves=leaves_of(graph, roots, in_policy=False))


def _legs_with_leaves(graph: RuleGraph, legs: tuple[LegPlan, ...], membership: int | None) -> tuple[LegPlan, ...]:
    """Every leg keeps what all of them read: how large one is follows from the first."""
    roots = [root for leg in legs for root in enter_roots(leg.entry)]
    leaves = leaves_of(graph, [*(() if membership is None else (membership,)), *roots], in_policy=False)
    return tuple(replace(leg, entry=replace(leg.entry, leaves=leaves)) for leg in legs)


def exit_with_leaves(graph: RuleGraph, exit_: ExitPlan) -> ExitPlan:
    return replace(exit_, leaves=leaves_of(graph, [exit_.when, *word_nodes(exit_.because)], in_policy=False))


def columns_read(
    graph: RuleGraph,
    membership: int | None,
    enters: Iterable[EnterPlan],
    exits: Iterable[ExitPlan],
    policy: PolicyPlan,
    more: Iterable[int] = (),
) -> tuple[int, ...]:
    """Every node whose column a session reads."""
    wanted = [*(() if membership is None else (membership,)), *policy.market, *more]
    for enter in enters:
        wanted += [*enter_roots(enter), *enter.leaves]
    for exit_ in exits:
        wanted += [exit_.when, *word_nodes(exit_.because), *exit_.leaves]
    return tuple(sorted({node for node in wanted if graph[node].op != "const"}))


def enter_roots(enter: EnterPlan) -> list[int]:
    roots = [enter.when, *word_nodes(enter.because)]
    for size in enter.sizes:
        roots.append(size.share)
        if size.condition is not None:
            roots.append(size.condition)
    roots += [level.node for level in (enter.stop, enter.target) if level is not None]
    roots += [node for node in (enter.confidence, enter.conviction, enter.order.price, enter.order.skew) if node is not None]
    roots += enter.manage.nodes()
    for case in (case for signal in enter.signals for case in signal.cases):
        roots += [case.node, *word_nodes(case.because)]
    return roots


def word_nodes(words: Words) -> list[int]:
    found: list[int] = []
    for word in words:
        if not isinstance(word, str):
            found.append(word.node)
            found.extend(word_nodes(word.inner or ()))
    return found
