"""A replay without any skipping: every close of every bar is stepped, conditions are read from the reference interpreter.

Slow and obvious. `tb.replay.run` must give the same records.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal

from small_projects import Collected

from tb.core.records import Fill, Quiet
from tb.engine.columns import CHUNK
from tb.engine.interpret import Histories
from tb.engine.plan import with_data
from tb.replay.data import Market
from tb.replay.run import markets_of
from tb.replay.venue import SimulatedVenue
from tb.runtime.drafts import Ready
from tb.runtime.policy import Compiled, gates_of
from tb.runtime.ports import Adviser
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.view import RecordedView, columns_of

Watch = Callable[[int, Session, Collected], None]


class Recorder:
    def __init__(self) -> None:
        self.kept = Collected()

    def record(self, records: list) -> None:  # type: ignore[type-arg]
        self.kept.records += records


def stepped(
    project: Compiled, data: Market, watch: Watch | None = None, *, interpreted: bool = True, adviser: Adviser | None = None
) -> Collected:
    """All records of a run that steps every instant. `watch` is called after every step."""
    plan, settings = project.plan, project.settings
    plan = with_data(plan, data.bars)
    markets = markets_of(plan, data, settings)
    view = RecordedView(plan.graph, markets, columns_of(plan, markets, chunk=CHUNK), Rates(settings, data.bars))
    histories = Histories(plan.graph, markets)
    recorder, venue = Recorder(), SimulatedVenue(settings, data.bars, Rates(settings, data.bars))
    session = Session(
        run="r1",
        plan=plan,
        settings=settings,
        view=view,
        venue=venue,
        recorder=recorder,
        policy_hash="0" * 64,
        gates=gates_of(plan),
        halts_lifted_after=settings.halts_lifted_after,
        adviser=adviser,
    )
    states: dict[tuple[str, str], list[dict[int, int]]] = {}
    periods = {data.period, *(strategy.period for strategy in plan.strategies)}
    instants = sorted({int(c) for symbol in data.bars for p in periods for c in markets.bars(symbol, p).closes})

    def truth(node: int | None, symbol: str, row: int) -> int:
        """1 true, 0 false, 2 unknown."""
        if node is None:
            return 1
        value = histories.history(node, symbol)[row] if interpreted else view.columns[node, symbol][row]
        return 2 if math.isnan(value) else int(value)

    for at in instants:
        closed = {symbol: row for symbol in data.bars if (row := view.row(symbol, data.period, at)) is not None}
        venue.advance_legs(session, closed, at)
        for symbol in sorted(data.bars):
            row = view.row(symbol, data.period, at)
            if row is not None:
                venue.advance(session, symbol, row)
        ready = []
        for number, strategy in enumerate(plan.strategies):
            for symbol in strategy.looks():
                for which, enter in enumerate(strategy.entries_of(symbol)):
                    row = view.row(symbol, strategy.period, at)
                    if row is None:
                        continue
                    member, when = truth(strategy.membership_of(symbol), symbol, row), truth(enter.when, symbol, row)
                    state = {0: 3, 1: when, 2: 2}[member]
                    kept = states.setdefault((strategy.name, symbol), [{} for _ in strategy.entries_of(symbol)])
                    kept[which][row] = state
                    if state == 1:
                        ready.append((number, which, strategy.members.index(symbol), Ready(number, which, symbol, row)))
        entries = [entry for *_, entry in sorted(ready, key=lambda found: (found[0], found[2], found[1]))]
        for silent in session.step(at, entries):
            strategy = plan.strategies[silent.strategy]
            is_cooling = session.cooling.get((strategy.name, silent.symbol), 0) > at
            states[strategy.name, silent.symbol][silent.enter][silent.row] = 5 if is_cooling else 4
        if watch is not None:
            watch(at, session, recorder.kept)
    session.settling.record_open()
    for (name, symbol), found in states.items():
        closes = markets.bars(symbol, plan.strategy(name).period).closes
        joined = b"".join(bytes(rows[row] for row in range(len(closes))) for rows in found)
        quiet = Quiet(
            strategy=name,
            instrument=symbol,
            first=int(closes[0]),
            last=int(closes[-1]),
            rows=len(closes),
            states=zlib.compress(joined, 6),
        )
        recorder.record([quiet])
    return recorder.kept


def equity_of(fills: list[Fill], data: Market, at: int, initial: Decimal) -> Decimal | None:
    """Cash and positions at the last price, from the fills alone."""
    cash, held = initial, dict.fromkeys(data.bars, Decimal(0))
    for fill in fills:
        quantity = fill.quantity if fill.side == "buy" else -fill.quantity
        cash -= quantity * fill.price + fill.fee
        held[fill.instrument] += quantity
    for symbol, quantity in held.items():
        if quantity:
            closes = data.bars[symbol].closes.tolist()
            price = float(data.bars[symbol].close[bisect_right(closes, at) - 1])
            if math.isnan(price):
                return None
            cash += quantity * Decimal(repr(price))
    return cash
