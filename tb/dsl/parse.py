"""Text to parsed tree.

1. The text is cut into top-level declarations (`cut`), so that a mistake in one hides none in another.
2. Each is read word by word (`scan`): what the grammar could not read is reported and mended.
3. Each is parsed by the grammar; after a mistake the bad line is taken out and the rest tried again (`recover`).
4. The grammar's tree becomes `tb.dsl.syntax` (`build_declaration`, `build_expression`).

Guarantees: no text whatever raises; all mistakes of a file are found in one run; a declaration with a mistake is left out.
"""

from __future__ import annotations

from tb.core.diagnostics import Diagnostic, error, in_order
from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_expression import build_expression
from tb.dsl.comments import read_comments
from tb.dsl.cut import Stretch, cut, normalise
from tb.dsl.reading import MAX_DEPTH, Reading, TooDeep
from tb.dsl.recover import read_declaration, read_line
from tb.dsl.scan import scan
from tb.dsl.words import RESERVED

__all__ = ["RESERVED", "parse", "parse_expression"]


def parse(path: str, text: str, *, is_policy: bool) -> tuple[syntax.File, list[Diagnostic]]:
    """The file's tree and its syntax mistakes in order of place. Never raises; `path` is only repeated in spans."""
    normalised = normalise(text)
    mistakes: list[Diagnostic] = []
    declarations: list[syntax.Declaration] = []
    doc: str | None = None
    for index, stretch in enumerate(cut(normalised)):
        reading = Reading(path, line=stretch.first)
        built = _read(stretch, reading, is_policy)
        if isinstance(built, syntax.Text):
            if index == 0:
                doc = built.value
            else:
                reading.mistake("TB027", "a file's doc text stands before everything else", built.span, "move it to the top")
        elif built is not None and not reading.mistakes:
            declarations.append(built)
        mistakes.extend(reading.mistakes)
    file = syntax.File(path, is_policy, doc, tuple(declarations), read_comments(normalised), text)
    return file, in_order(mistakes)


def _read(stretch: Stretch, reading: Reading, is_policy: bool) -> syntax.Declaration | syntax.Text | None:
    if stretch.orphan:
        line = stretch.lines[0]
        columns = len(line) - len(line.lstrip())
        span = Span(reading.file, reading.line, 1, reading.line, columns + 1)
        reading.mistake("TB006", "the line is indented, but no declaration stands above it", span, "begin it at column 1")
        return None
    try:
        return read_declaration(stretch.lines, reading, is_policy)
    except TooDeep as deep:
        reading.mistakes.append(_too_deep(deep))
        return None


def parse_expression(text: str, file: str, line: int, column: int) -> tuple[syntax.Expr | None, list[Diagnostic]]:
    """One expression that stands at that place of the file. None where there are mistakes. Never raises."""
    reading = Reading(file, line, column)
    one_line = normalise(text).replace("\n", " ")
    try:
        tree = read_line(scan([one_line], reading), reading)
        expression = build_expression(tree, reading) if tree is not None else None
    except TooDeep as deep:
        expression = None
        reading.mistakes.append(_too_deep(deep))
    return (None if reading.mistakes else expression), in_order(reading.mistakes)


def _too_deep(deep: TooDeep) -> Diagnostic:
    message = f"this expression is nested more than {MAX_DEPTH} deep"
    return error("TB031", message, deep.span, "give parts of it names with `let`")
