"""From a strategy's words to a quantity and prices: exact, on the venue's grid, rounded toward less risk.

A buy is expected at the ask and a sell at the bid, made worse by slippage and rounded to the tick that is worse. Quantities are
rounded down to the lot. Stops and targets are rounded to the tick nearer to the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.settings import InstrumentSpec
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, exact
from tb.engine.plan import EnterPlan
from tb.gate.conversion import ONE, at_rate
from tb.gate.levels import WIDE, Values, exact_value, levels, to_grid
from tb.gate.takes import take_levels


@dataclass(frozen=True, slots=True)
class Sized:
    """`missing` names what could not be computed; the quantity is then 0."""

    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    intended: Decimal | None
    missing: tuple[str, ...]
    takes: tuple[Decimal, ...] = ()


def expected_price(sign: int, quote: tuple[Decimal, Decimal], slippage: Decimal, tick: Decimal) -> Decimal:
    """What an order at market is expected to pay (sign 1) or get (-1)."""
    bid, ask = quote
    side = ask if sign > 0 else bid
    return to_grid(EXACT.multiply(side, 1 + sign * slippage), tick, up=sign > 0)


def size(
    graph: RuleGraph,
    enter: EnterPlan,
    price: Decimal,
    equity: Decimal | None,
    spec: InstrumentSpec,
    values: Values,
    rate: Decimal | None = ONE,
) -> Sized:
    """The order a strategy asks for. Whatever cannot be computed is named, and nothing is ordered in its place.

    `rate` is what the currency of the price is worth in the account's, None where that is not known.
    """
    stop, target, lacking = levels(graph, enter, price, spec.tick, values)
    missing, takes = list(lacking), take_levels(graph, enter, price, stop, spec.tick, values)
    if takes is None:
        missing.append("take")
    share, risking = _share(graph, enter, values)
    if share is None:
        missing.append("size" if enter.by_conviction is None else "conviction")
    if equity is None:
        missing.append("equity")
    if rate is None:
        missing.append("rate")
    if missing or share is None or equity is None or rate is None or price <= 0:
        return Sized(Decimal(0), stop, target, None, tuple(missing))
    money = EXACT.multiply(share, equity)
    if risking:
        distance = abs(EXACT.subtract(price, stop)) if stop is not None else Decimal(0)
        if not distance:
            return Sized(Decimal(0), stop, target, None, ("stop",))
        # what a unit loses and what it costs are both converted: here the rate falls out
        money = EXACT.multiply(EXACT.divide(money, distance), price)
    quantity = to_grid(max(WIDE.divide(money, at_rate(price, rate)), Decimal(0)), spec.lot, up=False)
    return Sized(quantity, stop, target, money, (), takes or ())


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
