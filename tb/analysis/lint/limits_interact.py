"""TB314: full positions in every instrument would exceed the limit on gross exposure, so that one limit decides for another.

Both are limits as shares of equity. Where the number of positions is limited, too, only so many are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tb.analysis.bounded import upper_bounds
from tb.analysis.ranges import shown
from tb.analysis.shares import share_limits
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Label, Severity, warning
from tb.core.units import RATIO

CODE = "TB314"


def check(subject: Subject) -> Iterable[Diagnostic]:
    positions = sorted(share_limits(subject, "after.exposure", "order.instrument"), key=lambda pair: pair[1])
    grosses = sorted(share_limits(subject, "after.gross"), key=lambda pair: pair[1])
    count = _most_positions(subject, len(subject.plan.instruments()))
    if not positions or not grosses:
        return
    (position, each), (gross, most) = positions[0], grosses[0]
    if each * count > most and each <= most:
        full = int(most / each)
        message = (
            f"`{position.name}` and `{gross.name}` bind together: {count} positions of {shown(float(each), RATIO)} are "
            f"{shown(float(each * count), RATIO)}, and `{gross.name}` stops at {shown(float(most), RATIO)}, after {full}"
        )
        hint = f"lower `{position.name}` to {shown(float(most / count), RATIO)}, or raise `{gross.name}`"
        labels = (Label(subject.head(gross.span), "the other limit"),)
        yield warning(CODE, message, subject.head(position.span), hint, labels)


def _most_positions(subject: Subject, instruments: int) -> int:
    """The number of instruments, or of positions where a hard limit on that is smaller."""
    most = instruments
    for constraint in subject.hard:
        for smaller, larger in upper_bounds(subject.graph, constraint.node):
            counted, bound = subject.graph[smaller], subject.graph[larger]
            value = bound.consts[0] if bound.op == "const" else None
            if counted.op == "derived" and str(counted.consts[0]) == "after.open_positions" and isinstance(value, Decimal):
                most = min(most, int(value))
    return most


RULE = Rule(CODE, "limits-interact", "risk", "intervals", Severity.WARNING, check)
