"""The linter: `lint` runs every rule of the catalogue over a project. Each rule is a module of this package."""

from tb.analysis.lint.catalogue import RULES
from tb.analysis.lint.run import lint, unasked, unknown_levels
from tb.analysis.subject import DataSpan, Rule, Subject

__all__ = ["RULES", "DataSpan", "Rule", "Subject", "lint", "unasked", "unknown_levels"]
