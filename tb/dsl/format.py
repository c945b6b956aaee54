"""The canonical layout of a file (`tb fmt`).

1. Every declaration becomes rows of cells (`format_rows`), lines of a block in their canonical order.
2. Comments are hung on the rows they belong to (`format_comments`).
3. Runs of adjacent rows of one kind are aligned in columns, and blank lines set (`format_columns`).

Guarantees: the text parses to an equal tree with the same comments; formatting it again changes nothing.
"""

from __future__ import annotations

from tb.dsl.cut import normalise
from tb.dsl.format_columns import lay_out
from tb.dsl.format_comments import hang_comments
from tb.dsl.format_rows import rows_of_file
from tb.dsl.syntax import File


def format_file(file: File) -> str:
    """The canonical text, ending with one line end. Only for a file that was parsed without a mistake."""
    source = normalise(file.text).split("\n")
    rows = rows_of_file(file, source)
    return lay_out(hang_comments(rows, file.comments, source))
