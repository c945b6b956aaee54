"""Exceptions to limits. What tightens becomes a limit of its own beside the one it is about; what loosens becomes a second way
to pass that one, for as long as it holds.

So a `tightens` can never loosen, whatever its bound: the strictest verdict wins. And a loosening whose condition is unknown
does not hold: the limit stands as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from tb.core.diagnostics import did_you_mean
from tb.core.time import day_end
from tb.core.units import TIME, TRUTH
from tb.dsl import checked, syntax
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import fold

_UPPER = {"lt", "le"}
_LOWER = {"gt", "ge"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """`as_of` is the instant that the check is made for, in ms, None where no day is meant; days begin in `zone`."""

    zone: ZoneInfo
    as_of: int | None


def exception(using: Expressions, node: syntax.LimitException, calendar: Calendar) -> None:
    """Checks one exception and changes the constraints accordingly. The constraints themselves are checked by now."""
    limit = _limit(using, node)
    bound = using.check(node.bound)
    when = using.condition(node.when) if node.when is not None else None
    ends = None if node.until is None else day_end(node.until.value, calendar.zone)
    if ends is not None and calendar.as_of is not None and calendar.as_of >= ends:
        hint = "remove it, or have its owner name a new day"
        using.scope.report("TB503", f"`{node.name}` ended with {_day(node)}", node.span, hint)
    if node.owner is None and not node.loosens:
        using.scope.warn("TB502", f"`{node.name}` has no owner", node.span, 'add `owner "risk desk"`')
    if limit is None or using.excused(bound) or (when is not None and using.excused(when)):
        return
    passes = _passes(using, node, limit, bound)
    if passes is None:
        return
    applies = _applies(node, when, ends, passes if _may_be_unknown_alone(limit, bound) else None)
    exemption = checked.Exemption(
        name=node.name,
        limit=limit.name,
        loosens=node.loosens,
        applies=applies,
        passes=passes,
        bound=_words(bound),
        owner=node.owner.value if node.owner is not None else "",
        until=_day(node),
        ends=ends,
        because=node.because.value if node.because is not None else "",
        span=node.span,
    )
    at = using.scope.constraints.index(limit)
    if node.loosens:
        using.scope.constraints[at] = replace(limit, exemptions=(*limit.exemptions, exemption))
    else:
        using.scope.constraints.append(_tighter(limit, exemption))


def _limit(using: Expressions, node: syntax.LimitException) -> checked.Constraint | None:
    """The limit that is meant, as it stands so far."""
    known = {c.name: c for c in using.scope.constraints if not any(e.name == c.name for e in c.exemptions)}
    found = known.get(node.constraint)
    if found is None:
        if node.constraint not in using.scope.defined:
            limits = [name for name, c in known.items() if c.kind == "limit"]
            hint = did_you_mean(node.constraint, limits) or "name a `limit` of a policy file"
            using.scope.report("TB102", f"there is no limit `{node.constraint}`", node.span, hint)
        elif node.constraint not in using.scope.broken and not using.scope.findings:
            using.scope.report("TB058", f"`{node.constraint}` is not a limit", node.span, "name a `limit` of a policy file")
        return None
    if (
        found.kind != "limit"
        or not isinstance(found.passes, checked.Comparison)
        or found.passes.operator not in _UPPER | _LOWER
    ):
        what = f"`{found.name}` is a `{found.kind}`" if found.kind != "limit" else f"`{found.name}` has no upper or lower bound"
        using.scope.report("TB058", f"{what}: an exception moves the bound of a limit", node.span, "name a `limit`")
        return None
    if fold(found.passes.left) is not None:
        hint = f"write what is measured first in `{found.name}`, then its bound"
        using.scope.report("TB058", f"the bound of `{found.name}` stands before what it measures", node.span, hint)
        return None
    return found


def _passes(
    using: Expressions, node: syntax.LimitException, limit: checked.Constraint, bound: checked.Expr
) -> checked.Comparison | None:
    """The limit's comparison with the exception's bound in the place of its own."""
    assert isinstance(limit.passes, checked.Comparison)
    operator, measured = limit.passes.operator, limit.passes.left
    passes = using.compare(operator, measured, bound, node.bound.span)
    if not isinstance(passes, checked.Comparison):
        return None
    wider = _is_wider(operator, limit.passes.right, bound)
    if wider and not node.loosens:
        message = f"`{node.name}` is to tighten `{limit.name}`, and {_words(bound)} is wider than {_words(limit.passes.right)}"
        hint = 'write `loosens to ...` with `owner "NAME"`, `until 2026-12-31` and `because "..."`'
        using.scope.report("TB312", message, node.bound.span, hint)
        return None
    return passes


def _shares(old: checked.Expr, new: checked.Expr) -> tuple[checked.Expr, checked.Expr]:
    """Two shares of the same thing without that thing; two other values as they are."""
    match old, new:
        case checked.Pointwise("mul", (first, whole)), checked.Pointwise("mul", (second, other)) if whole == other:
            return first, second
        case _:
            return old, new


def _may_be_unknown_alone(limit: checked.Constraint, bound: checked.Expr) -> bool:
    """Whether the exception's bound may be unknown where the limit itself is known: it then must not hold."""
    assert isinstance(limit.passes, checked.Comparison)
    return fold(_shares(limit.passes.right, bound)[1]) is None


