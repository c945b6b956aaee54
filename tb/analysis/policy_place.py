"""Where a finding about the policy as a whole is shown: at the top of its first file."""

from __future__ import annotations

from tb.analysis.subject import Subject
from tb.core.span import Span, whole_file


def policy_place(subject: Subject) -> Span | None:
    """The place, or None where no strategy could send an order anyway."""
    if not subject.plan.strategies:
        return None
    return whole_file(next(iter(sorted(subject.policy_files)), "policy"))
