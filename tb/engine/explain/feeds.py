"""Feeds in a reader's words, from the record alone: where a value came from, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from tb.core.time import show_duration, show_instant
from tb.engine.feeds import Feeds, is_feed, rows_of, stale_after
from tb.engine.graph import Node, RuleGraph


def _feed_of(graph: RuleGraph, leaf: int) -> tuple[Node, str] | None:
    """The feed that a leaf reads through `x[n]`, `of` and `@period`, and the instrument it is asked for, if another."""
    node, symbol = graph[leaf], ""
    while node.op in {"shift", "of", "at"}:
        symbol = str(node.consts[0]) if node.op == "of" else symbol
        node = graph[node.args[0]]
    return (node, symbol) if is_feed(node) else None


def feed_source(graph: RuleGraph, leaf: int, instrument: str) -> str:
    """`feed fear_greed`, `feed headlines of BTC-USD`; empty for what is no feed."""
    found = _feed_of(graph, leaf)
    if found is None:
        return ""
    node, symbol = found
    if node.op == "field":
        return f"funding of {symbol or instrument}"
    each = f" of {symbol or instrument}" if node.consts[1] == "each" else ""
    return f"feed {node.consts[0]}{each}"


def feeds_of(graph: RuleGraph, leaves: Sequence[int], read: Sequence[tuple[int, int | None]]) -> dict[int, str]:
    """Why each feed among the leaves would be unknown; `read` are age and row of each, in their order."""
    feeds = [leaf for leaf in leaves if is_feed(graph[leaf])]
    return {leaf: why_unknown(graph, leaf, None, *one) for leaf, one in zip(feeds, read, strict=False)}


def why_unknown(graph: RuleGraph, leaf: int, value: float | None, age: int | None, row: int | None) -> str:
    """` (3d old, stale after 2d)`, ` (no row known yet)` or ` (row 3 is empty or outside of its range)`; else empty."""
    found = _feed_of(graph, leaf)
    if found is None or value is not None or age is None:
        return ""
    if row is None:
        return " (no row known yet)"
    if found[0].op == "field":
        return f" ({show_duration(age)} old, stale after one funding period)"
    if graph[leaf].op == "feed" and age > stale_after(found[0]):
        return f" ({show_duration(age)} old, stale after {show_duration(stale_after(found[0]))})"
    return f" (row {row + 1} is empty or outside of its range)"


def why_no_value(node: Node, feeds: Feeds, symbol: str, at: int) -> str:
    """Why a feed is unknown at an instant, from its rows: what comes after its name."""
    rows = rows_of(node, feeds, symbol)
    if rows is None:
        return "is missing: no file holds it" + (f" for {symbol}" if node.consts[1] == "each" else "")
    place = rows.newest(at)
    if place is None:
        first = f": its first row becomes known at {show_instant(int(rows.known[0]))}" if len(rows) else ""
        return f"is not known yet{first}"
    known, raw = int(rows.known[place]), float(rows.raw[place])
    where = f"row {int(rows.rows[place]) + 1} of {rows.source}"
    if at - known > stale_after(node) and node.op == "feed":
        limit = show_duration(stale_after(node))
        return f"is stale: {where} is known since {show_instant(known)}, {show_duration(at - known)} ago; stale after {limit}"
    if raw == raw:  # noqa: PLR0124 - NaN differs from itself
        return f"is unknown: {where} says {raw:.15g}, which is outside of its range"
    return f"is missing in {where}"
