"""Places in source text.

Lines and columns count from 1, as editors show them; `end_column` is one past the last character.
A span never takes part in the equality of the tree that carries it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one file. `file` is the path as the user knows it, relative to the project."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, other: Span) -> Span:
        """The stretch from the start of this span to the end of the other."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def whole_file(file: str) -> Span:
    """The span for a finding about a file as a whole (it is missing, or empty)."""
    return Span(file, 1, 1, 1, 1)
