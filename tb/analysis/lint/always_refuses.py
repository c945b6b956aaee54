"""TB310: in a recorded run a constraint refused every order that it judged.

Either nothing can be traded under it, or one of its inputs was never known. Fewer than five orders say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning

CODE = "TB310"
LEAST = 5  # orders without which a run says nothing


def check(subject: Subject) -> Iterable[Diagnostic]:
    run = subject.observed
    if run is None:
        return
    seen: set[str] = set()
    for constraint in subject.hard:
        judged = run.judged.get(constraint.name)
        if judged is None or constraint.name in seen or judged.orders < LEAST or judged.refused < judged.orders:
            continue
        seen.add(constraint.name)
        if run.is_about(subject.graph, constraint):
            message = f"`{constraint.name}` refused all {judged.orders} orders that it judged in {run.run}"
            hint = f"`tb decisions {run.run}` lists them, and `tb explain {run.run}.d1` says what it read"
            yield warning(CODE, message, subject.head(constraint.span), hint)


RULE = Rule(CODE, "limit-always-binds", "risk", "run", Severity.WARNING, check)
