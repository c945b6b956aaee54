"""What came of tests, as records."""

from __future__ import annotations

from typing import Literal

import msgspec

from tb.core.span import Span

Status = Literal["passed", "failed", "error"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation that was not met, or what kept the test from being run (`expected` is then empty).

    `hint` is the edit to make.
    """

    expected: str
    actual: str
    span: Span
    hint: str = ""


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """One test. `explanation` is that of the decision it looked at, as `tb explain` gives it; empty where the test passed."""

    __test__ = False

    name: str
    span: Span
    status: Status
    expectations: int
    failures: tuple[Failure, ...] = ()
    explanation: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All tests of a run, in the order of their files."""

    results: tuple[TestResult, ...]

    def count(self, status: Status) -> int:
        return sum(result.status == status for result in self.results)

    @property
    def passed(self) -> bool:
        """Whether there were tests, and all of them passed."""
        return bool(self.results) and all(result.status == "passed" for result in self.results)
