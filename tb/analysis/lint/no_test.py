"""TB504: a constraint or strategy that no test names, in a file that has tests of its own.

Tests of every file of the project count. Of a project whose tests stand apart, `tb test --coverage` says what they leave out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity
from tb.dsl import syntax

CODE = "TB504"


def check(subject: Subject) -> Iterable[Diagnostic]:
    tests = [node for file in (*subject.files, *subject.tests) for node in file.declarations if isinstance(node, syntax.Test)]
    files = {test.span.file for test in tests}
    named = {name for test in tests for name in _names(test)}
    seen: set[str] = set()
    for constraint in subject.constraints:
        if constraint.name not in named | seen and constraint.span.file in files:
            seen.add(constraint.name)
            message = f"no test expects anything of `{constraint.name}`"
            yield Diagnostic(
                CODE,
                Severity.HINT,
                message,
                subject.head(constraint.span),
                f"add a test with `expect reject by {constraint.name}`",
            )
    for strategy in subject.program.strategies.values():
        if strategy.name not in named and strategy.span.file in files:
            message = f"no test says what `{strategy.name}` does"
            yield Diagnostic(
                CODE,
                Severity.HINT,
                message,
                subject.head(strategy.span),
                f"add a test with `expect no proposal by {strategy.name}`",
            )


def _names(test: syntax.Test) -> Iterator[str]:
    """The strategies and constraints that a test names."""
    if test.proposes is not None:
        yield test.proposes.strategy
    for expected in test.expects:
        if isinstance(expected, syntax.ExpectVerdict | syntax.ExpectNoProposal) and expected.by is not None:
            yield expected.by


RULE = Rule(CODE, "no-test", "hygiene", "text", Severity.HINT, check)
