"""Several runs side by side: a table of their metrics, what they were made of, and a page with their curves."""

from tb.replay.comparing.model import Comparison, Measured, compare
from tb.replay.comparing.page import render_comparison
from tb.replay.comparing.text import text

__all__ = ["Comparison", "Measured", "compare", "render_comparison", "text"]
