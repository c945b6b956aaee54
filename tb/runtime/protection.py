"""Where the stop of an open position moves when a bar of its strategy closes.

1. The profit is that of the close against the price that was paid.
2. `to entry after P`: from that profit on, the price of the entry is a candidate.
3. `trailing X`: from its profit on (and ever after), the close less the distance is a candidate, rounded to the tick of less
   risk. A distance that is unknown, or not above nothing, gives none: the last level stays.
4. The best candidate counts where it is better than the stop in force. INVARIANT: a stop never moves against the position.

A bar's inside is watched against the stop known when it began: what moves at its close counts from the next bar on.
"""

from __future__ import annotations

from decimal import Decimal

from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT
from tb.engine.management import AfterPlan, ManagePlan, TrailingPlan
from tb.gate.levels import Values, exact_value, to_grid
from tb.runtime.positions import BREAK_EVEN, TRAILING, Position


def move_stop(
    position: Position, manage: ManagePlan, graph: RuleGraph, close: Decimal | None, tick: Decimal, values: Values
) -> bool:
    """Moves the stop to where the close allows; says whether it moved."""
    if close is None:
        return False
    candidates: list[tuple[Decimal, str]] = []
    if manage.break_even is not None and _reached(position, manage.break_even, close):
        candidates.append((position.entry.price, BREAK_EVEN))
    if manage.trailing is not None:
        position.trails = position.trails or manage.trailing.after is None or _reached(position, manage.trailing.after, close)
        level = _trailed(position, manage.trailing, graph, close, tick, values) if position.trails else None
        candidates += [] if level is None else [(level, TRAILING)]
    moved = False
    for level, by in candidates:
        if position.stop is None or position.sign * (level - position.stop) > 0:
            position.stop, position.moved_by, moved = level, by, True
    return moved


def _reached(position: Position, after: AfterPlan, close: Decimal) -> bool:
    entry = position.entry.price
    profit = EXACT.multiply(position.sign, EXACT.subtract(close, entry))
    if not after.in_r:
        return profit >= EXACT.multiply(after.amount, entry)
    return position.initial_stop is not None and profit >= EXACT.multiply(
        after.amount, abs(EXACT.subtract(entry, position.initial_stop))
    )


def _trailed(
    position: Position, trailing: TrailingPlan, graph: RuleGraph, close: Decimal, tick: Decimal, values: Values
) -> Decimal | None:
    value = exact_value(graph, trailing.distance.node, values)
    if value is None or value <= 0:
        return None
    distance = EXACT.multiply(close, value) if trailing.distance.kind == "ratio" else value
    level = to_grid(EXACT.subtract(close, EXACT.multiply(position.sign, distance)), tick, up=position.sign > 0)
    return level if level > 0 else None
