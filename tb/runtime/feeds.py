"""What a decision's record keeps of the feeds that the policy read: how old each was, and its row in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tb.engine.feeds import is_feed
from tb.engine.plan import Plan
from tb.runtime.ports import MarketView


def feeds_of(plan: Plan) -> Mapping[int, tuple[int, ...]]:
    """The feeds among the leaves of the policy of each period, in their order."""
    return {
        period: tuple(leaf for leaf in policy.market if is_feed(plan.graph[leaf])) for period, policy in plan.policies.items()
    }


def feeds_read(feeds: Sequence[int], view: MarketView, symbol: str, row: int | None) -> tuple[tuple[int, int | None], ...]:
    """Age in ms and row of each feed; no row where the instrument has no bar, at which nothing of it can be known."""
    if not feeds:
        return ()
    return tuple((0, None) for _ in feeds) if row is None else tuple(view.origin(leaf, symbol, row) for leaf in feeds)
