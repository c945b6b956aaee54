"""Prices of stops and targets from their lines: exact, on the venue's grid, nearer to the entry where they are rounded."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, exact
from tb.engine.management import LevelPlan
from tb.engine.plan import EnterPlan

Values = Callable[[int], float | None]
# wide enough to tell a whole number of steps from one that 28 digits would round to it
WIDE = Context(prec=80, traps=[])


def to_grid(value: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """The multiple of the step at or beyond the value, upward or downward."""
    count = WIDE.divide(value, step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return EXACT.multiply(count, step)


def exact_value(graph: RuleGraph, node: int, values: Values) -> Decimal | None:
    """A node's value as it enters an order: a constant exactly, a market value by its shortest text."""
    if graph[node].op == "const":
        constant = graph[node].consts[0]
        return constant if isinstance(constant, Decimal) else None
    return exact(values(node))


def levels(
    graph: RuleGraph, enter: EnterPlan, entry: Decimal, tick: Decimal, values: Values
) -> tuple[Decimal | None, Decimal | None, tuple[str, ...]]:
    """Stop and target for an entry at that price, and which of the two could not be computed."""
    missing = []
    stop = target = None
    sign = 1 if enter.direction == "long" else -1
    if enter.stop is not None:
        raw = level_price(graph, enter.stop, entry, -sign, None, values)
        stop = None if raw is None else to_grid(raw, tick, up=sign > 0)
        if stop is None or stop <= 0:
            missing.append("stop")
            stop = None
    if enter.target is not None:
        risk = None if stop is None else abs(EXACT.subtract(entry, stop))
        raw = level_price(graph, enter.target, entry, sign, risk, values)
        target = None if raw is None else to_grid(raw, tick, up=sign < 0)
        if target is None or target <= 0:
            missing.append("target")
            target = None
    return stop, target, tuple(missing)


def level_price(
    graph: RuleGraph, level: LevelPlan, entry: Decimal, toward: int, risk: Decimal | None, values: Values
) -> Decimal | None:
    """The price of a level toward one side of an entry; None where it is not known. `risk` is what R is measured by."""
    value = exact_value(graph, level.node, values)
    if value is None:
        return None
    match level.kind:
        case "price":
            return value
        case "ratio":
            return EXACT.multiply(entry, 1 + toward * value)
        case "distance":
            return EXACT.add(entry, toward * value)
        case _:
            return None if risk is None else EXACT.add(entry, toward * EXACT.multiply(value, risk))
