"""Rows to text: runs of adjacent rows of one kind are aligned in columns; blank lines are kept, one at most.

A block has a blank line before and after it. Where a run would be wider than `TABLE_WIDTH`, only its names are aligned.
"""

from __future__ import annotations

from tb.dsl.format_row import TABLE_WIDTH, Row
from tb.dsl.syntax import Comment

# What stands between the columns of each kind; the last one is repeated.
_BETWEEN = {
    "param": (" ", "  "),
    "let": (" ",),
    "group": (" ",),
    "size": ("  ",),
    "case": ("  ",),
    "tier": ("  ",),
    "constraint": (" ", "  "),
    "feed": (" ", "  "),
    "session": (" ", " "),
    "signal": (" ", "  "),
    "points": (" ",),
    "leg": (" ", "  "),
    "book": ("  ",),
    "council": (" ", "  "),
    "prove": ("  ",),
    "bars": ("  ",),
    "closes": (" ",),
}
_UNALIGNED = frozenset({"", "use", "group"})


def lay_out(hung: tuple[list[Row], list[Comment], list[str]]) -> str:
    rows, ends, source = hung
    texts = _aligned(rows, source)
    lines: list[str] = []
    for index, row in enumerate(rows):
        wants_blank = row.opens and index > 0 and (row.block or rows[index - 1].block)
        may_have_blank = index > 0 and (row.opens or (bool(rows[index - 1].start) and not rows[index - 1].opens))
        for number, comment in enumerate(row.above):
            first = number == 0
            if (first and wants_blank) or (_blank_above(comment, source) and (may_have_blank or not first)):
                lines.append("")
            lines.append(" " * row.indent + comment.text)
        bare = not row.above
        if (bare and wants_blank) or (_blank(row.start, source) and (may_have_blank or not bare)):
            lines.append("")
        beside = f"  {row.beside.text}" if row.beside else ""
        lines.append(texts[index] + beside)
        lines.extend(row.more)
        for comment in row.below:
            lines.extend([""] if _blank_above(comment, source) else [])
            lines.append(" " * row.indent + comment.text)
    for comment in ends:
        wants_blank = comment is ends[0] and bool(rows) and rows[-1].block
        lines.extend([""] if lines and (wants_blank or _blank_above(comment, source)) else [])
        lines.append(comment.text)
    return "\n".join(lines) + "\n" if lines else ""


def _blank(line: int, source: list[str]) -> bool:
    """Whether the source has a blank line above that line."""
    return line > 1 and line - 2 < len(source) and not source[line - 2].strip()


def _blank_above(comment: Comment, source: list[str]) -> bool:
    return comment.alone and _blank(comment.line, source)


def _aligned(rows: list[Row], source: list[str]) -> list[str]:
    texts: list[str] = []
    run: list[Row] = []
    for row in rows:
        if run and not _joins(run[-1], row, source):
            texts.extend(_align(run))
            run = []
        run.append(row)
    texts.extend(_align(run))
    return texts


def _joins(above: Row, below: Row, source: list[str]) -> bool:
    """Whether two rows stand in one run: of one kind, neither continued on further lines, no blank line between them."""
    if above.kind != below.kind or above.kind in _UNALIGNED or above.more or below.more:
        return False
    if below.kind == "size" and below.indent < above.indent:
        return False
    blanks = [_blank(below.start, source), *(_blank_above(comment, source) for comment in below.above)]
    return not any(blanks) and not above.below


def _align(run: list[Row]) -> list[str]:
    if not run:
        return []
    between = _BETWEEN.get(run[0].kind, (" ",))
    columns = max(len(row.cells) for row in run)
    offsets = [row.indent - min(other.indent for other in run) for row in run]
    widths = [
        max(
            len(row.cells[column]) + (offset if column == 0 else 0)
            for row, offset in zip(run, offsets, strict=True)
            if column < len(row.cells)
        )
        for column in range(columns)
    ]
    texts = [_join(row, widths, between, offset) for row, offset in zip(run, offsets, strict=True)]
    if any(len(text) > TABLE_WIDTH for text in texts) and len(widths) > 1:
        names = 2 if run[0].kind == "constraint" else 1
        narrow = widths[:names] + [0] * (columns - names)
        texts = [_join(row, narrow, between, offset) for row, offset in zip(run, offsets, strict=True)]
    return texts


def _join(row: Row, widths: list[int], between: tuple[str, ...], offset: int) -> str:
    text = " " * row.indent
    for column, cell in enumerate(row.cells):
        width = widths[column] - (offset if column == 0 else 0)
        separator = between[min(column - 1, len(between) - 1)] if column else ""
        text += separator + cell.ljust(width)
    return text.rstrip()
