"""Parameters, groups, universes, regimes, definitions and triggers: what strategies and constraints are made of."""

from __future__ import annotations

from decimal import Decimal

from tb.core.diagnostics import Label
from tb.core.units import ANY, NUMBER, Kind, Unit
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import COMPUTED, fold
from tb.dsl.check.templates import template
from tb.dsl.check.walk import expand


def param(using: Expressions, node: syntax.Param, override: syntax.Expr | None) -> None:
    """Defines a parameter; `override` is the value of tb.yaml, which must lie in the range too."""
    found = _param(using, node, override)
    if found is None:
        using.scope.broken.add(node.name)
    else:
        using.scope.params[node.name] = found


def _param(using: Expressions, node: syntax.Param, override: syntax.Expr | None) -> checked.Param | None:
    scope = using.scope
    numbers_written = [using.check(end) for end in (override or node.value, node.low, node.high, node.step) if end is not None]
    if any(using.excused(number) for number in numbers_written):
        return None
    for number in numbers_written:
        if not _is_number(fold(number)):
            what = "the value" if number is numbers_written[0] else "the range"
            message = f"{what} of `{node.name}` must be a number"
            scope.report("TB052", message, number.span, f"write `param {node.name} = 20 in 5..50`")
            return None
    value = fold(numbers_written[0])
    bounds = [fold(using.check(bound)) if bound is not None else None for bound in (node.low, node.high, node.step)]
    default = fold(using.check(node.value))
    assert value is not None
    assert isinstance(value.value, Decimal)
    for bound in [*bounds, default]:
        if bound is not None and not _same_measure(value.unit, bound.unit):
            hint = units.mismatch_hint(value, bound, scope.currency)
            said = "tb.yaml sets it to" if override else f"`{node.name}` is"
            message = f"{said} {units.phrase(value.unit)}, its range is {units.phrase(bound.unit)}"
            scope.report("TB101", message, bound.span, hint)
            return None
    numbers = [bound.value if bound is not None and isinstance(bound.value, Decimal) else None for bound in bounds]
    low, high, step = numbers
    unit = next((b.unit for b in (value, *bounds) if b is not None and b.unit != ANY), NUMBER)
    if low is not None and high is not None and low > high:
        scope.report("TB401", f"the range of `{node.name}` is empty", node.span, "put the smaller end first")
    elif (low is not None and value.value < low) or (high is not None and value.value > high):
        where = "tb.yaml sets" if override else "the value is"
        text = f"{bounds[0].text}..{bounds[1].text}" if bounds[0] and bounds[1] else ""
        hint = "choose a value inside, or widen the range"
        scope.report("TB401", f"`{node.name}` is outside its range {text}: {where} {value.text}", node.span, hint)
    if step is not None and step <= 0:
        scope.report("TB401", f"the step of `{node.name}` must be positive", node.span, "write `step 1`")
    origin = "tb.yaml" if override else f"{node.span.file}:{node.span.line}"
    return checked.Param(node.name, value.value, unit, low, high, step, node.doc or "", value.text, origin, node.span)


def _is_number(value: checked.Const | None) -> bool:
    return value is not None and isinstance(value.value, Decimal)


def _same_measure(one: Unit, other: Unit) -> bool:
    """Whether two constants compare before a period is known, which a count of bars and a duration do not."""
    return units.meet(one, other) is not None and {one.kind, other.kind} != {Kind.BARS, Kind.DURATION}


def param_require(using: Expressions, node: syntax.ParamRequire) -> None:
    """Holds a constraint between parameters for the values they have."""
    condition = using.condition(node.condition)
    if condition.unit.kind is not Kind.TRUTH or using.excused(condition):
        return
    answer = _decide(condition)
    if answer is None:
        using.scope.report(
            "TB052", "only parameters and numbers may stand here", node.span, "put market conditions into a strategy"
        )
    elif not answer:
        params = using.scope.params
        shown = ", ".join(f"{name} = {params[name].text}" for name in _params_of(condition) if name in params)
        using.scope.report("TB406", f"the parameters break this: {shown}", node.span, "change one of them")


