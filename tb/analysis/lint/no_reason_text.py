"""TB501: an entry that says nothing for people: neither a `because` nor a text of its strategy."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject, enters
from tb.core.diagnostics import Diagnostic, Severity

CODE = "TB501"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for strategy, _, enter in enters(subject):
        if not enter.because and not strategy.doc:
            message = f"`{strategy.name}` enters {enter.direction} without words for people"
            place = subject.head(enter.span)
            yield Diagnostic(CODE, Severity.HINT, message, place, 'add `because "volume {volume:.0f} on a new high"`')


RULE = Rule(CODE, "no-reason-text", "hygiene", "graph", Severity.HINT, check)
