"""TB317: a cool-down shorter than the period of its strategy, which is over before the strategy looks again."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.time import show_duration
from tb.core.units import Kind

CODE = "TB317"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for strategy in subject.program.strategies.values():
        for cool_down in strategy.cool_downs:
            length = cool_down.length.value
            is_short = isinstance(length, Decimal) and length < strategy.period
            if cool_down.length.unit.kind is Kind.DURATION and is_short:
                period = show_duration(strategy.period)
                message = f"`{strategy.name}` looks every {period}: a cool-down of {cool_down.length.text} is over before that"
                yield warning(CODE, message, cool_down.span, f"write at least `{period}`")


RULE = Rule(CODE, "short-cool-down", "risk", "types", Severity.WARNING, check)
