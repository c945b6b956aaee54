"""Advisors: models or people who are asked about proposals and may bend or veto them, never make one.

A veto becomes a constraint of the advisor's name, so that a refusal is explained like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tb.core.time import DAY, HOUR, MINUTE
from tb.core.units import NUMBER, TEXT, TRUTH, Kind
from tb.dsl import checked, syntax
from tb.dsl.check.definitions import duration
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import constant, fold
from tb.dsl.checked_capital import Advisor

_PERIODS = {"minute": MINUTE, "hour": HOUR, "day": DAY}


def advisor(using: Expressions, node: syntax.Advisor) -> None:
    """Checks one advisor and keeps it."""
    scope = using.scope
    within = duration(using, node.within)
    if node.late == "veto" and not node.veto:
        hint = "add `may veto`, or write `otherwise abstain`"
        scope.report("TB076", f"`{node.name}` may not veto, and so not by being late either", node.span, hint)
    if node.name in scope.advisors:
        return
    scope.advisors[node.name] = Advisor(
        name=node.name,
        adjust=_adjust(using, node),
        veto=node.veto,
        calls=None if node.calls is None else int(node.calls.value),
        per=_PERIODS.get(node.per or "", HOUR),
        cost=_cost(using, node),
        within=within or 0,
        late=node.late,
        doc=node.doc or "",
        span=node.span,
    )


def _adjust(using: Expressions, node: syntax.Advisor) -> Decimal | None:
    if node.adjust is None:
        return None
    value = using.check(node.adjust)
    found = fold(value)
    if using.excused(value):
        return None
    if found is None or found.unit != NUMBER or isinstance(found.value, str) or not 0 < found.value <= 1:
        hint = "write a number above 0 and up to 1, such as `may adjust conviction by at most 0.15`"
        using.scope.report("TB076", "an adjustment is a part of the scale of conviction", node.adjust.span, hint)
        return None
    return found.value


def _cost(using: Expressions, node: syntax.Advisor) -> Decimal | None:
    if node.cost is None:
        return None
    value = constant(node.cost, using.scope.currency)
    if using.excused(value):
        return None
    is_money = isinstance(value, checked.Const) and value.unit.kind is Kind.MONEY and value.unit.tag == using.scope.currency
    if not is_money or not isinstance(value, checked.Const) or isinstance(value.value, str):
        hint = f"write `2 {using.scope.currency} per cycle`"
        using.scope.report("TB076", f"`{node.cost.text}` is no money in the account's currency", node.cost.span, hint)
        return None
    return value.value


def constraints(found: Iterable[Advisor]) -> tuple[checked.Constraint, ...]:
    """For each advisor that may veto: it has not."""
    return tuple(_constraint(advisor) for advisor in found if advisor.veto)


def _constraint(advisor: Advisor) -> checked.Constraint:
    span = advisor.span
    vetoed = checked.FactRef("order.vetoed_by", "", TEXT, span)
    name = checked.Const(advisor.name, TEXT, advisor.name, None, span)
    nobody = checked.Not(checked.IsSet(vetoed, TRUTH, span), TRUTH, span)
    other = checked.Comparison("ne", vetoed, name, TRUTH, span)
    passes = checked.Logic("or", (nobody, other), TRUTH, span)
    because = f"{advisor.name} has a veto"
    return checked.Constraint(advisor.name, "require", passes, "reject", None, False, False, because, span)
