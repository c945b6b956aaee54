"""Findings as text: `human` for a terminal, `plain` one line each, `json` for programs.

Pure functions of the findings and the sources they speak of; the same input gives the same text on every machine. All of
them show findings in the order of `tb.core.diagnostics.in_order`, once each.
"""

from tb.core.render.formats import human, json, plain, summary

__all__ = ["human", "json", "plain", "summary"]
