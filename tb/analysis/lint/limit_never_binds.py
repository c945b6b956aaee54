"""TB309: in a recorded run no order and no loss came near a hard limit.

Such a limit protects on paper: it is either much too wide, or measures the wrong thing. Every measured limit is looked at
over all decisions and marks of the run; half of it has to have been used once. That a limit cannot bind because others bind
first is known without data: TB105 says it of one that can never fail, TB108 and TB109 of one beside others.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.ranges import shown
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.time import show_instant
from tb.core.units import RATIO

CODE = "TB309"
NEAR = 0.5  # share of a limit that counts as near
LEAST = 10  # measurements without which a run says nothing


def check(subject: Subject) -> Iterable[Diagnostic]:
    run = subject.observed
    if run is None:
        return
    seen: set[str] = set()
    for constraint in subject.hard:
        use = run.uses.get(constraint.name)
        if use is None or constraint.name in seen or constraint.measure is None or use.measured < LEAST:
            continue
        seen.add(constraint.name)
        if use.largest < NEAR and run.is_about(subject.graph, constraint):
            message = (
                f"`{constraint.name}` never came near in {run.run}: at most {shown(use.largest, RATIO)} of it was used, "
                f"at {show_instant(use.at)}"
            )
            hint = f"tighten it, or write `# tb: ignore {CODE} because ...` where it is for a day that this data does not hold"
            yield warning(CODE, message, subject.head(constraint.span), hint)


RULE = Rule(CODE, "hard-limit-never-binds", "risk", "run", Severity.WARNING, check)
