"""TB308: no constraint stops trading when losses mount: neither one that halts, nor a bound on the drawdown."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, fact
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning

CODE = "TB308"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    halts = any(constraint.verdict == "halt" for constraint in subject.hard)
    if place is not None and not halts and not any(bounding(subject, fact("drawdown"))):
        hint = "add `limit drawdown_limit  drawdown <= 10%  otherwise halt` to the policy"
        yield warning(CODE, "no constraint stops trading when losses mount", place, hint)


RULE = Rule(CODE, "missing-halt", "risk", "graph", Severity.WARNING, check, suppressible=False)
