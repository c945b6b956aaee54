"""plan: a checked program becomes one frozen rule graph and the plans that read it.

1. The nodes of each strategy are built (`drafting`), then those of every constraint, once for each period (`constraints`).
2. The graph is frozen; from then on nothing changes what is in it.
3. Leaves and columns are found in the frozen graph, and the plans get them (`leaves`).
"""

from __future__ import annotations

from tb.dsl import checked
from tb.engine.build import Builder, Context
from tb.engine.constraints import constraints, mark_order, program_span
from tb.engine.drafting import Draft, Drafter, length_of
from tb.engine.graph import RuleGraph
from tb.engine.leaves import columns_read, exit_with_leaves, finish_basket, leaves_of, with_leaves
from tb.engine.plan import Plan, PolicyPlan, StrategyPlan

# leaves every policy reads, so that sizing and shrinking can be computed again from the record
_ALWAYS = ("order.quantity", "order.price", "order.stop", "order.target", "equity", "order.instrument", "order.side")


_OF_RATES = ("order.rate",)  # and where prices are converted
_OF_BOOK = ("order.book", "equity of book")  # and where there are books


def plan(program: checked.Program, builder: Builder | None = None) -> Plan:
    """The rule graph of a program and its plans.

    A builder that is handed in can build more afterwards, such as what tests ask: its nodes come after those of the plan,
    which stay as they are.
    """
    builder = builder or Builder(program)
    drafts = [Drafter(builder, strategy).draft() for strategy in program.strategies.values()]
    periods = sorted({draft.period for draft in drafts}) or [3_600_000]
    judging = {period: constraints(builder, program, period) for period in periods}
    named = (*_ALWAYS, *(_OF_RATES if program.rates else ()), *(_OF_BOOK if program.capital.books else ()))
    always = {
        period: [builder.fact(name, "", program_span(program), Context(period, "", True)) for name in named]
        for period in periods
    }
    graph = builder.graph.freeze()
    policies = {}
    for period in periods:
        leaves = leaves_of(graph, [*always[period], *(c.node for c in judging[period])], in_policy=True)
        market = tuple(leaf for leaf in leaves if graph[leaf].stage == "market")
        finished = tuple(mark_order(graph, c) for c in judging[period])
        policies[period] = PolicyPlan(period, finished, leaves, market)
    strategies = tuple(_finish(graph, draft, policies[draft.period]) for draft in drafts)
    tiers = {(u.name, t.name): t.members for u in program.universes.values() for t in u.tiers}
    return Plan(program, graph, strategies, policies, tiers)


def _finish(graph: RuleGraph, draft: Draft, policy: PolicyPlan) -> StrategyPlan:
    strategy, universe = draft.strategy, draft.universe
    enters = [with_leaves(graph, enter, draft.membership) for enter in draft.enters]
    exits = [exit_with_leaves(graph, exit_) for exit_ in draft.exits]
    found = tuple(finish_basket(graph, basket, policy) for basket in draft.baskets)
    return StrategyPlan(
        strategy.name,
        universe.name,
        strategy.period,
        universe.members(),
        {symbol: tier.name for tier in universe.tiers for symbol in tier.members},
        draft.membership,
        tuple(enters),
        tuple(exits),
        _holds(strategy, universe),
        {c.after: length_of(c.length, strategy.period) for c in strategy.cool_downs},
        strategy.doc,
        strategy.span,
        columns_read(graph, draft.membership, enters, exits, policy, draft.correlations.values()),
        found,
        draft.correlations,
        policy.market,
        draft.tier,
        tuple(tier.name for tier in universe.tiers) if draft.tier is not None else (),
        _tier_holds(strategy, universe) if draft.tier is not None else {},
    )


def _tier_holds(strategy: checked.Strategy, universe: checked.Universe) -> dict[str, int]:
    """The longest a position of each tier may last, in ms: the shorter of the strategy's own and the tier's."""
    own = length_of(strategy.hold_at_most, strategy.period) if strategy.hold_at_most is not None else None
    limits = {tier.name: [limit for limit in (own, tier.hold_at_most) if limit is not None] for tier in universe.tiers}
    return {name: min(found) for name, found in limits.items() if found}


def _holds(strategy: checked.Strategy, universe: checked.Universe) -> dict[str, int]:
    by_tier = _tier_holds(strategy, universe)
    return {symbol: by_tier[tier.name] for tier in universe.tiers if tier.name in by_tier for symbol in tier.members}
