"""Explanations of decisions: built from the record alone, reproduced before they are shown."""

from tb.gate.explain.build import explain, explain_evaluated
from tb.gate.explain.dot import dot
from tb.gate.explain.html import html
from tb.gate.explain.model import Explanation
from tb.gate.explain.text import rule_text, text

__all__ = ["Explanation", "dot", "explain", "explain_evaluated", "html", "rule_text", "text"]
