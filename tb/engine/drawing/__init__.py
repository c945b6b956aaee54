"""The rule graph as people can look at it: an indented tree, Graphviz text, or an SVG picture. Pure functions of a plan."""

from tb.engine.drawing.dot import dot
from tb.engine.drawing.picture import svg
from tb.engine.drawing.tree import text

__all__ = ["dot", "svg", "text"]
