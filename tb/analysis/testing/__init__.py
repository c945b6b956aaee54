"""Tests written in the language: run, compared with what was expected, and how much of the rules they cover."""

from tb.analysis.testing.coverage import Coverage, Covered
from tb.analysis.testing.model import Failure, Report, TestResult
from tb.analysis.testing.ports import History
from tb.analysis.testing.run import Bench, run_tests

__all__ = ["Bench", "Coverage", "Covered", "Failure", "History", "Report", "TestResult", "run_tests"]
