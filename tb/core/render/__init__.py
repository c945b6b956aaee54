"""Findings as text: `human` for a terminal, `plain` one line each, `json` for programs, and what build servers read.

Pure functions of the findings and the sources they speak of; the same input gives the same text on every machine. All of
them show findings in the order of `tb.core.diagnostics.in_order`, once each.
"""

from tb.core.render.formats import human, json, plain, summary
from tb.core.render.junit import junit
from tb.core.render.reviews import github, gitlab
from tb.core.render.sarif import sarif

__all__ = ["github", "gitlab", "human", "json", "junit", "plain", "sarif", "summary"]
