"""why-not over a span: which clauses stopped each strategy how often, and which constraints its proposals.

1. The span is cut to the bars there are (`Grid`: the stretches of the timelines).
2. One instrument after the other: its columns, then each entry that looks at it (`tb.replay.stopped.entries`).
3. The instruments of an entry are counted together, the proposals of the run beside them (`tb.replay.stopped.refusals`).

Nothing is evaluated bar by bar, and the columns of one instrument are held at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tb.core.records import Decision, Latch, Quiet
from tb.core.settings import Settings
from tb.core.time import show_duration, show_instant
from tb.engine.columns import CHUNK, evaluate
from tb.engine.markets import Markets
from tb.engine.plan import EnterPlan, Plan, StrategyPlan, with_data
from tb.gate.gate import Gate
from tb.replay.metrics_policy import stoppages
from tb.replay.stopped.counts import Grid, timeline
from tb.replay.stopped.entries import Looked, by_clause, look, nodes_of, roots_of, stopper
from tb.replay.stopped.model import OfEntry, OfInstrument, States, Stop, StoppedSpan
from tb.replay.stopped.noted import Bytes, counted, noted
from tb.replay.stopped.refusals import refused_by
from tb.runtime.entry_states import TRUE
from tb.runtime.policy import gates_of

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Entry:
    strategy: StrategyPlan
    which: int
    plan: EnterPlan
    looked: list[tuple[Looked, Bytes | None]] = field(default_factory=list)
    proposals: list[Decision] = field(default_factory=list)


def why_not_over(
    plan: Plan,
    markets: Markets,
    first: int,
    last: int,
    *,
    run: str = "",
    settings: Settings | None = None,
    instruments: Sequence[str] = (),
    strategy: str | None = None,
    quiet: Iterable[Quiet] = (),
    decisions: Iterable[Decision] = (),
    latches: Sequence[Latch] = (),
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> StoppedSpan:
    """What kept strategies from trading at the bars that closed after `first` and not after `last` (ms UTC).

    `instruments` and `strategy` narrow what is looked at; empty means all. `quiet`, `decisions` and `latches` are those of a
    run, if any, and `settings` those it was made with: they hold the lots that orders shrink by. Time grows with bars times
    clauses; the columns of one instrument are held at a time.
    """
    plan = with_data(plan, markets.base)
    entries = _entries(plan, strategy)
    wanted = tuple(symbol for symbol in markets.base if not instruments or symbol in instruments)
    base = next((bars.period for bars in markets.base.values()), last - first)
    grid = Grid.of(first, last, base)
    notes = list(quiet)
    seen: dict[str, None] = {}
    for at, looked_at in enumerate(markets.base):
        here = [e for e in entries.values() if _looks(e.strategy, looked_at, wanted) and e.strategy.entries_of(looked_at)]
        if here:
            _look(plan, markets, here, looked_at, (first, last), notes, chunk)
            seen |= {symbol: None for e in here for symbol in e.strategy.together(looked_at) if symbol in wanted}
        if progress is not None:
            progress(at + 1, len(markets.base))
    for decision in decisions:
        entry = entries.get((decision.strategy, decision.enter)) if decision.kind == "enter" else None
        if entry is not None and first < decision.at <= last and decision.instrument in wanted:
            entry.proposals.append(decision)
    gates = gates_of(plan)
    return StoppedSpan(
        run=run,
        first=show_instant(first),
        last=show_instant(last),
        instruments=tuple(seen),
        entries=tuple(_of_entry(plan, settings, entry, gates[entry.strategy.period], grid) for entry in entries.values()),
        stops=tuple(_stops(latches, first, last)),
        first_ms=first,
        last_ms=last,
    )


def _entries(plan: Plan, name: str | None) -> dict[tuple[str, int], _Entry]:
    found = {}
    for strategy in plan.strategies:
        if name is not None and strategy.name != name:
            continue
        looks = strategy.looks()
        # the legs of one entry have one condition: those of the first basket stand for all
        enters = strategy.entries_of(looks[0]) if looks else strategy.enters
        for which, enter in enumerate(enters):
            found[strategy.name, which] = _Entry(strategy, which, enter)
    return found


def _looks(strategy: StrategyPlan, symbol: str, wanted: Sequence[str]) -> bool:
    """Whether a strategy looks at the bars of an instrument for one that is asked for."""
    return symbol in strategy.looks() and any(other in wanted for other in strategy.together(symbol))


def _look(
    plan: Plan, markets: Markets, entries: Sequence[_Entry], symbol: str, span: tuple[int, int], quiet: list[Quiet], chunk: int
) -> None:
    """Adds what each entry comes to in one instrument."""
    graph = plan.graph
    roots = [roots_of(e.strategy, e.strategy.entries_of(symbol)[e.which], symbol) for e in entries]
    nodes = sorted({id_ for found in roots for id_ in nodes_of(graph, found)})
    columns = evaluate(graph, {symbol: nodes}, markets, chunk=chunk)
    for entry, found in zip(entries, roots, strict=True):
        closes = markets.bars(symbol, entry.strategy.period).closes
        rows = slice(*(int(np.searchsorted(closes, at, side="right")) for at in span))
        then = noted(quiet, entry.strategy.name, symbol, entry.which, closes)
        looked = look(graph, found, symbol, columns, closes, rows)
        entry.looked.append((looked, None if then is None else then[rows]))


def _of_entry(plan: Plan, settings: Settings | None, entry: _Entry, gate: Gate, grid: Grid) -> OfEntry:
    graph, looked = plan.graph, [one for one, _ in entry.looked]
    clauses = [stopper(graph, among, grid) for among in by_clause(looked).values()]
    parts = []
    for one, then in entry.looked:
        own = tuple(stopper(graph, [(one, clause)], grid) for clause in one.clauses)
        parts.append(
            OfInstrument(instrument=one.symbol, states=counted(one.states, then), clauses=own, timeline=_held([one], grid))
        )
    return OfEntry(
        strategy=entry.strategy.name,
        direction=entry.plan.direction,
        place=f"{entry.plan.span.file}:{entry.plan.span.line}",
        states=_added([part.states for part in parts]),
        clauses=tuple(sorted((c for c in clauses if c.times), key=lambda c: (-c.alone, -c.times))),
        instruments=tuple(parts),
        proposals=dict(sorted(Counter(decision.verdict for decision in entry.proposals).items())),
        refused_by=refused_by(gate, settings, entry.proposals, grid),
        timeline=_held(looked, grid),
        remark=_remark(entry),
    )


def _held(looked: Sequence[Looked], grid: Grid) -> tuple[int | None, ...]:
    nothing = np.zeros(grid.count, dtype=np.int64)
    bars = sum((grid.bars(one.closes) for one in looked), nothing)
    return timeline(bars, sum((grid.counted(one.closes, one.states == TRUE) for one in looked), nothing))


def _added(parts: Sequence[States]) -> States:
    names = States.__struct_fields__
    return States(**{name: sum(getattr(part, name) for part in parts) for name in names})


def _remark(entry: _Entry) -> str:
    if not entry.looked:
        return "it covers none of these instruments, or there is no data for them"
    if not any(len(one.closes) for one, _ in entry.looked):
        return f"no bar of {show_duration(entry.strategy.period)} closed in this span"
    return ""


def _stops(latches: Sequence[Latch], first: int, last: int) -> Iterable[Stop]:
    for stop in stoppages(latches, last):
        if stop.start <= last and (stop.ongoing or stop.end > first):
            to = "" if stop.ongoing else show_instant(stop.end)
            yield Stop(rule=stop.rule, verdict=stop.verdict, first=show_instant(stop.start), to=to, reason=stop.reason)
