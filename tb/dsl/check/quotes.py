"""Quotes: two limit orders that rest on both sides, each checked as an entry of its own.

A quote is sent only where its bid lies below its ask; `only when` narrows that further. Its orders rest, post only, and fill
where the market trades through them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tb.core.units import TRUTH, Kind
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import fold
from tb.dsl.check.templates import template

SizeOf = Callable[[syntax.SizeCase], checked.SizeCase | None]


def quotes(using: Expressions, node: syntax.Strategy, size_of: SizeOf) -> tuple[checked.Enter, ...]:
    """The bid and the ask of a strategy that quotes; nothing of one that does not."""
    scope = using.scope
    if not node.quotes:
        return ()
    if node.enters or node.leg_enters:
        hint = "write two strategies: what quotes have bought and sold is one position of its own"
        scope.report("TB071", f"`{node.name}` quotes and enters", node.quotes[0].span, hint)
    for other in node.quotes[1:]:
        hint = "keep one, or write a strategy for each"
        scope.report("TB071", f"`{node.name}` quotes twice", other.span, hint)
    return _sides(using, node.quotes[0], size_of)


def _sides(using: Expressions, node: syntax.Quote, size_of: SizeOf) -> tuple[checked.Enter, ...]:
    bid, ask = _price(using, node.bid, "bid"), _price(using, node.ask, "ask")
    skew = _skew(using, node.skew) if node.skew is not None else None
    only_when = using.condition(node.only_when) if node.only_when is not None else None
    if not node.sizes:
        using.scope.report("TB071", "the quote has no size", node.span, "add `size 1% of equity`")
    for case in node.sizes:
        if case.risking:
            using.scope.report("TB071", "a quote has no stop to risk against", case.span, "write `size 1% of equity`")
    sizes = tuple(found for case in node.sizes if not case.risking and (found := size_of(case)) is not None)
    because = template(using, node.because)
    if bid is None or ask is None:
        return ()
    apart: checked.Expr = checked.Comparison("lt", bid, ask, TRUTH, node.span)
    when = apart if only_when is None else checked.Logic("and", (only_when, apart), TRUTH, node.span)
    return tuple(
        checked.Enter(
            direction,
            when,
            sizes,
            None,
            None,
            because,
            node.span,
            None,
            checked.EntryOrder("limit", price, None, True, node.span, skew, True),
        )
        for direction, price in (("long", bid), ("short", ask))
    )


def _price(using: Expressions, node: syntax.Expr, side: str) -> checked.Expr | None:
    price = using.check(node)
    if using.excused(price):
        return None
    folded = fold(price)
    if folded is not None and isinstance(folded.value, Decimal) and folded.value <= 0:
        using.scope.report("TB059", "the price of a quote must be more than nothing", node.span, f"write `{side} mid`")
        return None
    if price.unit.kind is not Kind.PRICE or price.unit.tag is not None:
        sign = "-" if side == "bid" else "+"
        hint = f"write a price, as in `{side} mid * (1 {sign} 10bps)`"
        using.scope.report("TB101", f"the {side} of a quote is a price, not {units.phrase(price.unit)}", node.span, hint)
        return None
    return price


def _skew(using: Expressions, node: syntax.Skew) -> checked.Expr | None:
    most = using.check(node.at_most)
    if using.excused(most):
        return None
    folded = fold(most)
    if folded is not None and isinstance(folded.value, Decimal) and folded.value <= 0:
        using.scope.report("TB072", "a skew must be more than nothing", node.span, "write `at most 5bps of mid`")
        return None
    if most.unit.kind is not Kind.PRICE or most.unit.tag is not None:
        message = f"quotes move by a distance in price, not by {units.phrase(most.unit)}"
        hint = f"write `at most {most.text} of mid`" if isinstance(most, checked.Const) else "write `at most 5bps of mid`"
        using.scope.report("TB072", message, node.span, hint)
        return None
    return most
