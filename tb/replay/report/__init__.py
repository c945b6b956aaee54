"""The report of one run: a single HTML file that needs nothing but itself, the same bytes for the same records."""

from tb.replay.report.page import render_report
from tb.replay.report.text import text

__all__ = ["render_report", "text"]
