"""The report of one run: a single HTML file that needs nothing but itself, the same bytes for the same records."""

from tb.replay.report.page import render_report

__all__ = ["render_report"]
