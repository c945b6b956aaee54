"""One live step: a bar closes for every instrument at once, and every node of the rules gets its next value.

A step is what a live session does with the bars that close at one instant (`tb.engine.growing`), from the new bars to the
instruments for which an entry holds. Nothing is proposed: these are the market nodes alone.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np

from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.bars import Bars
from tb.engine.growing import GrowingColumns, NewBars
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan
from tb.engine.planning import plan

PERIOD = 60_000
# each line adds a few nodes of its own; together they are what a page of rules reads
CLAUSES = (
    "close > sma(close, {n})",
    "rsi(close, {n}) < 70",
    "ema(close, {n}) > ema(close, {n})[1]",
    "volume > mean(volume, {n})",
    "close > highest(high, {n})[1] or close > lowest(low, {n})[1]",
    "atr({n}) < 5% of close",
    "zscore(close, {n}) < 3",
)


@dataclass(frozen=True)
class Step:
    """Milliseconds of a step, on the wall and of the processor. `where` is what took the most of a profiled run, as ratios."""

    instruments: int
    nodes: int
    p50: float
    p99: float
    cpu: float
    where: dict[str, float]


def rules(symbols: list[str], nodes: int) -> Plan:
    """A strategy whose graph has about that many market nodes."""
    lines = 1
    while True:
        asked = [CLAUSES[at % len(CLAUSES)].format(n=5 + 3 * (at // len(CLAUSES))) for at in range(lines)]
        condition = "\n      and ".join(f"({one})" for one in asked)
        text = f"""universe all_of_them
  tier core {", ".join(symbols)}

strategy wide on all_of_them every 1m
  enter long when {condition}
    size 1% of equity
    stop 5% below entry
"""
        file, mistakes = parse("rules/wide.tb", text, is_policy=False)
        assert not mistakes, mistakes
        policy, mistakes = parse("policy/none.tb", "warn many  when entries(today) >= 100\n", is_policy=True)
        assert not mistakes, mistakes
        program, findings = check([file, policy])
        assert program is not None, findings
        built = plan(program)
        if count(built, symbols[0]) >= nodes:
            return built
        lines += 1


def wanted(built: Plan, symbol: str) -> tuple[int, ...]:
    return tuple(built.strategies[0].reads(symbol))


def count(built: Plan, symbol: str) -> int:
    """How many nodes are computed for one instrument."""
    seen: set[int] = set()
    stack = list(wanted(built, symbol))
    while stack:
        node = stack.pop()
        if node not in seen and built.graph[node].op != "const":
            seen.add(node)
            stack.extend(built.graph[node].args)
    return len(seen)


def market(built: Plan, symbols: list[str], bars: int, seed: int = 5) -> Markets:
    """Seeded walks, one for each instrument."""
    draws = np.random.default_rng(seed)
    rows = np.arange(bars, dtype=np.int64)
    found = {}
    for symbol in symbols:
        close = 100.0 * np.exp(np.cumsum(draws.normal(0.0, 0.001, bars)))
        opened = np.r_[100.0, close[:-1]]
        high, low = np.maximum(opened, close) * 1.0005, np.minimum(opened, close) * 0.9995
        volume = draws.lognormal(2.0, 1.0, bars)
        time_ = 1_700_000_040_000 + PERIOD * rows
        found[symbol] = Bars(symbol, PERIOD, time_, opened, high, low, close, volume, None, None, "generated", rows)
    return Markets(found, Assumptions(spread=0.0), built.tiers)


def closing(bars: Markets, first: int, last: int) -> NewBars:
    """The bars of every instrument from one place to another, as a session is given them."""
    parts = [one.part(first, last) for one in bars.base.values()]
    named = ("time", "open", "high", "low", "close", "volume")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in named}
    return NewBars([part.symbol for part in parts for _ in range(len(part))], **columns)


def measure(instruments: int, nodes: int, steps: int, warm: int = 60) -> Step:
    """The steps after as many bars as the longest window needs."""
    symbols = [f"S{at:04d}-USD" for at in range(instruments)]
    built = rules(symbols, nodes)
    bars = market(built, symbols, warm + 2 * steps)
    when = [enter.when for enter in built.strategies[0].enters]
    asked = {symbol: wanted(built, symbol) for symbol in symbols}
    growing = GrowingColumns(built.graph, asked, symbols, PERIOD, replace(bars, base={}))
    first = int(bars.base[symbols[0]].closes[0])
    growing.advance(closing(bars, 0, warm), first + (warm - 1) * PERIOD)
    took = []
    watched = cProfile.Profile()
    for at in range(warm, warm + 2 * steps):
        new, until = closing(bars, at, at + 1), first + at * PERIOD
        if at >= warm + steps:
            watched.runcall(growing.advance, new, until)
            continue
        begin, before = time.perf_counter(), time.process_time()
        growing.advance(new, until)
        for node in when:
            growing.true(node)
        took.append(((time.perf_counter() - begin) * 1_000, (time.process_time() - before) * 1_000))
    walls = sorted(wall for wall, _ in took)
    return Step(
        instruments=instruments,
        nodes=count(built, symbols[0]),
        p50=median(walls),
        p99=walls[len(walls) * 99 // 100],
        cpu=median(cpu for _, cpu in took),
        where=heaviest(watched),
    )


def heaviest(watched: cProfile.Profile, most: int = 5) -> dict[str, float]:
    """The shares of the functions that took the most by themselves."""
    stats: Any = pstats.Stats(watched)
    total = stats.total_tt
    ordered = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:most]
    return {name: each[2] / total for (_, _, name), each in ordered}
