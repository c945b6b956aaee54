"""Strategies: entries, sizes, stops, targets, exits, and how long."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tb.core.units import NUMBER, Kind
from tb.dsl import checked, syntax
from tb.dsl.check import legs, management, orders, quotes, units
from tb.dsl.check.conviction import by_conviction
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import fold
from tb.dsl.check.templates import template


def strategy(using: Expressions, node: syntax.Strategy) -> None:
    scope = using.scope
    if node.universe in scope.broken:
        pass
    elif node.universe not in scope.universes or not scope.visible(node.universe, using.file, False):
        hint = (
            scope.elsewhere(node.universe, using.file)
            or scope.nearest(node.universe, list(scope.universes), using.file, False)
            or "define it: `universe NAME` and its tiers"
        )
        scope.report("TB061", f"there is no universe `{node.universe}`", node.span, hint)
    every = length(using, node.every, allow_bars=False)
    if not (node.enters or node.leg_enters or node.quotes):
        scope.report("TB057", f"`{node.name}` never enters", node.span, "add `enter long when ...`")
    enters = tuple(_enter(using, enter) for enter in node.enters)
    exits = tuple(checked.ExitWhen(using.condition(e.condition), template(using, e.because), e.span) for e in node.exits)
    hold = length(using, node.hold_at_most) if node.hold_at_most is not None else None
    cool_downs = []
    for cool_down in node.cool_downs:
        found = length(using, cool_down.length)
        if found is not None:
            cool_downs.append(checked.CoolDown(found, cool_down.after, cool_down.span))
    universe = scope.universes.get(node.universe)
    leg_enters = tuple(legs.leg_enter(using, enter, universe) for enter in node.leg_enters)
    quoted = quotes.quotes(using, node, lambda case: _size(using, case, None))
    if every is None or not isinstance(every.value, Decimal):
        return
    checked_one = checked.Strategy(
        node.name, node.universe, int(every.value), enters, exits, hold, tuple(cool_downs), node.doc or "", node.span
    )
    checked_one = replace(checked_one, leg_enters=leg_enters, quotes=quoted)
    scope.strategies[node.name] = checked_one
    if universe is not None:
        legs.together(using, node, checked_one, universe)


def length(using: Expressions, number: syntax.Number, *, allow_bars: bool = True) -> checked.Const | None:
    """A positive duration or, where allowed, a count of bars."""
    value = fold(using.check(number))
    allowed = {Kind.DURATION, Kind.BARS} if allow_bars else {Kind.DURATION}
    if value is None or isinstance(value.value, str) or value.unit.kind not in allowed or value.value < 1:
        hint = "write `1h`, `15m`" + (" or `3 bars`" if allow_bars else "")
        using.scope.report("TB062", f"`{number.text}` is not a length of time", number.span, hint)
        return None
    return value


def _enter(using: Expressions, node: syntax.Enter) -> checked.Enter:
    when = using.condition(node.when)
    trailing = management.trailing(using, node)
    stop = _level(using, node.stop, node.direction, is_stop=True) if node.stop is not None else None
    if node.stop is None and trailing is not None:
        stop = trailing.distance  # where it stands until it first moves
    target = _level(using, node.target, node.direction, is_stop=False) if node.target is not None else None
    if not node.sizes and node.by_conviction is None:
        using.scope.report("TB057", "the entry has no size", node.span, "add `size 5% of equity`")
    sizes = tuple(found for case in node.sizes if (found := _size(using, case, node)) is not None)
    if target is not None and target.kind == "r" and not management.has_stop(node):
        using.scope.report("TB057", "a target in R needs a stop", node.span, "add `stop 8% below entry`")
    sized = by_conviction(using, node, when)
    because, order = template(using, node.because), _order(using, node)
    return checked.Enter(
        node.direction,
        when,
        sizes,
        stop,
        target,
        because,
        node.span,
        sized,
        order,
        trailing,
        management.break_even(using, node),
        management.takes(using, node, _level),
    )


def _order(using: Expressions, enter: syntax.Enter) -> checked.EntryOrder | None:
    node = enter.order
    if node is None:
        return None
    return orders.order(using, node, enter.direction, None if node.valid is None else length(using, node.valid))


def _size(using: Expressions, case: syntax.SizeCase, enter: syntax.Enter | None) -> checked.SizeCase | None:
    condition = using.condition(case.condition) if case.condition is not None else None
    match case.amount:
        case syntax.Of(value=share_node, whole=syntax.Name(parts=("equity",))):
            share = using.check(share_node)
        case other:
            hint = "write a share of equity: `size 5% of equity`"
            using.scope.report("TB101", "a size is a share of equity", other.span, hint)
            return None
    if using.excused(share):
        return None
    if not units.as_ratio(share.unit):
        hint = (
            units.percent_hint(share, " of equity")
            if isinstance(share, checked.Const) and share.unit == NUMBER
            else "use a percentage"
        )
        using.scope.report("TB101", f"a size is a share of equity, not {units.phrase(share.unit)}", case.span, hint)
        return None
    folded = fold(share)
    if folded is not None and isinstance(folded.value, Decimal) and folded.value <= 0:
        using.scope.report("TB059", "a size must be more than nothing", case.span, "write `size 5% of equity`")
        return None
    if case.risking and enter is not None and not management.has_stop(enter):
        using.scope.report("TB057", "`risking` needs a stop to measure the risk", case.span, "add `stop 8% below entry`")
    return checked.SizeCase(share, case.risking, condition, case.span)


def _level(
    using: Expressions, node: syntax.ExitLevel, direction: str, *, is_stop: bool, what: str = ""
) -> checked.Level | None:
    what = what or ("stop" if is_stop else "target")
    head = "take 50% at" if what == "take" else what
    match node:
        case syntax.Distance():
            losing = "below" if direction == "long" else "above"
            wanted = losing if is_stop else ("above" if losing == "below" else "below")
            if node.side != wanted:
                hint = f"write `{head} ... {wanted} entry`"
                using.scope.report("TB064", f"the {what} of a {direction} position stands {wanted} entry", node.span, hint)
            amount = using.check(node.amount)
            return _distance(using, node, amount, what)
        case syntax.AtPrice():
            price = using.check(node.price)
            folded = fold(price)
            if using.excused(price):
                return None
            if folded is not None and isinstance(folded.value, Decimal) and folded.value <= 0:
                using.scope.report(
                    "TB059",
                    f"the price of a {what} must be more than nothing",
                    node.span,
                    f"write `{head.removesuffix(' at')} at low[1]`",
                )
            elif price.unit.kind is not Kind.PRICE or price.unit.tag is not None:
                hint = f"write `{head.removesuffix(' at')} at low[1]` or `{head} 8% below entry`"
                using.scope.report("TB101", f"a {what} is a price, not {units.phrase(price.unit)}", node.span, hint)
            return checked.Level("price", price, "", node.span)
        case syntax.InR():
            multiple = using.check(node.multiple)
            if not isinstance(multiple, checked.Const) or Decimal(multiple.value) <= 0:
                using.scope.report("TB059", f"a {what} in R must be more than nothing", node.span, f"write `{head} 2.5R`")
            if is_stop:
                using.scope.report(
                    "TB064", "a stop cannot be given in R: it defines R", node.span, "write `stop 8% below entry`"
                )
            return checked.Level("r", multiple, "", node.span)


def _distance(using: Expressions, node: syntax.Distance, amount: checked.Expr, what: str) -> checked.Level | None:
    if using.excused(amount):
        return None
    folded = fold(amount)
    number = amount.count if isinstance(amount, checked.Pips) else folded.value if folded is not None else None
    head = "take 50% at" if what == "take" else what
    hint = f"write `{head} 8% {node.side} entry`"
    if isinstance(number, Decimal) and number <= 0:
        using.scope.report("TB059", f"the distance of a {what} must be more than nothing", node.span, hint)
        return None
    if isinstance(number, Decimal) and number >= 1 and node.side == "below" and units.as_ratio(amount.unit):
        using.scope.report("TB059", f"a {what} 100% below entry would be a price of nothing", node.span, hint)
        return None
    if units.as_ratio(amount.unit):
        return checked.Level("ratio", amount, node.side, node.span)
    if amount.unit.kind is Kind.PRICE and amount.unit.tag is None:
        return checked.Level("distance", amount, node.side, node.span)
    text = amount.text if isinstance(amount, checked.Const) and amount.unit == NUMBER else ""
    hint = f"write `{head} {text}% {node.side} entry`" if text else f"write `{head} 2 * atr(14) {node.side} entry`"
    message = f"the distance of a {what} is a percentage or a price, not {units.phrase(amount.unit)}"
    using.scope.report("TB101", message, node.span, hint)
    return None
