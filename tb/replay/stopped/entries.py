"""One entry of one strategy in one instrument: at which bars each of its clauses was not as wanted.

1. The columns of the clauses, and of the two sides of those that compare, are those of the run (`tb.engine.columns`).
2. Truth goes up through the joins; where the whole does not hold, blame goes down to the clauses (`tb.replay.stopped.outline`).
3. A clause stopped the entry alone where the whole holds once it is fixed as wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.core.units import Kind
from tb.engine.columns import Columns
from tb.engine.explain.clauses import shared_unit, sides
from tb.engine.graph import RuleGraph
from tb.engine.plan import EnterPlan, StrategyPlan
from tb.replay.stopped.counts import Grid, Near, longest, nearest, timeline
from tb.replay.stopped.model import Stopper
from tb.replay.stopped.outline import Floats, Key, Mask, Truth, blamed, joined, keys, words, would_hold
from tb.runtime.entry_states import FALSE, OUTSIDE, TRUE, UNKNOWN

Ints = NDArray[np.int64]
_COMPARED = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "agrees"})
_NO_DISTANCE = frozenset({Kind.TRUTH, Kind.REGIME, Kind.SIGNAL})


@dataclass(frozen=True, slots=True)
class Blamed:
    """A clause over the bars of a span in one instrument."""

    key: Key
    text: str
    missed: Mask  # not as wanted, while the entry does not hold
    alone: Mask
    unknown: Mask
    near: Near | None


@dataclass(frozen=True, slots=True)
class Looked:
    """One entry in one instrument over the bars of a span. `states` as `tb.replay.run` has them."""

    symbol: str
    closes: Ints
    states: NDArray[np.uint8]
    clauses: tuple[Blamed, ...]


def roots_of(strategy: StrategyPlan, enter: EnterPlan, symbol: str) -> tuple[int, ...]:
    """What has to hold: that the instrument belongs to the universe, and the condition."""
    membership = strategy.membership_of(symbol)
    return (enter.when,) if membership is None else (membership, enter.when)


def nodes_of(graph: RuleGraph, roots: Iterable[int]) -> set[int]:
    """Every node whose column is looked at: the clauses and what they compare."""
    nodes = {id_ for root in roots for id_, _ in keys(graph, root)}
    return nodes | {side for id_ in nodes if graph[id_].op in _COMPARED for side in graph[id_].args[:2]}


def look(graph: RuleGraph, roots: tuple[int, ...], symbol: str, columns: Columns, closes: Ints, rows: slice) -> Looked:
    """`closes` are those of all bars, `rows` the ones of the span."""
    here = closes[rows]

    def column(id_: int) -> Floats:
        if graph[id_].op == "const":
            value = columns.at(id_, symbol, 0)
            return np.full(len(here), np.nan if value is None else value)
        return columns[id_, symbol][rows]

    found: dict[Key, Mask] = {key: np.zeros(len(here), dtype=np.bool_) for root in roots for key in keys(graph, root)}
    texts: dict[int, str] = {}
    known: dict[int, Floats] = {}
    for root in roots:
        blamed(graph, root, column, found, symbol)
        texts |= words(graph, root)
    clauses = []
    for key, missed in found.items():
        id_, wanted = key
        fixed = {id_: np.full(len(here), float(wanted))}
        alone = missed & would_hold(graph, roots, column, fixed, symbol) if missed.any() else missed
        near = _near(graph, id_, missed, column, here, symbol)
        clauses.append(Blamed(key, texts[id_], missed, alone, missed & np.isnan(column(id_)), near))
    states = _states([joined(graph, root, column, known, symbol) for root in roots])
    return Looked(symbol, here, states, tuple(clauses))


def _states(values: Sequence[Floats]) -> NDArray[np.uint8]:
    when = values[-1]
    states = np.where(np.isnan(when), UNKNOWN, np.where(when == 1.0, TRUE, FALSE)).astype(np.uint8)
    if len(values) > 1:
        states[np.isnan(values[0])] = UNKNOWN
        states[values[0] == 0.0] = OUTSIDE
    return states


def _near(graph: RuleGraph, id_: int, missed: Mask, column: Truth, closes: Ints, symbol: str) -> Near | None:
    node = graph[id_]
    if node.op not in _COMPARED or not missed.any():
        return None
    measured, bound = sides(graph, node)
    unit = shared_unit(graph[measured].unit, graph[bound].unit)
    if unit.kind in _NO_DISTANCE:
        return None
    return nearest(missed, column(measured), column(bound), unit, closes, symbol)


def stopper(graph: RuleGraph, among: Sequence[tuple[Looked, Blamed]], grid: Grid) -> Stopper:
    """One clause over several instruments; the streak and the nearest are those of the instrument that has them."""
    first = among[0][1]
    node = graph[first.key[0]]
    bars = sum((grid.bars(looked.closes) for looked, _ in among), np.zeros(grid.count, dtype=np.int64))
    missed = sum((grid.counted(looked.closes, one.missed) for looked, one in among), np.zeros(grid.count, dtype=np.int64))
    streaks = [longest(one.missed, looked.closes, looked.symbol) for looked, one in among]
    near = min((one.near for _, one in among if one.near is not None), key=lambda found: found[0], default=None)
    return Stopper(
        clause=first.text,
        name=node.names[0] if node.names else "",
        place=f"{node.spans[0].file}:{node.spans[0].line}",
        wanted="true" if first.key[1] else "false",
        times=_total(one.missed for _, one in among),
        alone=_total(one.alone for _, one in among),
        unknown=_total(one.unknown for _, one in among),
        streak=max((s for s in streaks if s is not None), key=lambda s: s.length, default=None),
        closest=None if near is None else near[1],
        timeline=timeline(bars, missed),
    )


def _total(masks: Iterable[Mask]) -> int:
    return sum(int(np.count_nonzero(mask)) for mask in masks)


def by_clause(looked: Sequence[Looked]) -> Mapping[Key, list[tuple[Looked, Blamed]]]:
    """The clauses of all instruments, each with where it was looked at."""
    found: dict[Key, list[tuple[Looked, Blamed]]] = {}
    for one in looked:
        for clause in one.clauses:
            found.setdefault(clause.key, []).append((one, clause))
    return found
