"""Which nodes read a series of their own beside the bars. It stands apart from reading them, so that asking loads no arrays."""

from __future__ import annotations

from tb.engine.graph import Node

FEED_OPS = frozenset({"feed", "feed_age"})


def is_feed(node: Node) -> bool:
    """Whether a node reads a feed, or the funding of a perpetual."""
    return node.op in FEED_OPS or (node.op == "field" and str(node.consts[0]).startswith("funding_"))
