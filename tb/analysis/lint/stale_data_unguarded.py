"""TB207: no hard constraint bounds the age of the data that an order is decided on."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, fact
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning

CODE = "TB207"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    if place is not None and not any(bounding(subject, fact("data_age"))):
        hint = "add `require fresh_data  data_age <= 2 bars` to the policy"
        yield warning(CODE, "no constraint refuses an order that is decided on old data", place, hint)


RULE = Rule(CODE, "stale-data-unguarded", "time", "graph", Severity.WARNING, check, suppressible=False)
