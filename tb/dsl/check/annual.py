"""`annualised(funding_rate)`: a rate for one period as the rate of a year of 365 days, simply, not compounded.

The period is the recorded one, `funding_period`, where the rate is that of funding, and else has to be said: `every: 8h`. It is
never assumed: a rate of one hour taken for one of eight would be eight times too small.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.units import DURATION, NUMBER, Kind
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.literals import fold
from tb.dsl.check.walk import expand
from tb.dsl.format_expression import spell
from tb.vocabulary.fields import FIELDS

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions

_YEAR = Decimal(365 * 86_400_000)
_EXAMPLE = "write `annualised(funding_rate)`, or `annualised(rate, every: 8h)`"


def annualised(using: Expressions, node: syntax.Call) -> checked.Expr:
    """The rate of a year; explanations call it as it is written."""
    named = dict(node.named)
    if len(node.arguments) not in {1, 2} or set(named) - {"every"} or (len(node.arguments) == 2 and named):
        return using.refuse("TB051", "`annualised` needs a rate, and how often it comes", node.span, _EXAMPLE)
    rate = using.check(node.arguments[0])
    if using.excused(rate):
        return rate
    if not units.as_ratio(rate.unit):
        return using.refuse("TB101", f"a rate is a percentage, not {units.phrase(rate.unit)}", rate.span, _EXAMPLE)
    every = named.get("every") or (node.arguments[1] if len(node.arguments) == 2 else None)
    value = _recorded(using, rate, node) if every is None else _stated(using, rate, every, node)
    if using.excused(value) or using.arguments:
        return value
    title = spell(node)
    using.scope.lets.setdefault(title, checked.Let(title, value, node.span))
    return checked.Ref(title, "let", value.unit, node.span)


def _stated(using: Expressions, rate: checked.Expr, every: syntax.Expr, node: syntax.Call) -> checked.Expr:
    given = using.check(every)
    length = fold(given)
    if using.excused(given):
        return given
    if length is None or length.unit.kind is not Kind.DURATION or isinstance(length.value, str) or length.value < 1:
        return using.refuse("TB062", f"`{spell(every)}` is not a period", given.span, "write `every: 8h`")
    times = checked.Const(_YEAR / length.value, NUMBER, f"(365d / {length.text})", None, node.span)
    return checked.Pointwise("mul", (rate, times), rate.unit, node.span)


def _recorded(using: Expressions, rate: checked.Expr, node: syntax.Call) -> checked.Expr:
    """By the period that stands in the records beside the rate, of the same instrument."""
    inner = rate.value if isinstance(rate, checked.OfInstrument) else rate
    parts = tuple(expand(inner, using.scope.lets, using.scope.triggers))
    is_funding = any(isinstance(part, checked.Field) and part.name == "funding_rate" for part in parts)
    if not is_funding or any(isinstance(part, checked.OfInstrument | checked.OnPeriod) for part in parts):
        message = "how often this rate comes is not recorded with it"
        return using.refuse("TB051", message, node.span, f"write `annualised({spell(node.arguments[0])}, every: 8h)`")
    year = checked.Const(_YEAR, DURATION, "365d", None, node.span)
    period = checked.Field("funding_period", FIELDS["funding_period"].unit, node.span)
    times = checked.Pointwise("div", (year, period), NUMBER, node.span)
    product = checked.Pointwise("mul", (inner, times), inner.unit, node.span)
    if isinstance(rate, checked.OfInstrument):
        return checked.OfInstrument(product, rate.symbol, rate.unit, node.span)
    return product
