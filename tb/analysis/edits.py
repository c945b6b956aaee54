"""Edits made to a text: which of several fit together, and the text that they give.

Places are those of the normalised text (`tb.dsl.cut.normalise`); a text with other line ends, or a byte order mark, keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import is_dataclass

from tb.core.diagnostics import Diagnostic, Edit
from tb.core.span import Span
from tb.dsl import syntax

_LINE_END = re.compile(r"\r\n|\r|\n")


def fitting(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Of findings with edits as many, from the first on, as do not touch each other. Of two that do the first is taken."""
    taken: list[Edit] = []
    chosen = []
    for finding in findings:
        if finding.edits and not any(_touch(edit.span, other.span) for edit in finding.edits for other in taken):
            taken += finding.edits
            chosen.append(finding)
    return chosen


def _touch(one: Span, two: Span) -> bool:
    """Whether two places share a character or meet: what is put in at the end of a piece taken out has no sure place."""
    starts, ends = (one.line, one.column), (one.end_line, one.end_column)
    return one.file == two.file and starts <= (two.end_line, two.end_column) and (two.line, two.column) <= ends


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text with all of these edits made. They lie in it, and none touches another."""
    starts = [1 if text.startswith("\ufeff") else 0, *(match.end() for match in _LINE_END.finditer(text))]
    end = next((match[0] for match in _LINE_END.finditer(text)), "\n")
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        span = edit.span
        first = min(starts[span.line - 1] + span.column - 1, len(text))
        last = min(starts[span.end_line - 1] + span.end_column - 1, len(text)) if span.end_line <= len(starts) else len(text)
        pieces += [text[at:first], edit.text.replace("\n", end)]
        at = last
    return "".join([*pieces, text[at:]])


def without_lines(file: syntax.File, span: Span) -> tuple[Edit, ...]:
    """Takes out the lines of a declaration, or of a line of one; nothing where a comment stands there or belongs to it."""
    if any(span.line - comment.alone <= comment.line <= span.end_line for comment in file.comments):
        return ()
    return (Edit(Span(file.path, span.line, 1, span.end_line + 1, 1), ""),)


def without_clause(file: syntax.File, span: Span) -> tuple[Edit, ...]:
    """Takes a clause out of the `and` it stands in, with that word; nothing where it stands in none."""
    for declaration in file.declarations:
        for part in _parts(declaration):
            if isinstance(part, syntax.Binary) and part.operator == "and":
                left, right = part.left.span, part.right.span
                if left == span:
                    return (Edit(Span(file.path, left.line, left.column, right.line, right.column), ""),)
                if right == span:
                    return (Edit(Span(file.path, left.end_line, left.end_column, right.end_line, right.end_column), ""),)
    return ()


def _parts(item: object) -> Iterator[object]:
    yield item
    if isinstance(item, tuple):
        for each in item:
            yield from _parts(each)
    elif is_dataclass(item) and not isinstance(item, type):
        for name in item.__dataclass_fields__:
            if name != "span":
                yield from _parts(getattr(item, name))
