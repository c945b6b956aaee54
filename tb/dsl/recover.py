"""One declaration, parsed by itself: after a mistake the bad line is taken out and the rest is tried again.

Guarantees: ends after `MAX_MISTAKES` tries; a line that was mended or put in place of a bad one is never reported again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.build_declaration import build_declaration
from tb.dsl.build_expression import build_text
from tb.dsl.grammar import grammar
from tb.dsl.layout import UnevenIndentation
from tb.dsl.messages import explain
from tb.dsl.openings import read_opening
from tb.dsl.reading import Reading
from tb.dsl.scan import Scan, scan

MAX_MISTAKES = 20

# A line that stands in for a bad one that has others under it, so that those are still checked.
_STAND_INS = {
    "trigger": "trigger x",
    "strategy": "strategy x on y every 1h",
    "universe": "universe x",
    "regime": "regime",
    "enter": "enter long when x",
    "exit": "exit when x",
    "size": "size 1",
    "signal": "signal x",
    "score": "score x of 10",
    "long": "long when x conviction 5",
    "short": "short when x conviction 5",
    "quote": "quote bid x, ask y",
    "table": "table x",
    "advisor": "advisor x",
    "exception": "exception x to y",
    "loosens": "tightens to 1",
    "tightens": "tightens to 1",
    "test": 'test "x"',
    "bars": "bars BTC-USD 1h",
    "limit": "limit x y",
    "forbid": "forbid x when y",
    "warn": "warn x when y",
    "pause": "pause x for 1h when y",
}


@dataclass(slots=True)
class _Line:
    """A line with those that continue it: indices `start` to `end`, both belonging to it."""

    start: int
    end: int
    indent: int


@dataclass(slots=True)
class _Attempt:
    """What is left of a declaration after the lines taken out of it."""

    scanned: Scan
    is_policy: bool
    lines: list[_Line] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    stood_in: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for index, text in enumerate(self.scanned.lines):
            code = text.lstrip(" \t")
            if not code or code[0] == "#":
                continue
            if self.scanned.continued[index] and self.lines:
                self.lines[-1].end = index
            else:
                self.lines.append(_Line(index, index, len(text) - len(code)))

    def line_at(self, index: int) -> int:
        """The logical line that the physical line belongs to, or the last one before it."""
        found = 0
        for number, line in enumerate(self.lines):
            if line.start <= index and number not in self.gone:
                found = number
        return found

    def is_mended(self, number: int) -> bool:
        line = self.lines[number]
        return number in self.stood_in or any(index in self.scanned.touched for index in range(line.start, line.end + 1))

    def _head(self) -> int:
        """The line of a table that names its columns."""
        below = [number for number in range(1, len(self.lines)) if number not in self.gone]
        with_doc = bool(below) and self.scanned.lines[self.lines[below[0]].start].lstrip().startswith('"')
        return below[1 if with_doc and len(below) > 1 else 0] if below else 0

    def take_out(self, number: int) -> bool:
        """Blanks the line, or puts a stand-in where others hang on it. False where nothing is left to try."""
        line = self.lines[number]
        text = self.scanned.lines
        if text[0].startswith("table") and number == self._head():  # rows mean nothing without their columns
            return False
        under = [n for n in range(number + 1, len(self.lines)) if n not in self.gone]
        nested = bool(under) and self.lines[under[0]].indent > line.indent
        words = re.findall(r"[a-z]+", text[line.start])
        stand_in = _STAND_INS.get(words[0]) if words else None
        if stand_in and words[0] == "enter" and nested and text[self.lines[under[0]].start].lstrip().startswith("leg "):
            stand_in = "enter when x"
        if stand_in == "limit x y" and not self.is_policy and words[0] == "require":
            stand_in = None
        for index in range(line.start, line.end + 1):
            text[index] = ""
        if nested and stand_in and number not in self.stood_in:
            text[line.start] = " " * line.indent + stand_in
            self.stood_in.add(number)
            return True
        self.gone.add(number)
        for other in under:
            if self.lines[other].indent <= line.indent:
                break
            self.gone.add(other)
            for index in range(self.lines[other].start, self.lines[other].end + 1):
                text[index] = ""
        return number != 0


def read_declaration(lines: list[str], reading: Reading, is_policy: bool) -> syntax.Declaration | syntax.Text | None:
    """The declaration, or the doc text of the file, or None. Mistakes are added to `reading`. Raises TooDeep."""
    opening = read_opening(lines, reading)
    if opening is None:
        return None
    scanned = scan(lines, reading)
    _mend_entries(scanned, reading)
    if opening:
        scanned.lines[0] = opening
        scanned.touched.add(0)
    attempt = _Attempt(scanned, is_policy)
    start = "policy_file" if is_policy else "rules_file"
    for _ in range(MAX_MISTAKES):
        try:
            tree = grammar().parse("\n".join(scanned.lines) + "\n", start=start)
        except UnevenIndentation as uneven:
            number = attempt.line_at(uneven.line - 1)
            _tell_uneven(uneven, attempt, number, reading)
        except UnexpectedInput as bad:
            number = attempt.line_at(_line_of(bad))
            _tell(bad, attempt, number, reading)
        else:
            return _build(tree, attempt, reading)
        if not attempt.take_out(number):
            return None
        reading.repaired = True
    return None


def _mend_entries(scanned: Scan, reading: Reading) -> None:
    """`enter when ...` without legs below lacks its direction."""
    for index, text in enumerate(scanned.lines):
        match = re.match(r"(\s+enter\s+)when\b", text)
        if match is None or _has_leg(scanned.lines, index):
            continue
        span = Span(reading.file, reading.line + index, match.end(1) + 1, reading.line + index, match.end() + 1)
        hint = "write `enter long when ...` or `enter short when ...`"
        reading.mistake("TB002", "expected `long` or `short` after `enter`, not `when`", span, hint)
        scanned.lines[index] = f"{match[1]}long {text[match.end(1) :]}"
        scanned.touched.add(index)


def _has_leg(lines: list[str], index: int) -> bool:
    indent = len(lines[index]) - len(lines[index].lstrip())
    for text in lines[index + 1 :]:
        code = text.lstrip()
        if code and code[0] != "#" and not code.startswith(("and ", "or ")):
            if len(text) - len(code) <= indent:
                return False
            if re.match(r"leg\b", code):
                return True
    return False


def read_line(scanned: Scan, reading: Reading) -> Any:
    """The grammar's tree of one expression, or None."""
    try:
        tree = grammar().parse(scanned.lines[0], start="expression")
    except UnexpectedInput as bad:
        if not reading.mistakes:
            reading.mistakes.append(explain(bad, scanned.lines, reading))
        return None
    except UnevenIndentation:  # an expression is one line: nothing in it can be indented
        return None
    return tree.children[0]


