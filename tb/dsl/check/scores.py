"""Scores: `score confluence of 10` and its lines, each so many points while a condition holds.

What can be gained adds up to what the score is of, so that `confluence >= 7` means seven out of ten. Points taken away never
bring it below nothing.
"""

from __future__ import annotations

from decimal import Decimal

from tb.core.encode import plain
from tb.core.units import ANY, NUMBER, TRUTH
from tb.dsl import checked, syntax
from tb.dsl.check.expressions import Expressions


def score(using: Expressions, node: syntax.Score) -> None:
    """Defines the score as a `let`: a number from 0 to what it is of."""
    scope = using.scope
    before = len(scope.findings)
    lines = []
    for line in node.lines:
        when = using.condition(line.when)
        points = _points(using, line.points)
        lines.append((-points if line.sign == "-" else points, when))
    out_of = _points(using, node.out_of)
    gained = sum((points for points, _ in lines if points > 0), Decimal(0))
    if len(scope.findings) == before and gained != out_of:
        hint = f"write `score {node.name} of {plain(gained)}`, or change the points"
        message = f"the points of `{node.name}` add up to {plain(gained)}, not {plain(out_of)}"
        scope.report("TB059", message, node.out_of.span, hint)
    if len(scope.findings) > before:
        scope.broken.add(node.name)
    conditions = tuple(when if when.unit == TRUTH else checked.Const("?", ANY, "?", None, when.span) for _, when in lines)
    value = checked.Score(tuple(points for points, _ in lines), conditions, out_of, NUMBER, node.span)
    scope.lets[node.name] = checked.Let(node.name, value, node.span)


def _points(using: Expressions, number: syntax.Number) -> Decimal:
    value = using.check(number)
    if not isinstance(value, checked.Const) or value.unit != NUMBER or number.value <= 0:
        hint = "write `+3 when ...`, below `score NAME of 10`"
        using.scope.report("TB059", f"points are a number above 0, not `{number.text}`", number.span, hint)
        return Decimal(0)
    return number.value
