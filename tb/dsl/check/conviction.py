"""`size conviction 1..10 as 1%..5% of equity`: a size that grows with the conviction of the signals that agree."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.units import NUMBER, SIGNAL
from tb.dsl import checked, checked_cases, syntax
from tb.dsl.check import units
from tb.dsl.check.literals import fold
from tb.dsl.check.signals import LEAST, MOST
from tb.dsl.check.walk import expand

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions
from tb.dsl.check.management import has_stop

_WRITE = "write `size conviction 1..10 as 1%..5% of equity`"


def by_conviction(using: Expressions, enter: syntax.Enter, when: checked.Expr) -> checked_cases.ConvictionSize | None:
    """The checked size of an entry, None where it has none of this kind or a mistake was reported."""
    node = enter.by_conviction
    if node is None:
        return None
    scope, before = using.scope, len(using.scope.findings)
    low, high = (_level(using, number) for number in (node.low, node.high))
    if low is not None and high is not None and low >= high:
        scope.report("TB082", "the convictions of a size rise", node.span, "put the smaller first: `conviction 1..10`")
    shares = [_share(using, share) for share in (node.share_low, node.share_high)]
    values = [share.value for share in shares if share is not None and isinstance(share.value, Decimal)]
    if len(values) == 2 and values[0] > values[1]:
        # conviction is stated at its least where a signal is unknown: a size that falls would grow with what is not known
        scope.report("TB082", "a size may not fall as conviction grows", node.span, "put the smaller share first: `1%..5%`")
    if not isinstance(node.whole, syntax.Name) or node.whole.text != "equity":
        scope.report("TB101", "a size is a share of equity", node.whole.span, _WRITE)
    if node.risking and not has_stop(enter):
        scope.report("TB057", "`risking` needs a stop to measure the risk", node.span, "add `stop 8% below entry`")
    parts = () if using.excused(when) else tuple(expand(when, scope.lets, scope.triggers))
    if not using.excused(when) and not any(isinstance(part, checked.Signal) for part in parts):
        message = "the condition of this entry names no signal, so it has no conviction"
        scope.report("TB082", message, node.span, "name one: `enter long when SIGNAL is long`")
    if len(scope.findings) > before or low is None or high is None or None in shares:
        return None
    small, large = (share for share in shares if share is not None)
    return checked_cases.ConvictionSize(low, high, small, large, node.risking, node.span)


def _level(using: Expressions, number: syntax.Number) -> Decimal | None:
    value = fold(using.check(number))
    if value is None or value.unit != NUMBER or isinstance(value.value, str) or not LEAST <= value.value <= MOST:
        using.scope.report("TB082", f"a conviction lies between 1 and 10, not at {number.text}", number.span, _WRITE)
        return None
    return value.value


def _share(using: Expressions, node: syntax.Expr) -> checked.Const | None:
    value = using.check(node)
    if using.excused(value):
        return None
    share = fold(value)
    if share is None or isinstance(share.value, str) or not units.as_ratio(share.unit):
        hint = units.percent_hint(value, " of equity") if isinstance(value, checked.Const) and value.unit == NUMBER else _WRITE
        using.scope.report("TB101", f"a size is a share of equity, not {units.phrase(value.unit)}", value.span, hint)
        return None
    if share.value <= 0:
        using.scope.report("TB059", "a size must be more than nothing", value.span, _WRITE)
        return None
    return share


def hint_for(value: checked.Expr) -> str:
    """The edit where a signal stands as if it were a value; empty where it is something else."""
    if value.unit != SIGNAL:
        return ""
    name = value.name if isinstance(value, checked.Ref) else "SIGNAL"
    return f"write `{name} is long`, or compare `{name}.conviction`"
