"""Indentation: line ends of the grammar become `_NL`, `_INDENT` and `_DEDENT`.

Guarantees: every `_INDENT` is closed by a `_DEDENT`; line ends inside parentheses and brackets vanish; the pass keeps its
state in one generator, so that one parser serves many threads.
"""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

OPENING = frozenset({"LPAR", "LSQB"})
CLOSING = frozenset({"RPAR", "RSQB"})


class UnevenIndentation(Exception):
    """A line is indented less than the line above, but not as far as any line it could belong to."""

    def __init__(self, line: int, columns: int, known: tuple[int, ...]) -> None:
        super().__init__(f"line {line}")
        self.line = line
        self.columns = columns
        self.known = known


class Layout:
    """The pass between the words and the grammar."""

    always_accept = ("_NL", "WORD")  # WORD: so that `andy` is never read as `and` followed by `y`

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        levels = [0]
        last = Token("_NL", "", 0, 1, 1, 1, 1, 0)
        for token in stream:
            last = token
            if token.type in OPENING:
                depth += 1
            elif token.type in CLOSING:
                depth = max(0, depth - 1)
            elif token.type == "_NL":
                if depth == 0:
                    yield token
                    yield from _change(token, levels)
                continue
            yield token
        while len(levels) > 1:
            levels.pop()
            yield Token.new_borrow_pos("_DEDENT", "", last)


def _change(token: Token, levels: list[int]) -> Iterator[Token]:
    """What the indentation after a line end opens or closes."""
    after = token.rpartition("\n")[2]
    columns = 0 if "#" in after else len(after)
    if columns > levels[-1]:
        levels.append(columns)
        yield Token.new_borrow_pos("_INDENT", after, token)
        return
    known = tuple(levels)
    while columns < levels[-1]:
        levels.pop()
        yield Token.new_borrow_pos("_DEDENT", "", token)
    if columns != levels[-1]:
        raise UnevenIndentation(token.end_line or 1, columns, known)
