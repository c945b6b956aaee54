"""What a record says of the feeds that the policy read, held against the rest of the record."""

from __future__ import annotations

from collections.abc import Sequence

from tb.core.records import Decision
from tb.engine.explain.words import describe
from tb.engine.feeds import is_feed, stale_after
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact


def compare_feeds(
    graph: RuleGraph,
    leaves: Sequence[int],
    inputs: Sequence[Exact],
    entry: Sequence[int],
    decision: Decision,
    differences: list[str],
) -> None:
    """Age and row of each feed: there for each, such as a known value can have, and the same where the rule read it too.

    `leaves` are those of the policy with their `inputs`, `entry` those of the rule.
    """
    feeds = [(leaf, value) for leaf, value in zip(leaves, inputs, strict=True) if is_feed(graph[leaf])]
    if len(feeds) != len(decision.feeds):
        differences.append(f"{len(decision.feeds)} feeds recorded, the policy reads {len(feeds)}")
        return
    by_rule = {leaf: (decision.ages[at], decision.rows[at]) for at, leaf in enumerate(entry) if at < len(decision.ages)}
    for (leaf, value), (age, row) in zip(feeds, decision.feeds, strict=True):
        said = describe(graph, leaf)
        is_fresh = age >= 0 and (graph[leaf].op != "feed" or age <= stale_after(graph[leaf]))
        if value is not None and (row is None or not is_fresh):
            differences.append(f"{said}: known by the record, from no row that counts")
        if by_rule.get(leaf, (age, row)) != (age, row):
            differences.append(f"{said}: of another row in the rule than in the policy")
