"""What happens to a position between its entry and its exit: a stop that moves, parts that leave."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from tb.core.units import NUMBER, Kind
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.literals import fold
from tb.dsl.checked_management import BreakEven, Take, Trailing

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions

_WHOLE = Decimal(1)


class LevelChecker(Protocol):
    """How the level of a target is checked; `what` names it in messages."""

    def __call__(
        self, using: Expressions, node: syntax.ExitLevel, direction: str, *, is_stop: bool, what: str
    ) -> checked.Level | None: ...


def has_stop(node: syntax.Enter) -> bool:
    """Whether a stop is there from the entry on: one that trails at once is one."""
    return node.stop is not None or (node.trailing is not None and node.trailing.after is None)


def trailing(using: Expressions, node: syntax.Enter) -> Trailing | None:
    if node.trailing is None:
        return None
    said, side = node.trailing, "below" if node.direction == "long" else "above"
    if not has_stop(node):
        message = "a stop that trails after a profit leaves the position without one until then"
        using.scope.report("TB065", message, said.span, f"add `stop 8% {side} entry`")
    amount = using.check(said.distance)
    after = None if said.after is None else _profit(using, said.after, "stop trailing 3%")
    distance = _distance(using, amount, said, side)
    return None if distance is None else Trailing(distance, after, said.span)


def _distance(using: Expressions, amount: checked.Expr, said: syntax.Trailing, side: str) -> checked.Level | None:
    if using.excused(amount):
        return None
    folded = fold(amount)
    number = amount.count if isinstance(amount, checked.Pips) else folded.value if folded is not None else None
    is_ratio, is_price = units.as_ratio(amount.unit), amount.unit.kind is Kind.PRICE and amount.unit.tag is None
    if (isinstance(amount, checked.Const) and amount.unit == NUMBER) or not (is_ratio or is_price):
        text = amount.text if isinstance(amount, checked.Const) and amount.unit == NUMBER else ""
        hint = f"write `stop trailing {text}%`" if text else "write `stop trailing 3%` or `stop trailing 2 * atr(14)`"
        message = f"a stop trails by a percentage or a price, not {units.phrase(amount.unit)}"
        using.scope.report("TB101", message, said.distance.span, hint)
        return None
    if isinstance(number, Decimal) and (number <= 0 or (is_ratio and number >= 1)):
        message = "a stop trails by more than nothing and by less than the whole price"
        using.scope.report("TB059", message, said.distance.span, "write `stop trailing 3%`")
        return None
    return checked.Level("ratio" if is_ratio else "distance", amount, side, said.span)


def break_even(using: Expressions, node: syntax.Enter) -> BreakEven | None:
    if node.break_even is None:
        return None
    said, side = node.break_even, "below" if node.direction == "long" else "above"
    if not has_stop(node):
        message = "there is no stop that could move to the entry"
        using.scope.report("TB065", message, said.span, f"add `stop 8% {side} entry`")
    after = _profit(using, said.after, "stop to entry")
    return None if after is None else BreakEven(after, said.span)


def _profit(using: Expressions, number: syntax.Number, words: str) -> checked.Const | None:
    value = fold(using.check(number))
    if value is None or not isinstance(value.value, Decimal):
        return None
    if value.value <= 0:
        using.scope.report("TB059", "a profit must be more than nothing", number.span, f"write `{words} after 1R`")
        return None
    return value


def takes(using: Expressions, node: syntax.Enter, level_of: LevelChecker) -> tuple[Take, ...]:
    found = [take for said in node.takes if (take := _take(using, said, node, level_of)) is not None]
    total = sum((take.share for take in found), Decimal(0))
    if found and total > _WHOLE:
        message = f"the takes are {(total * 100).normalize():f}% of the position together"
        using.scope.report("TB066", message, node.takes[-1].span, "make them 100% at most")
    if found and total == _WHOLE and node.target is not None:
        message = "the takes leave nothing for the target"
        using.scope.report("TB066", message, node.takes[-1].span, "lower a share, or remove the `target`")
    return tuple(found)


def _take(using: Expressions, said: syntax.Take, node: syntax.Enter, level_of: LevelChecker) -> Take | None:
    share = using.check(said.share)
    level = level_of(using, said.level, node.direction, is_stop=False, what="take")
    if level is not None and level.kind == "r" and not has_stop(node):
        side = "below" if node.direction == "long" else "above"
        using.scope.report("TB057", "a take in R needs a stop", said.span, f"add `stop 8% {side} entry`")
    if using.excused(share):
        return None
    folded = fold(share)
    if folded is None or not isinstance(folded.value, Decimal) or not units.as_ratio(share.unit):
        message = "the share of a take is a percentage known before the run"
        using.scope.report("TB067", message, said.share.span, "write `take 50% at 1R`, or the name of a parameter")
        return None
    if not 0 < folded.value <= _WHOLE:
        message = "the share of a take is more than nothing and the whole position at most"
        using.scope.report("TB067", message, said.share.span, "write `take 50% at 1R`")
        return None
    return None if level is None else Take(folded.value, level, said.span)
