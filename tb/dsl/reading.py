"""What one declaration is read against: where its text stands in the file, and the mistakes found so far.

Guarantees: a place in the stretch that was parsed becomes a place in the file; a tree is never built deeper than
`MAX_DEPTH`, so that every later pass may walk it by recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lark import Token

from tb.core.diagnostics import Diagnostic, error
from tb.core.span import Span

Node = Any  # what the grammar hands over: a lark Token, or a Tree whose `data` names the rule

MAX_DEPTH = 100


class TooDeep(Exception):
    """An expression nests deeper than `MAX_DEPTH`; carries where."""

    def __init__(self, span: Span) -> None:
        super().__init__(str(span))
        self.span = span


@dataclass(slots=True)
class Reading:
    """`line` and `column` are those of the first character parsed; `repaired` says that bad lines were taken out."""

    file: str
    line: int = 1
    column: int = 1
    repaired: bool = False
    mistakes: list[Diagnostic] = field(default_factory=list)
    depth: int = 0

    def span(self, first: Token, last: Token | None = None) -> Span:
        last = last if last is not None else first
        start, end = first.line or 1, last.end_line or last.line or 1
        return Span(
            self.file,
            start + self.line - 1,
            (first.column or 1) + (self.column - 1 if start == 1 else 0),
            end + self.line - 1,
            (last.end_column or last.column or 1) + (self.column - 1 if end == 1 else 0),
        )

    def mistake(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.mistakes.append(error(code, message, span, hint))

    def missing(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """A mistake that may only be there because a bad line was taken out: then it is not told."""
        if not self.repaired:
            self.mistake(code, message, span, hint)


def shown(text: str, most: int = 40) -> str:
    """User text for a message: on one line, and not longer than a message can bear."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."


def first_token(node: Node) -> Token:
    while not isinstance(node, Token):
        node = node.children[0]
    return node


def last_token(node: Node) -> Token:
    """The last word of a node that stands on its line (line ends and indentation do not count)."""
    while not isinstance(node, Token):
        node = next(child for child in reversed(node.children) if not _is_layout(child))
    return node


def _is_layout(node: Node) -> bool:
    return isinstance(node, Token) and node.type in ("_NL", "_INDENT", "_DEDENT")
