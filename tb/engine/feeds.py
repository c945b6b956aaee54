"""Feeds: series recorded beside the bars, read as of an instant.

A row is known from a stated instant on. At an instant the newest row known by then counts, and no other: where its value is
missing, or outside of the range that the rules state, the feed is unknown; so it is once that row has been known for longer
than the stated age. A row known exactly at the instant counts, a row exactly at its age too.

INVARIANT: nothing here reads a row that becomes known after the instant asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import Node
from tb.engine.series import FEED_OPS, is_feed

__all__ = ["FEED_OPS", "FeedRows", "Feeds", "Floats", "Ints", "column_of", "is_feed", "rows_of", "stale_after", "value_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FeedRows:
    """The rows of one feed, of one instrument where it has rows of each, in the order in which they became known.

    `known` is when, in ms UTC, ascending; `raw` what the file says, NaN for nothing, and `values` the same with NaN for what
    lies outside of the range. `source` is the name of the file, `rows` the row of each in it, counted from 0.
    """

    known: Ints
    values: Floats
    raw: Floats
    rows: Ints
    source: str

    def __len__(self) -> int:
        return len(self.known)

    def newest(self, at: int) -> int | None:
        """The place of the newest row known by an instant, None where there is none."""
        found = int(self.known.searchsorted(at, side="right")) - 1
        return found if found >= 0 else None


Feeds = Mapping[tuple[str, str], FeedRows]  # by name of the feed and instrument, "" where all share one


def rows_of(node: Node, feeds: Feeds, symbol: str) -> FeedRows | None:
    """The rows that a feed's node reads for an instrument; None where nothing was recorded."""
    return feeds.get((str(node.consts[0]), symbol if node.consts[1] == "each" else ""))


def column_of(node: Node, feeds: Feeds, symbol: str, at: Ints) -> Floats:
    """The value of a feed (or its age in ms) at each instant, in an array of that shape."""
    rows = rows_of(node, feeds, symbol)
    if rows is None or not len(rows):
        return np.full(at.shape, np.nan)
    place = np.searchsorted(rows.known, at, side="right") - 1
    if node.op == "feed_age":
        usable = np.where(np.isnan(rows.values), -1, np.arange(len(rows)))
        place = np.where(place >= 0, np.maximum.accumulate(usable)[place], -1)
    age = at - rows.known[place]
    if node.op == "feed_age":
        return np.where(place >= 0, age.astype(np.float64), np.nan)
    is_fresh = (place >= 0) & (age <= stale_after(node))
    return np.where(is_fresh, rows.values[place], np.nan)


def value_at(node: Node, feeds: Feeds, symbol: str, at: int) -> float:
    """The same at one instant, by the definition."""
    rows = rows_of(node, feeds, symbol)
    known = [] if rows is None else rows.known.tolist()
    place = bisect_right(known, at) - 1
    if rows is None or place < 0:
        return float("nan")
    if node.op == "feed_age":
        usable = [known[p] for p in range(place + 1) if rows.values[p] == rows.values[p]]
        return float(at - usable[-1]) if usable else float("nan")
    return float(rows.values[place]) if at - known[place] <= stale_after(node) else float("nan")


def stale_after(node: Node) -> int:
    """The age in ms beyond which a feed is unknown."""
    return int(node.consts[2] or 0)
