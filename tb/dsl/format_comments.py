"""Comments put back: each is hung on the row it belongs to, wherever that row goes.

A comment at a line's end stays at the end of what that line says. A comment alone on its line stands above what followed
it; at the end of an indented block it stays in the block. A comment inside something that becomes one line goes above it.
"""

from __future__ import annotations

from collections import defaultdict

from tb.dsl.format_row import Row
from tb.dsl.syntax import Comment


def hang_comments(
    rows: list[Row], comments: tuple[Comment, ...], source: list[str]
) -> tuple[list[Row], list[Comment], list[str]]:
    """The rows with their comments, the comments after the last row, and the source for its blank lines."""
    ends: list[Comment] = []
    if not comments:
        return rows, ends, source
    placed = sorted((row for row in rows if row.start), key=lambda row: (row.start, row.end))
    last_of = _last_rows(rows)
    beside: dict[int, list[Comment]] = defaultdict(list)
    for comment in comments:
        row = _row_at(placed, comment.line)
        if row is not None and not comment.alone:
            beside[id(row)].append(comment)
        elif row is not None and row.start < comment.line:
            row.above.append(comment)
        else:
            _hang_alone(comment, placed, last_of, ends)
    for row in placed:
        own = beside[id(row)]
        if len(own) == 1:
            row.beside = own[0]
        else:
            row.above.extend(own)
    for row in placed:
        row.above.sort(key=lambda comment: (comment.line, comment.column))
    return rows, ends, source


def _row_at(placed: list[Row], line: int) -> Row | None:
    """The row that the source line belongs to: the last to begin, where several share it."""
    found = None
    for row in placed:
        if row.start > line:
            break
        if line <= row.end:
            found = row
    return found


def _last_rows(rows: list[Row]) -> dict[int, Row]:
    """For each row the last row of its declaration."""
    last: dict[int, Row] = {}
    own: list[Row] = []
    for row in [*rows, Row(0, (), opens=True)]:
        if row.opens:
            last.update((id(one), own[-1]) for one in own)
            own = []
        own.append(row)
    return last


def _hang_alone(comment: Comment, placed: list[Row], last_of: dict[int, Row], ends: list[Comment]) -> None:
    following = next((row for row in placed if row.start > comment.line), None)
    before = next((row for row in reversed(placed) if row.start < comment.line), None)
    inside = following is not None and not following.opens
    if not inside and before is not None and comment.column > 1 and last_of[id(before)].indent > 0:
        last_of[id(before)].below.append(comment)
    elif following is not None:
        following.above.append(comment)
    else:
        ends.append(comment)
