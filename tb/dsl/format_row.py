"""One line to print: cells that may be aligned with those of its neighbours, and how long lines are broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.format_expression import AND, binding, spell, spell_text
from tb.dsl.syntax import Comment, Expr

WIDTH = 100  # of a line with one thing to say
TABLE_WIDTH = 140  # of a line in aligned columns
STEP = 2  # of an indented block
DEEPER = 4  # of a line that continues the one before
LEVEL = 7  # `size`, `stop` and `target` stand in a column this wide


@dataclass(slots=True)
class Row:
    """One line to print. `kind` names the columns it may be aligned with; `more` are the lines that continue it.

    `start` and `end` are its lines in the source, 0 where it has none of its own.
    """

    indent: int
    cells: tuple[str, ...]
    kind: str = ""
    more: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    opens: bool = False  # the first row of a declaration
    block: bool = False  # of a declaration that keeps a blank line before and after it
    above: list[Comment] = field(default_factory=list)
    below: list[Comment] = field(default_factory=list)
    beside: Comment | None = None


def first_code_line(source: list[str], after: int) -> int:
    """The first line of code below a line; 0 where the tree was not read from a text."""
    for number in range(after + 1, len(source) + 1):
        code = source[number - 1].strip()
        if code and code[0] != "#":
            return number
    return 0


def row(indent: int, span: Span | None, *cells: str, kind: str = "", more: tuple[str, ...] = ()) -> Row:
    start, end = (span.line, span.end_line) if span else (0, 0)
    return Row(indent, cells, kind, more, start, end)


def condition_row(indent: int, span: Span, cells: tuple[str, ...], condition: Expr, *, kind: str = "", tail: str = "") -> Row:
    """A row whose last cell is a condition after some words; broken before `and` or `or` where it is too long."""
    *head, words = cells
    whole = f"{words}{spell(condition)}"
    used = indent + sum(len(cell) + 1 for cell in head)
    chain = _chain(condition)
    if used + len(whole) <= WIDTH or len(chain) == 1:
        return row(indent, span, *head, whole, *([tail] if tail else []), kind=kind)
    more = [" " * (indent + DEEPER) + part for part in chain[1:]]
    return row(indent, span, *head, words + chain[0], kind=kind, more=tuple(more))


def _chain(condition: Expr) -> list[str]:
    """`a and b and c` as `a`, `and b`, `and c`."""
    if not isinstance(condition, syntax.Binary) or condition.operator not in ("and", "or"):
        return [spell(condition)]
    operator, level = condition.operator, binding(condition)
    parts: list[str] = []
    node: Expr = condition
    while isinstance(node, syntax.Binary) and node.operator == operator:
        parts.append(f"{operator} {spell(node.right, level + 1)}")
        node = node.left
    return [spell(node, AND if operator == "and" else level), *reversed(parts)]


def listed(members: Iterable[syntax.Symbol]) -> list[str]:
    names = [member.symbol for member in members]
    return [f"{name}," for name in names[:-1]] + names[-1:]


def filled_row(indent: int, span: Span, head: tuple[str, ...], words: list[str], *, kind: str, tail: str = "") -> Row:
    """A row with a list that breaks after a comma where it is too long."""
    whole = " ".join(words)
    if indent + sum(len(cell) + 2 for cell in head) + len(whole) + len(tail) <= WIDTH:
        return row(indent, span, *head, whole, *([tail] if tail else []), kind=kind)
    if tail:
        words = [*words[:-1], f"{words[-1]}  {tail}"]
    margin = indent + DEEPER
    lines, room = [""], WIDTH - indent - sum(len(cell) + 2 for cell in head)
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
            room = WIDTH - margin
        lines[-1] = f"{lines[-1]} {word}".strip()
    return row(indent, span, *head, lines[0], kind=kind, more=tuple(" " * margin + line for line in lines[1:]))


def doc_row(doc: str | None, header: Span, source: list[str]) -> Iterator[Row]:
    if doc is not None:
        line = first_code_line(source, header.line)
        yield Row(STEP, (spell_text(doc),), start=line, end=line)


def header(span: Span, text: str) -> Row:
    return Row(0, (text,), start=span.line, end=span.line)


def because_of(because: syntax.Text | None) -> list[str]:
    return [f"because {spell_text(because.value)}"] if because is not None else []


def because_row(indent: int, because: syntax.Text | None) -> Iterator[Row]:
    for text in because_of(because):
        yield row(indent, because.span if because else None, text)


def tailed_rows(
    indent: int, span: Span, head: tuple[str, ...], words: str, condition: Expr, tail: list[str], *, kind: str
) -> Iterator[Row]:
    """On one line where it fits; else what follows the condition stands on lines of its own below."""
    whole = "  ".join([" ".join(head), words + spell(condition), *tail])
    line = condition_row(indent, span, (*head, words), condition, kind=kind, tail="  ".join(tail))
    if indent + len(whole) <= TABLE_WIDTH and not line.more:
        yield line
        return
    yield condition_row(indent, span, (*head, words), condition, kind=kind)
    for part in tail:
        yield row(indent + STEP, None, part)