def _line_of(bad: UnexpectedInput) -> int:
    """The index of the physical line to blame."""
    token = getattr(bad, "token", None)
    if isinstance(token, Token):
        if token.type == "_INDENT":
            return (token.end_line or 1) - 1
        return (token.line or 1) - 1
    return int(getattr(bad, "line", 1)) - 1


def _tell(bad: UnexpectedInput, attempt: _Attempt, number: int, reading: Reading) -> None:
    token = getattr(bad, "token", None)
    only_missing = isinstance(token, Token) and token.type in ("$END", "_DEDENT")
    if attempt.is_mended(number) or (only_missing and reading.repaired):
        return
    reading.mistakes.append(explain(bad, attempt.scanned.lines, reading))


def _tell_uneven(uneven: UnevenIndentation, attempt: _Attempt, number: int, reading: Reading) -> None:
    if attempt.is_mended(number) or reading.repaired:
        return
    line = reading.line + uneven.line - 1
    known = " or ".join(str(columns) for columns in uneven.known if columns > 0)
    message = f"the line is indented by {uneven.columns} spaces, like no line above it"
    span = Span(reading.file, line, 1, line, uneven.columns + 1)
    reading.mistake("TB006", message, span, f"indent it by {known} spaces")


def _build(tree: Tree[Token], attempt: _Attempt, reading: Reading) -> syntax.Declaration | syntax.Text | None:
    """Mistakes found while building are told, except on lines that were mended or put in."""
    before = len(reading.mistakes)
    built: syntax.Declaration | syntax.Text | None = None
    for child in tree.children:
        if isinstance(child, Tree):
            built = build_declaration(child, reading)
        elif child.type == "TEXT":
            built = build_text(child, reading)
    if before:
        silent = {
            reading.line + index
            for number, line in enumerate(attempt.lines)
            if attempt.is_mended(number)
            for index in range(line.start, line.end + 1)
        }
        reading.mistakes[before:] = [found for found in reading.mistakes[before:] if found.span.line not in silent]
    return built
