"""Feeds: series recorded beside the bars, read by name, and how old what they say is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.span import Span
from tb.core.units import DURATION, NUMBER, PRICE, QUANTITY, RATIO, TRUTH, Unit, money
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.literals import MILLISECONDS, fold

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions

_UNITS = {"number": NUMBER, "ratio": RATIO, "price": PRICE, "quantity": QUANTITY, "truth": TRUTH}


def feed(using: Expressions, node: syntax.Feed) -> None:
    """Defines a feed; its uses stay silent where it has a mistake."""
    before, scope = len(using.scope.findings), using.scope
    unit = money(scope.currency) if node.kind == "money" else _UNITS.get(node.kind)
    if unit is None:
        hint = "record a number for each word, as in `number in -1..1`"
        scope.report("TB085", "the words of a feed cannot be compared", node.span, hint)
    elif node.kind in {"price", "quantity"} and not node.per_instrument:
        message = f"a {node.kind} is of an instrument, and `{node.name}` does not say of which"
        scope.report("TB085", message, node.span, "add `per instrument`, or make it a `number` or `money`")
    low, high = _bounds(using, node, unit) if unit is not None else (None, None)
    every, stale = _milliseconds(using, node.every), _milliseconds(using, node.stale_after)
    if len(scope.findings) > before or unit is None or stale is None:
        scope.broken.add(node.name)
        return
    if every is not None and stale < every and node.every is not None:
        message = f"`{node.name}` gets stale before its next value can come: after {node.stale_after.text}"
        scope.warn("TB087", message, node.stale_after.span, f"write `stale after {node.every.text}` or more")
    scope.feeds[node.name] = checked.Feed(
        node.name, unit, low, high, node.per_instrument, every, stale, node.doc or "", node.span
    )


def _milliseconds(using: Expressions, number: syntax.Number | None) -> int | None:
    if number is None:
        return None
    length = number.value * MILLISECONDS[number.unit] if number.unit in MILLISECONDS else Decimal(0)
    if length < 1 or length != int(length):
        using.scope.report("TB062", f"`{number.text}` is not a length of time", number.span, "write `1d`, `6h` or `15m`")
        return None
    return int(length)


def _bounds(using: Expressions, node: syntax.Feed, unit: Unit) -> tuple[Decimal | None, Decimal | None]:
    if node.low is None or node.high is None:
        return None, None
    found: list[Decimal] = []
    for written in (node.low, node.high):
        end = using.check(written)
        number = fold(end)
        if using.excused(end):
            return None, None
        if number is None or not isinstance(number.value, Decimal):
            using.scope.report("TB052", f"an end of the range of `{node.name}` must be a number", end.span, "write `0..100`")
            return None, None
        if unit == TRUTH or units.meet(unit, number.unit) is None:
            said = "true or false" if unit == TRUTH else units.phrase(unit)
            message = f"`{node.name}` is {said}, its range is {units.phrase(number.unit)}"
            hint = "remove the range" if unit == TRUTH else f"write its ends as {units.phrase(unit)}"
            using.scope.report("TB101", message, end.span, hint)
            return None, None
        found.append(number.value)
    if found[0] > found[1]:
        using.scope.report("TB059", f"the range of `{node.name}` is empty", node.span, "put the smaller end first")
    return found[0], found[1]


def read(found: checked.Feed, part: str, span: Span) -> checked.FeedRead:
    """`fear_greed`: its value as of the bar's close; `age of fear_greed`: how long that has been known."""
    return checked.FeedRead(found, part, DURATION if part == "age" else found.unit, span)


def age(using: Expressions, node: syntax.Of) -> checked.Expr | None:
    """`age of NAME`, or `age of NAME of BTC-USD`; None where something else is meant."""
    if not (isinstance(node.value, syntax.Name) and node.value.text == "age") or "age" in using.arguments:
        return None
    if "age" in using.scope.defined:
        return None
    whole, symbol = node.whole, None
    if isinstance(whole, syntax.Of):
        symbol = using.instrument(whole.whole)
        whole = whole.value
    of = using.check(whole)
    if using.excused(of):
        return of
    if not isinstance(of, checked.FeedRead) or of.part != "value" or (symbol is None and whole is not node.whole):
        hint = "write `age of NAME` with the name of a `feed`; how old the bars are, policy reads as `data_age`"
        return using.refuse("TB086", "only a feed has an age", node.span, hint)
    found = read(of.feed, "age", node.span)
    return found if symbol is None else checked.OfInstrument(found, symbol, DURATION, node.span)
