"""From a strategy's words to a quantity and prices: exact, on the venue's grid, rounded toward less risk.

A buy is expected at the ask and a sell at the bid, made worse by slippage and rounded to the tick that is worse. Quantities are
rounded down to the lot. Stops and targets are rounded to the tick nearer to the entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from tb.core.settings import InstrumentSpec
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, exact
from tb.engine.plan import EnterPlan, LevelPlan

Values = Callable[[int], float | None]
# wide enough to tell a whole number of steps from one that 28 digits would round to it
WIDE = Context(prec=80, traps=[])


@dataclass(frozen=True, slots=True)
class Sized:
    """`missing` names what could not be computed; the quantity is then 0."""

    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    intended: Decimal | None
    missing: tuple[str, ...]


def to_grid(value: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """The multiple of the step at or beyond the value, upward or downward."""
    count = WIDE.divide(value, step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return EXACT.multiply(count, step)


def expected_price(sign: int, quote: tuple[Decimal, Decimal], slippage: Decimal, tick: Decimal) -> Decimal:
    """What an order at market is expected to pay (sign 1) or get (-1)."""
    bid, ask = quote
    side = ask if sign > 0 else bid
    return to_grid(EXACT.multiply(side, 1 + sign * slippage), tick, up=sign > 0)


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
        raw = _level(graph, enter.stop, entry, -sign, None, values)
        stop = None if raw is None else to_grid(raw, tick, up=sign > 0)
        if stop is None or stop <= 0:
            missing.append("stop")
            stop = None
    if enter.target is not None:
        risk = None if stop is None else abs(EXACT.subtract(entry, stop))
        raw = _level(graph, enter.target, entry, sign, risk, values)
        target = None if raw is None else to_grid(raw, tick, up=sign < 0)
        if target is None or target <= 0:
            missing.append("target")
            target = None
    return stop, target, tuple(missing)


def _level(
    graph: RuleGraph, level: LevelPlan, entry: Decimal, toward: int, risk: Decimal | None, values: Values
) -> Decimal | None:
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


def size(
    graph: RuleGraph, enter: EnterPlan, price: Decimal, equity: Decimal | None, spec: InstrumentSpec, values: Values
) -> Sized:
    """The order a strategy asks for. Whatever cannot be computed is named, and nothing is ordered in its place."""
    stop, target, lacking = levels(graph, enter, price, spec.tick, values)
    missing = list(lacking)
    share, risking = _share(graph, enter, values)
    if share is None:
        missing.append("size" if enter.by_conviction is None else "conviction")
    if equity is None:
        missing.append("equity")
    if missing or share is None or equity is None or price <= 0:
        return Sized(Decimal(0), stop, target, None, tuple(missing))
    money = EXACT.multiply(share, equity)
    if risking:
        distance = abs(EXACT.subtract(price, stop)) if stop is not None else Decimal(0)
        if not distance:
            return Sized(Decimal(0), stop, target, None, ("stop",))
        money = EXACT.multiply(EXACT.divide(money, distance), price)
    quantity = to_grid(max(WIDE.divide(money, price), Decimal(0)), spec.lot, up=False)
    return Sized(quantity, stop, target, money, ())


def _share(graph: RuleGraph, enter: EnterPlan, values: Values) -> tuple[Decimal | None, bool]:
    """The share at the conviction of the entry, or of the first case whose condition holds; unknown where a condition before it
    is unknown, and where no conviction is known."""
    if enter.by_conviction is not None:
        conviction = None if enter.conviction is None else exact(values(enter.conviction))
        share = None if conviction is None else enter.by_conviction.share(conviction)
        return share, enter.by_conviction.risking
    for case in enter.sizes:
        if case.condition is not None:
            holds = values(case.condition)
            if holds is None:
                return None, False
            if holds != 1.0:
                continue
        return exact_value(graph, case.share, values), case.risking
    return None, False
