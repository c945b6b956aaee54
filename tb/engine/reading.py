"""What a node reads beside other nodes, over a block of instruments: fields of bars, quotes, calendar, feeds, funding,
sessions.

INVARIANT: each row is what `Markets.read`, and the definitions of feeds and sessions, give for that instrument alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tb.engine.blocks import NEVER, Block, Stack
from tb.engine.calendar import session_column
from tb.engine.clock import calendar_field
from tb.engine.feeds import column_of
from tb.engine.funding import paid_within, periods_at, rates_at
from tb.engine.graph import Node
from tb.engine.markets import Markets

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def read(node: Node, block: Block, markets: Markets) -> Floats:
    """The values [k, n] of a node without arguments."""
    stack = block.stacks[node.period]
    match node.op:
        case "field":
            return _field(str(node.consts[0]), block, stack, markets)
        case "pips":
            count = float(node.consts[0] or 0)
            pips = (markets.assumptions.pips.get(symbol) for symbol in block.symbols)
            return _constant([np.nan if pip is None else count * pip for pip in pips], stack)
        case "depth":
            depths = (markets.assumptions.depth_of(symbol) for symbol in block.symbols)
            return _constant([np.nan if depth is None else depth for depth in depths], stack)
        case "tier_is":
            members = markets.tiers.get((str(node.consts[0]), str(node.consts[1])), ())
            return _constant([1.0 if symbol in members else 0.0 for symbol in block.symbols], stack)
        case "during" | "since_open" | "to_close":
            instants, back = np.unique(stack.closes, return_inverse=True)
            return session_column(node.op, node.consts, instants)[back.reshape(stack.closes.shape)]
        case "feed" | "feed_age" if node.consts[1] == "each":
            return _each(block, stack, lambda symbol, closes: column_of(node, markets.feeds, symbol, closes))
        case "feed" | "feed_age":
            return column_of(node, markets.feeds, "", stack.closes)
        case _:
            raise AssertionError(f"`{node.op}` reads nothing of its own")


def _constant(values: Sequence[float], stack: Stack) -> Floats:
    return np.broadcast_to(np.array(values, dtype=np.float64)[:, None], (len(values), stack.bars))


def _each(block: Block, stack: Stack, column: Callable[[str, Ints], Floats]) -> Floats:
    """What a series of each instrument's own gives."""
    return np.array([column(symbol, closes) for symbol, closes in zip(block.symbols, stack.closes, strict=True)])


def _field(name: str, block: Block, stack: Stack, markets: Markets) -> Floats:
    match name:
        case "open" | "high" | "low" | "close" | "volume":
            return stack.floats(name)
        case "bid" | "ask" | "mid" | "spread":
            return _quoted(name, block, stack, markets)
        case "funding_rate":
            return _each(block, stack, lambda symbol, closes: rates_at(markets.funding.get(symbol), closes))
        case "funding_paid":
            period = stack.table.period
            return _each(block, stack, lambda symbol, closes: paid_within(markets.funding.get(symbol), closes, period))
        case "funding_period":
            return _each(block, stack, lambda symbol, closes: periods_at(markets.funding.get(symbol), closes))
        case "missing_bars":
            return _missing(stack)
        case _:
            found = calendar_field(name, stack.closes)
            return np.full(stack.closes.shape, np.nan) if found is None else found


def _quoted(name: str, block: Block, stack: Stack, markets: Markets) -> Floats:
    quoted = stack.quoted
    if quoted.all():
        return _recorded(name, stack)
    spreads = (markets.assumptions.spread_of(symbol) for symbol in block.symbols)
    assumed = _assumed(name, stack.floats("close"), _constant([np.nan if s is None else s for s in spreads], stack))
    return np.where(quoted[:, None], _recorded(name, stack), assumed) if quoted.any() else assumed


def _recorded(name: str, stack: Stack) -> Floats:
    if name in {"bid", "ask"}:
        return stack.floats(name)
    bid, ask = stack.floats("bid"), stack.floats("ask")
    return (bid + ask) / 2.0 if name == "mid" else (ask - bid) / ((bid + ask) / 2.0)


def _assumed(name: str, close: Floats, spread: Floats) -> Floats:
    """The stated spread around the last price; where none is stated, its middle alone is known."""
    match name:
        case "mid":
            return close
        case "spread":
            return np.where(np.isnan(close), np.nan, spread)
        case "bid":
            return close * (1.0 - spread / 2.0)
        case _:
            return close * (1.0 + spread / 2.0)


def _missing(stack: Stack) -> Floats:
    """How many bars of the period are missing before each; unknown before the first."""
    time, newest, period = stack.time, stack.newest, stack.table.period
    found = np.empty(time.shape)
    found[:, 1:] = np.diff(time, axis=1) // period - 1
    with np.errstate(over="ignore"):
        first = (time[:, 0] - newest) // period - 1
    found[:, 0] = np.where(newest == NEVER, np.nan, first)
    return found
