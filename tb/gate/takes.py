"""Partial targets of an order: their levels and quantities, exactly, on the venue's grid."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT
from tb.engine.plan import EnterPlan
from tb.gate.levels import Values, level_price, to_grid


def take_levels(
    graph: RuleGraph, enter: EnterPlan, entry: Decimal, stop: Decimal | None, tick: Decimal, values: Values
) -> tuple[Decimal, ...] | None:
    """The level of each take, in the order of the text, rounded to the tick nearer to the entry; None where one is not known
    or does not stand on the winning side of the entry."""
    sign = 1 if enter.direction == "long" else -1
    risk = None if stop is None else abs(EXACT.subtract(entry, stop))
    found = []
    for take in enter.manage.takes:
        raw = level_price(graph, take.level, entry, sign, risk, values)
        level = None if raw is None else to_grid(raw, tick, up=sign < 0)
        if level is None or level <= 0 or sign * (level - entry) <= 0:
            return None
        found.append(level)
    return tuple(found)


def parts_of(shares: Sequence[Decimal], quantity: Decimal, lot: Decimal) -> tuple[Decimal, ...]:
    """How much leaves at each take. The running sum of the shares is rounded down to the lot, so that takes of 100% leave
    nothing over; a part can be 0."""
    parts = []
    share = gone = Decimal(0)
    for each in shares:
        share = EXACT.add(share, each)
        reached = to_grid(EXACT.multiply(share, quantity), lot, up=False)
        parts.append(EXACT.subtract(reached, gone))
        gone = reached
    return tuple(parts)
