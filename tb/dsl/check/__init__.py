"""Parsed files to one checked program."""

from tb.dsl.check.echoes import without_echoes
from tb.dsl.check.library import brought_by, definitions_of, needs_of
from tb.dsl.check.program import check, check_with_tests
from tb.dsl.check.scope import LimitValue

__all__ = ["LimitValue", "brought_by", "check", "check_with_tests", "definitions_of", "needs_of", "without_echoes"]
