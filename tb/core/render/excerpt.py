"""The lines of source that a finding speaks of, with what it means underlined.

Guarantees that an underline stands under the characters it means on any terminal: tabs become four spaces, wide characters
count twice, marks that add to a letter count nothing, and characters that would steer the terminal are shown as a
replacement. A place outside the text (the end of a file) is shown as an empty line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tb.core.diagnostics import Diagnostic, Label

TAB = "    "
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
STEERING = {"Cc", "Cs", "Zl", "Zp"}  # categories of characters that move the cursor or break the line
BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # classes that reorder what is read
FULLY_SHOWN = 4  # a longer span is shown by its first and last line


@dataclass(frozen=True, slots=True)
class Row:
    """One printed row: `kind` says how a renderer may colour it. `number` is the source line, None below or between lines."""

    kind: str  # "place", "source", "primary", "secondary", "gap"
    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """An underline on one line: from `start` to `end` in characters, counted from 0."""

    line: int
    start: int
    end: int
    is_primary: bool
    text: str


def visible(text: str) -> str:
    """The text with tabs widened and everything that would steer a terminal replaced, so that user text stays text."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\t":
        return TAB
    if unicodedata.category(character) in STEERING or unicodedata.bidirectional(character) in BIDIRECTIONAL:
        return UNPRINTABLE
    return character


def width(text: str) -> int:
    """Columns that a visible text takes on a terminal."""
    columns = 0
    for character in text:
        if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
            continue
        columns += 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
    return columns


def excerpt(finding: Diagnostic, sources: Mapping[str, str]) -> list[Row]:
    """Rows for the finding's own place, then for each other file that its labels speak of."""
    rows = [Row("place", f"--> {visible(str(finding.span))}")]
    if finding.span.file in sources:
        here = [label for label in finding.labels if label.span.file == finding.span.file]
        rows += _file_rows(sources[finding.span.file], [Label(finding.span, ""), *here])
    for label in finding.labels:
        if label.span.file == finding.span.file and finding.span.file in sources:
            continue
        rows.append(Row("place", f"::: {visible(str(label.span))}: {visible(label.text)}"))
        if label.span.file in sources:
            rows += _file_rows(sources[label.span.file], [None, Label(label.span, "")])
    return rows


def _file_rows(source: str, labels: Sequence[Label | None]) -> list[Row]:
    """The lines that labels cover, in order, each followed by its underlines; the first label is the finding itself."""
    lines = source.replace("\r\n", "\n").split("\n")
    marks = [mark for place, label in enumerate(labels) if label for mark in _marks(label, lines, is_primary=place == 0)]
    rows: list[Row] = []
    before: int | None = None
    for number in sorted({mark.line for mark in marks}):
        if before is not None and number == before + 2:
            rows.append(Row("source", visible(_line(lines, before + 1)), before + 1))
        elif before is not None and number > before + 1:
            rows.append(Row("gap", "..."))
        rows.append(Row("source", visible(_line(lines, number)), number))
        rows += [_underline(_line(lines, number), mark) for mark in marks if mark.line == number]
        before = number
    return rows


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _marks(label: Label, lines: Sequence[str], *, is_primary: bool) -> list[Mark]:
    span = label.span
    last = max(span.line, span.end_line)
    if last > span.line and span.end_column <= 1:
        last -= 1  # a span that ends before the first character of a line does not cover that line
    covered = range(span.line, last + 1)
    numbers = list(covered) if len(covered) <= FULLY_SHOWN else [covered[0], covered[-1]]
    marks = []
    for number in numbers:
        text = _line(lines, number)
        start = span.column - 1 if number == span.line else len(text) - len(text.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(text.rstrip())
        words = label.text if number == last else ""
        if end > start or len(numbers) == 1:
            marks.append(Mark(number, start, max(end, start), is_primary, words))
    return marks or [Mark(span.line, span.column - 1, span.column, is_primary, label.text)]


def _underline(line: str, mark: Mark) -> Row:
    left = width(visible(line[: mark.start])) + max(0, mark.start - len(line))
    meant = line[mark.start : mark.end]
    columns = max(1, width(visible(meant)))
    sign = "^" if mark.is_primary else "-"
    return Row("primary" if mark.is_primary else "secondary", f"{' ' * left}{sign * columns} {visible(mark.text)}".rstrip())


def gutter(rows: Sequence[Row]) -> int:
    """Columns that the largest line number takes."""
    return max((len(str(row.number)) for row in rows if row.number is not None), default=1)
