"""Constraints of policy files, brought into one form: a condition under which the order may go."""

from __future__ import annotations

from decimal import Decimal

from tb.core.units import DURATION, NUMBER, TRUTH
from tb.dsl import checked, syntax
from tb.dsl.check.definitions import duration
from tb.dsl.check.expressions import Expressions


def constraint(using: Expressions, node: syntax.Constraint) -> None:
    """Checks one constraint and adds it. Its `passes` is never written by the user for `forbid`, `pause` and `warn`."""
    match node:
        case syntax.Limit():
            passes = using.condition(node.condition)
            if passes.unit == TRUTH and not using.excused(passes) and not isinstance(passes, checked.Comparison):
                hint = f"write `limit {node.name} <measured> <= <bound>`, or use `require`"
                using.scope.report("TB058", "a limit compares a measured side with a bound", node.span, hint)
            _add(using, node, "limit", passes, node.otherwise, node.every_order)
        case syntax.Require():
            _add(using, node, "require", using.condition(node.condition), node.otherwise, node.every_order)
        case syntax.Forbid():
            _add(using, node, "forbid", _never(using.condition(node.when)), node.otherwise, node.every_order)
        case syntax.Warn():
            because = node.because.value if node.because else ""
            passes = _never(using.condition(node.when))
            using.scope.constraints.append(
                checked.Constraint(node.name, "warn", passes, "warn", None, False, False, because, node.span)
            )
        case syntax.Pause():
            _pause(using, node)


def _never(condition: checked.Expr) -> checked.Expr:
    return checked.Not(condition, condition.unit, condition.span)


def _add(
    using: Expressions,
    node: syntax.Limit | syntax.Require | syntax.Forbid,
    kind: str,
    passes: checked.Expr,
    otherwise: syntax.Otherwise | None,
    every_order: bool,
) -> None:
    verdict = otherwise.verdict if otherwise is not None else "reject"
    lasts = duration(using, otherwise.length) if otherwise is not None else None
    if verdict == "shrink" and kind != "limit":
        hint = "write it as a `limit` with a measured side, or reject"
        using.scope.report("TB058", f"only a limit can shrink an order, not a `{kind}`", node.span, hint)
    if verdict == "pause" and (otherwise is None or otherwise.length is None):
        using.scope.report("TB058", "a pause needs a length", node.span, "write `otherwise pause for 60m`")
    until = otherwise is not None and otherwise.until_tomorrow
    because = node.because.value if node.because else ""
    latches = verdict in {"pause", "halt"} and not using.trusted and node.level is None
    using.scope.constraints.append(
        checked.Constraint(node.name, kind, passes, verdict, lasts, until, every_order, because, node.span, latches, node.level)
    )


def _pause(using: Expressions, node: syntax.Pause) -> None:
    lasts = duration(using, node.length)
    because = node.because.value if node.because else ""
    if node.when is not None:
        passes = _never(using.condition(node.when))
        using.scope.constraints.append(
            checked.Constraint(
                node.name, "pause", passes, "pause", lasts, False, False, because, node.span, node.level is None, node.level
            )
        )
        return
    losses = Decimal(node.losses or 0)
    if lasts is None:
        return
    if losses < 1:
        using.scope.report("TB058", "a pause needs a number of losses", node.span, "write `after 3 losses in a row`")
        return
    streak = using.fact("losses_in_a_row", "", node.span)
    count = checked.Const(losses, NUMBER, str(losses), None, node.span)
    since = using.fact("since_last_loss", "", node.span)
    length = checked.Const(Decimal(lasts), DURATION, node.length.text, None, node.length.span)
    enough = checked.Comparison("ge", streak, count, TRUTH, node.span)
    recent = checked.Comparison("lt", since, length, TRUTH, node.span)
    passes = checked.Not(checked.Logic("and", (enough, recent), TRUTH, node.span), TRUTH, node.span)
    # the condition itself measures the time since the last loss, so nothing has to be latched
    using.scope.constraints.append(
        checked.Constraint(node.name, "pause", passes, "pause", None, False, False, because, node.span, level=node.level)
    )