def _is_wider(operator: str, old: checked.Expr, new: checked.Expr) -> bool:
    """Whether the new bound is known to lie beyond the old one: both numbers, or shares of one thing that is not negative."""
    before, after = map(fold, _shares(old, new))
    if before is None or after is None or isinstance(before.value, str) or isinstance(after.value, str):
        return False
    return after.value > before.value if operator in _UPPER else after.value < before.value


def _applies(
    node: syntax.LimitException, when: checked.Expr | None, ends: int | None, passes: checked.Expr | None
) -> checked.Expr | None:
    """While the exception holds. An unknown condition holds for what tightens and does not hold for what loosens."""
    items = [*_before(node, ends)]
    if when is not None:
        items += [checked.IsSet(when, TRUTH, when.span), when] if node.loosens else [when]
    if passes is not None and node.loosens:
        items.append(checked.IsSet(passes, TRUTH, passes.span))
    if not items:
        return None
    return items[0] if len(items) == 1 else checked.Logic("and", tuple(items), TRUTH, node.span)


def _before(node: syntax.LimitException, ends: int | None) -> Iterator[checked.Expr]:
    if node.until is not None and ends is not None:
        end = checked.Const(Decimal(ends), TIME, f"the end of {_day(node)}", None, node.until.span)
        yield checked.Comparison("lt", checked.FactRef("instant", "", TIME, node.until.span), end, TRUTH, node.until.span)


def _tighter(limit: checked.Constraint, exemption: checked.Exemption) -> checked.Constraint:
    """The limit that a tightening is: like the one it is about, with its own bound, while it applies."""
    passes: checked.Expr = exemption.passes
    if exemption.applies is not None:
        idle = checked.Not(exemption.applies, TRUTH, exemption.span)
        passes = checked.Logic("or", (idle, exemption.passes), TRUTH, exemption.span)
    because = exemption.because or f"tightens {limit.name}"
    return replace(limit, name=exemption.name, passes=passes, because=because, span=exemption.span, exemptions=(exemption,))


def _day(node: syntax.LimitException) -> str:
    return node.until.value.isoformat() if node.until is not None else ""


def _words(bound: checked.Expr) -> str:
    match bound:
        case checked.Const(text=text, origin=origin):
            return f"{text} ({origin})" if origin else text
        case checked.Pointwise("mul", (share, checked.FactRef(name=name))):
            return f"{_words(share)} of {name}"
        case checked.FactRef(name=name) | checked.Field(name=name) | checked.Ref(name=name):
            return name
        case _:
            return "its bound"
