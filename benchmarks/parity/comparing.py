"""Trades of two, side by side: how many are equal, the first that is not, and what explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.parity.conventions import PEERS, TB, Levels, apart, flipped, walk
from benchmarks.parity.ours import Trade, Trades

CLOSE = 1e-9  # of a price, relative; of a result, as a part of the trade's value


@dataclass(frozen=True)
class Row:
    """One strategy on one market against one peer. `explained` names conventions, `unexplained` is what none of them does."""

    strategy: str
    market: str
    peer: str
    ours: int
    theirs: int
    equal: int
    first: str
    explained: tuple[str, ...]
    unexplained: str


def same(a: Trade, b: Trade) -> bool:
    """The same bars, side and units, the same prices and the same result."""
    whole = (a.entry, a.exit, a.sign, a.units) == (b.entry, b.exit, b.sign, b.units)
    prices = all(abs(x - y) <= CLOSE * abs(x) for x, y in ((a.bought, b.bought), (a.sold, b.sold)))
    return whole and prices and abs(a.result - b.result) <= CLOSE * a.units * (a.bought + a.sold)


def agree(a: Trades, b: Trades) -> bool:
    return a.open == b.open and len(a.closed) == len(b.closed) and all(map(same, a.closed, b.closed))


def matched(a: Trades, b: Trades) -> tuple[int, str]:
    """How many trades of both are the same, and the first of either that the other has not."""
    of, to = {(one.entry, one.sign): one for one in a.closed}, {(one.entry, one.sign): one for one in b.closed}
    equal = {key for key in of.keys() & to.keys() if same(of[key], to[key])}
    other = sorted((of.keys() | to.keys()) - equal)
    if not other:
        return len(equal), "" if a.open == b.open else f"open at the end: {a.open} and {b.open}"
    return len(equal), f"{_show(of.get(other[0]))} | {_show(to.get(other[0]))}"


def _show(trade: Trade | None) -> str:
    if trade is None:
        return "none"
    side = "long" if trade.sign > 0 else "short"
    return f"{side} {trade.units:g} bar {trade.entry} at {trade.bought:.8g} to bar {trade.exit} at {trade.sold:.8g}"


def compare(
    strategy: str,
    market: str,
    peer: str,
    ours: Trades,
    theirs: Trades,
    bars: Mapping[str, NDArray[np.float64]],
    signals: Mapping[str, NDArray[np.bool_]],
    levels: Levels,
) -> Row:
    """tb's trades against a peer's. What is not the same has to follow from stated conventions, exactly."""
    equal, first = matched(ours, theirs)
    plain = walk(bars, signals, levels, TB)
    wrong = [
        f"{who} is not what its conventions make: {matched(found, made)[1]}"
        for who, found, made in (("tb", ours, plain), (peer, theirs, walk(bars, signals, levels, PEERS[peer])))
        if not agree(found, made)
    ]
    reasons: tuple[str, ...] = ()
    if not agree(ours, theirs):
        names = apart(TB, PEERS[peer])
        reasons = tuple(name for name in names if not agree(walk(bars, signals, levels, flipped(TB, name)), plain))
    return Row(strategy, market, peer, len(ours.closed), len(theirs.closed), equal, first, reasons, "; ".join(wrong))
