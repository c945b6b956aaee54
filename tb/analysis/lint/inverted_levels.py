"""TB311: a soft limit that is looser than a hard one: where it would warn, the order is refused already."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.analysis.witness import told, witness
from tb.core.diagnostics import Diagnostic, Label, Severity, error

CODE = "TB311"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for pair in subject.covered:
        if pair.stricter and pair.one.acts == "warn":
            both = witness(subject.contradictions, [(pair.one.node, False), (pair.by.node, False)])
            at = told(subject, both, pair.one.span)
            message = f"`{pair.one.name}` warns too late: wherever it does, `{pair.by.name}` refuses the order"
            message += f", as at {at}" if at else ""
            labels = (Label(subject.head(pair.by.span), "the hard limit begins here"),)
            yield error(CODE, message, subject.head(pair.one.span), "let it warn earlier than the hard limit begins", labels)


RULE = Rule(CODE, "inverted-levels", "risk", "intervals", Severity.ERROR, check)
