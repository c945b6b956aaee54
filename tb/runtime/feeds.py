"""What a decision's record keeps of the feeds that the policy read: how old each was, and its row in the file."""

from __future__ import annotations

from tb.engine.feeds import is_feed
from tb.engine.plan import Plan
from tb.runtime.ports import MarketView


def feeds_read(plan: Plan, view: MarketView, symbol: str, period: int, row: int | None) -> tuple[tuple[int, int | None], ...]:
    """Age in ms and row of each feed among the leaves of the policy of that period, in their order; no row where the
    instrument has no bar, at which nothing of it can be known."""
    market, graph = plan.policies[period].market, plan.graph
    read = [leaf for leaf in market if is_feed(graph[leaf])]
    if row is None:
        return tuple((0, None) for _ in read)
    return tuple((view.node_age(leaf, symbol, row), view.node_row(leaf, symbol, row)) for leaf in read)
