"""TB301: an entry without a protective stop."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject, enters
from tb.core.diagnostics import Diagnostic, Severity, error

CODE = "TB301"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for strategy, _, enter in enters(subject):
        if enter.stop is None:
            side = "below" if enter.direction == "long" else "above"
            message = f"`{strategy.name}` enters {enter.direction} without a stop: nothing bounds what the position can lose"
            yield error(CODE, message, subject.head(enter.span), f"add `stop 8% {side} entry`")


RULE = Rule(CODE, "missing-stop", "risk", "graph", Severity.ERROR, check)
