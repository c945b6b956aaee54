"""The price an order asks for, and what it is then expected to pay, exactly and on the venue's grid.

A limit is rounded to the tick that asks more of the market (a buy down, a sell up): it never pays more than was said. The
trigger of a stop entry is rounded away from the market (a buy up, a sell down): it never starts before the price was seen.
A limit order is expected to pay its limit; a stop entry its trigger made worse by slippage, as an order at market from there.
Where the market is beyond that price already, the order fills at once at the market's price, so that is what it is judged at: a
sell limit below the bid sells more money's worth than its limit says, a stop entry on the wrong side starts at the next open.
"""

from __future__ import annotations

from decimal import Decimal

from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT
from tb.engine.plan import OrderPlan
from tb.gate.levels import Values, exact_value, to_grid

_NONE = Decimal(0)


def asked_price(
    graph: RuleGraph, order: OrderPlan, sign: int, tick: Decimal, values: Values, inventory: Decimal = _NONE
) -> Decimal | None:
    """The limit or trigger of an order that rests; None where it is not known or not a price.

    `inventory` is what a quote's strategy holds, from -1 to 1 of the size quoted: both sides move against it.
    """
    if order.price is None:
        return None
    said = exact_value(graph, order.price, values)
    if said is not None and order.skew is not None and inventory:
        most = exact_value(graph, order.skew, values)
        said = None if most is None else EXACT.subtract(said, EXACT.multiply(inventory, most))
    if said is None:
        return None
    price = to_grid(said, tick, up=(sign > 0) == (order.style == "stop"))
    return price if price > 0 else None


def expected_of(
    order: OrderPlan, asked: Decimal | None, sign: int, slippage: Decimal, tick: Decimal, market: Decimal | None
) -> Decimal | None:
    """What an order that rests is expected to pay (sign 1) or get (-1).

    `market` is what an order at market would pay now; None where it is known not to matter. A buy limit never pays more than
    its limit, and a quote is cancelled where it would fill at once.
    """
    if asked is None:
        return None
    if order.style == "limit":
        return asked if market is None or sign > 0 or order.is_quote else max(asked, market)
    own = to_grid(EXACT.multiply(asked, 1 + sign * slippage), tick, up=sign > 0)
    if market is None:
        return own
    return max(own, market) if sign > 0 else min(own, market)
