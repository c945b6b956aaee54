"""How an entry asks to be filled: at market, at a limit, or beyond a price."""

from __future__ import annotations

from decimal import Decimal

from tb.core.records import Style
from tb.core.units import Kind
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import fold

_STYLES: dict[str, Style] = {"market": "market", "limit": "limit", "stop": "stop"}


def order(using: Expressions, node: syntax.Order, direction: str, valid: checked.Const | None) -> checked.EntryOrder:
    """The order of an entry; `valid` is its life time, checked already."""
    style = _STYLES[node.kind]
    price = None if node.price is None else _price(using, node.price, style, direction)
    return checked.EntryOrder(style, price, valid, node.post_only, node.span)


def _price(using: Expressions, node: syntax.Expr, style: Style, direction: str) -> checked.Expr | None:
    price = using.check(node)
    if using.excused(price):
        return None
    example = "`order limit at bid`" if style == "limit" else "`order stop at high[1]`"
    folded = fold(price)
    if folded is not None and isinstance(folded.value, Decimal) and folded.value <= 0:
        using.scope.report("TB059", "the price of an order must be more than nothing", node.span, f"write {example}")
        return None
    if price.unit.kind is not Kind.PRICE or price.unit.tag is not None:
        hint = f"write a price, as in {example}"
        if units.as_ratio(price.unit) and isinstance(price, checked.Const):
            sign = "-" if (style == "limit") == (direction == "long") else "+"
            hint = f"write a price, as in `order {style} at close * (1 {sign} {price.text})`"
        using.scope.report("TB101", f"the price of an order is a price, not {units.phrase(price.unit)}", node.span, hint)
        return None
    return price
