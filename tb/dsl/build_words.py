"""What all declarations share: names that may be defined, doc texts, reasons, lines that may stand only once."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Tree

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_expression import build_text
from tb.dsl.reading import Node, Reading, first_token, last_token
from tb.dsl.words import RESERVED


def span_of(tree: Node, reading: Reading) -> Span:
    """From the first word of a node to its last; line ends and indentation do not count."""
    return reading.span(first_token(tree), last_token(tree))


def build_name(token: Node, reading: Reading) -> str:
    """A name being defined: lower case first, so that it is never taken for an instrument, and not a word of the language."""
    name = str(token)
    if name in RESERVED:
        hint = f"choose another name, `my_{name}` for instance"
        reading.mistake("TB016", f"`{name}` is a word of the language and cannot be a name", reading.span(token), hint)
    elif not name[0].islower():
        better = name.strip("_").lower() or "a_name"
        hint = f"write `{better}`" if better not in RESERVED and better[0].isalpha() else "choose another name"
        message = f"`{name}` cannot be a name: names begin with a small letter, capitals are for instruments"
        reading.mistake("TB017", message, reading.span(token), hint)
    return name


def once(tree: Node, rule: str, words: str, what: str, reading: Reading, *, hint: str = "keep one of the two") -> Node | None:
    """The one child of that rule; a second is a mistake."""
    children = tree.children
    found = [child for child in children if isinstance(child, Tree) and child.data == rule]
    for again in found[1:]:
        line = reading.span(first_token(found[0])).line
        reading.mistake("TB018", f"{what} says `{words}` twice, first on line {line}", span_of(again, reading), hint)
    return found[0] if found else None


def children_of(tree: Node, rule: str) -> Iterator[Node]:
    """The children made by that rule, in order."""
    children = tree.children
    return (child for child in children if isinstance(child, Tree) and child.data == rule)


def doc_of(tree: Node, what: str, reading: Reading) -> str | None:
    """The doc text of a block, which must be its first line."""
    doc = once(tree, "doc", "its doc text", what, reading)
    if doc is None:
        return None
    children = tree.children
    before = [child for child in children if isinstance(child, Tree) and child.data != "venue"]
    if before[0] is not doc:
        hint = "move it to the first line below the name"
        reading.mistake("TB027", f"the doc text of {what} does not stand first", span_of(doc, reading), hint)
    return build_text(doc.children[0], reading).value


def because_of(tree: Node, what: str, reading: Reading) -> syntax.Text | None:
    """The reason, on the line itself or on a line of its own."""
    children = tree.children
    lines = [child.children[0] if child.data == "because_line" else child for child in children if isinstance(child, Tree)]
    found = [line for line in lines if isinstance(line, Tree) and line.data == "because"]
    for again in found[1:]:
        line = reading.span(first_token(found[0])).line
        reading.mistake(
            "TB018", f"{what} says `because` twice, first on line {line}", span_of(again, reading), "keep one of the two"
        )
    return build_text(found[0].children[1], reading) if found else None
