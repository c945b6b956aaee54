"""Parsed files to one checked program."""

from tb.dsl.check.echoes import without_echoes
from tb.dsl.check.program import check
from tb.dsl.check.scope import LimitValue

__all__ = ["LimitValue", "check", "without_echoes"]