def _params_of(value: checked.Expr) -> list[str]:
    match value:
        case checked.Const(origin=origin) if origin:
            names = origin.removeprefix(COMPUTED).split(", ")
            return [name.removeprefix("param ") for name in names if name.startswith("param ")]
        case checked.Comparison(left=left, right=right):
            return [*_params_of(left), *_params_of(right)]
        case checked.Pointwise(arguments=items) | checked.Logic(items=items):
            return [name for item in items for name in _params_of(item)]
        case checked.Not(value=inner):
            return _params_of(inner)
        case _:
            return []


def _decide(value: checked.Expr) -> bool | None:
    match value:
        case checked.Comparison(operator=operator):
            left, right = fold(value.left), fold(value.right)
            if left is None or right is None or isinstance(left.value, str) or isinstance(right.value, str):
                return None
            if not _same_measure(left.unit, right.unit):
                return None
            a, b = left.value, right.value
            return {"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b, "eq": a == b, "ne": a != b}[operator]
        case checked.Logic(operator=operator, items=items):
            answers = [_decide(item) for item in items]
            if None in answers:
                return None
            return all(answers) if operator == "and" else any(answers)
        case checked.Not(value=inner):
            answer = _decide(inner)
            return None if answer is None else not answer
        case _:
            return None


def group(using: Expressions, node: syntax.Group) -> None:
    members = tuple(member.symbol for member in node.members)
    for at, member in enumerate(node.members):
        if member.symbol in members[:at]:
            using.scope.report("TB050", f"`{member.symbol}` stands twice in `{node.name}`", member.span, "remove one")
    using.scope.groups[node.name] = checked.Group(node.name, tuple(dict.fromkeys(members)), using.in_policy, node.span)


def universe(using: Expressions, node: syntax.Universe) -> None:
    seen: dict[str, syntax.Symbol] = {}
    tiers: list[checked.Tier] = []
    for tier in node.tiers:
        if tier.name in [earlier.name for earlier in tiers]:
            using.scope.report("TB050", f"the tier `{tier.name}` stands twice in `{node.name}`", tier.span, "join the two")
        for member in tier.members:
            if member.symbol in seen:
                labels = (Label(seen[member.symbol].span, "it stands here already"),)
                message = f"`{member.symbol}` stands in two tiers of `{node.name}`"
                using.scope.report("TB050", message, member.span, "keep it in one tier", labels)
            seen[member.symbol] = member
        tiers.append(_tier(using, tier))
    only_when = using.condition(node.only_when) if node.only_when is not None else None
    if not node.tiers:
        using.scope.report("TB057", f"`{node.name}` has no tier", node.span, "add a line `tier core BTC-USD, ETH-USD`")
    using.scope.universes[node.name] = checked.Universe(node.name, node.venue, tuple(tiers), only_when, node.span)


def _tier(using: Expressions, node: syntax.Tier) -> checked.Tier:
    def share(number: syntax.Number | None) -> Decimal | None:
        if number is None:
            return None
        value = fold(using.check(number))
        if value is None or isinstance(value.value, str) or not (units.as_ratio(value.unit) and 0 <= value.value <= 10):
            using.scope.report(
                "TB101", f"a weight is a share of equity, not `{number.text}`", number.span, "write `weight 5%..40%`"
            )
            return None
        return value.value

    low, high = share(node.weight_low), share(node.weight_high)
    if low is not None and high is not None and low > high:
        using.scope.report("TB059", f"the weights of `{node.name}` are empty", node.span, "put the smaller end first")
    hold = duration(using, node.hold_at_most)
    where = using.condition(node.where) if node.where is not None else None
    for part in expand(where, using.scope.lets, using.scope.triggers) if where is not None else ():
        if isinstance(part, checked.TierIs):
            message = f"the tier `{node.name}` needs itself: its condition asks for a tier"
            using.scope.report("TB118", message, node.span, "decide it from market data alone")
            break
    members = tuple(dict.fromkeys(member.symbol for member in node.members))
    return checked.Tier(node.name, members, low, high, hold, node.span, where)


def duration(using: Expressions, number: syntax.Number | None) -> int | None:
    """A length of time in ms; a count of bars is refused where no period is known."""
    if number is None:
        return None
    value = fold(using.check(number))
    if value is None or isinstance(value.value, str) or value.unit.kind is not Kind.DURATION or value.value < 1:
        using.scope.report("TB101", f"`{number.text}` is not a length of time", number.span, "write `72h`, `30m` or `3d`")
        return None
    return int(value.value)


def regime(using: Expressions, node: syntax.Regime) -> None:
    if using.scope.regime:
        using.scope.report("TB050", "`regime` is defined twice", node.span, "keep one; its cases are tried from the top")
        return
    cases: list[checked.RegimeCase] = []
    for case in node.cases:
        if case.name in [earlier.name for earlier in cases]:
            using.scope.report("TB050", f"the regime `{case.name}` stands twice", case.span, "join the two with `or`")
        condition = using.condition(case.condition) if case.condition is not None else None
        cases.append(checked.RegimeCase(case.name, condition, case.span))
        for part in expand(condition, using.scope.lets, using.scope.triggers) if condition is not None else ():
            if isinstance(part, checked.RegimeIs):
                message = f"`regime` needs itself: whether it is `{case.name}` depends on the regime"
                using.scope.report("TB118", message, case.span, "decide it from market data alone")
                break
    using.scope.regime = tuple(cases)


def let(using: Expressions, node: syntax.Let) -> None:
    before = len(using.scope.findings)
    value = using.check(node.value)
    if len(using.scope.findings) > before or using.excused(value):
        using.scope.broken.add(node.name)
    using.scope.lets[node.name] = checked.Let(node.name, value, node.span)


def trigger(using: Expressions, node: syntax.Trigger) -> None:
    before = len(using.scope.findings)
    when = using.condition(node.when)
    confidence = _confidence(using, node.confidence) if node.confidence is not None else None
    because = template(using, node.because)
    if len(using.scope.findings) > before:
        using.scope.broken.add(node.name)
    using.scope.triggers[node.name] = checked.Trigger(node.name, when, confidence, because, node.doc or "", node.span)


def _confidence(using: Expressions, node: syntax.Confidence) -> checked.Confidence | None:
    ends = [using.check(end) for end in (node.low, node.high)]
    for end in ends:
        inside = isinstance(end, checked.Const) and isinstance(end.value, Decimal) and 0 <= end.value <= 1
        if not inside or end.unit.kind not in {Kind.NUMBER, Kind.ANY}:
            using.scope.report("TB059", "a confidence lies between 0 and 1", end.span, "write `confidence 0.5..0.9 as ...`")
            return None
    if node.driver is None or node.start is None or node.end is None:
        return checked.Confidence(node.low.value, node.high.value, None, Decimal(0), Decimal(1))
    driver = using.check(node.driver)
    if using.excused(driver):
        return None
    start, end = using.check(node.start), using.check(node.end)
    for bound in (start, end):
        if units.meet(driver.unit, bound.unit) is None:
            hint = units.mismatch_hint(driver, bound, using.scope.currency)
            using.scope.report(
                "TB101", f"the driver is {units.phrase(driver.unit)}, its range {units.phrase(bound.unit)}", bound.span, hint
            )
            return None
    first, last = fold(start), fold(end)
    if (
        first is None
        or last is None
        or isinstance(first.value, str)
        or isinstance(last.value, str)
        or float(first.value) == float(last.value)
    ):
        using.scope.report("TB059", "the range of the driver is empty", node.span, "write two different ends: `goes 1.5..4`")
        return None
    return checked.Confidence(node.low.value, node.high.value, driver, first.value, last.value)
