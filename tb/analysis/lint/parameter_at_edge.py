"""TB404: a parameter that stands at an end of its range: the best value may lie beyond, where nobody looked."""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity

CODE = "TB404"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for param in subject.program.params.values():
        if param.low is None or param.high is None or param.low == param.high or param.value not in {param.low, param.high}:
            continue
        if param.step is not None and param.high - param.low <= param.step:
            continue  # a switch
        end = "lower" if param.value == param.low else "upper"
        message = f"`{param.name}` stands at the {end} end of its range, {param.text}"
        yield Diagnostic(
            CODE, Severity.HINT, message, subject.head(param.span), "widen the range, or choose a value inside of it"
        )


RULE = Rule(CODE, "parameter-at-edge", "parameters", "types", Severity.HINT, check)
