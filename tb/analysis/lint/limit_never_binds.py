"""TB309: a hard limit that never binds: others do before it, or in a recorded run no order and no loss came near it.

Such a limit protects on paper: it is either much too wide, or measures the wrong thing. Without a run, limits on gross exposure
are told that several others together keep from binding (`tb.analysis.bounded_together`). With one, every measured limit is
looked at over all decisions and marks; half of it has to have been used once. What one limit alone does to another is said
elsewhere: TB105 says it of one that can never fail, TB108 and TB109 of one beside another.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded_together import bounded_together, names
from tb.analysis.ranges import shown
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Label, Severity, warning
from tb.core.time import show_instant
from tb.core.units import RATIO

CODE = "TB309"
NEAR = 0.5  # share of a limit that counts as near
LEAST = 10  # measurements without which a run says nothing


def check(subject: Subject) -> Iterable[Diagnostic]:
    yield from _beside_others(subject)
    yield from _in_a_run(subject)


def _beside_others(subject: Subject) -> Iterable[Diagnostic]:
    seen: set[str] = set()
    for found in bounded_together(subject):
        limit = found.limit
        if limit.name in seen:
            continue
        seen.add(limit.name)
        together = shown(float(found.together), RATIO)
        why = f"{names(found.by)} stop at {together} together"
        if found.sides:
            each = shown(float(found.together / found.sides), RATIO)
            why = f"{names(found.by)} stops at {each}" + (
                f" long and {each} short" if found.sides > 1 else ", and nothing is sold short"
            )
        labels = tuple(Label(subject.head(by.span), "binds first") for by in found.by)
        hint = f"set it below {together}, or remove it"
        yield warning(CODE, f"`{limit.name}` never binds: {why}", subject.head(limit.span), hint, labels)


def _in_a_run(subject: Subject) -> Iterable[Diagnostic]:
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
