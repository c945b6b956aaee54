"""The `because` of a rule, said of one instrument at one instant."""

from __future__ import annotations

from collections.abc import Callable

from tb.dsl.template import render_value
from tb.engine.graph import RuleGraph
from tb.engine.plan import Words

Values = Callable[[int], float | None]


def say(graph: RuleGraph, words: Words, values: Values) -> str:
    """The text with its holes filled; the text of a trigger that did not fire is left out."""
    pieces = []
    for word in words:
        if isinstance(word, str):
            pieces.append(word)
        elif word.inner is not None:
            pieces.append(say(graph, word.inner, values) if values(word.node) == 1.0 else "")
        else:
            pieces.append(render_value(values(word.node), word.spec))
    return "".join(pieces)
