"""The place where the grammar stumbled: the word, what stands before it, and what could have stood there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lark import Token

from tb.core.span import Span
from tb.dsl.reading import shown

_INSTRUMENT = re.compile(r"[A-Z0-9]*[A-Z][A-Z0-9]*(?:[-_/][A-Z0-9]+)+")
_DECLARED: dict[str, str] = {
    "param": "parameter",
    **{word: word for word in ("group", "universe", "trigger", "strategy")},
    **dict.fromkeys(("let", "limit", "forbid", "require", "pause", "warn"), ""),
}


@dataclass(frozen=True, slots=True)
class Stumble:
    """`accepted` are terminals of the grammar; `values` what is parsed so far; `words` the last word of each of those."""

    token: Token
    accepted: frozenset[str]
    values: tuple[Any, ...]
    words: tuple[Token, ...]
    lines: list[str]
    span: Span

    def previous(self, back: int = 1) -> str:
        return shown(str(self.words[-back])) if len(self.words) >= back else ""

    def previous_type(self, back: int = 1) -> str:
        return self.words[-back].type if len(self.words) >= back else ""

    def word(self) -> str:
        return shown(str(self.token))

    def at_end(self) -> bool:
        return self.token.type in ("_NL", "$END", "_DEDENT")

    def found(self) -> str:
        """The word in backticks; an instrument in full, where it was read only to its first `-`."""
        if self.at_end():
            return "the end of the line"
        instrument = _INSTRUMENT.match(self.line_text(), self.index())
        return f"`{shown(instrument[0] if instrument else str(self.token))}`"

    def line_text(self) -> str:
        """The physical line of the word (or of the last word, where the line ended too early)."""
        line = self._line()
        return self.lines[line - 1].split("#")[0].rstrip() if line <= len(self.lines) else ""

    def _line(self) -> int:
        if self.token.type == "_INDENT":
            return self.token.end_line or 1
        return self.token.line or 1

    def index(self) -> int:
        """Where in `line_text` the word stands."""
        return len(self.line_text()) if self.at_end() else (self.token.column or 1) - 1

    def first_word(self) -> str:
        match = re.match(r"\s*([A-Za-z_]\w*)", self.line_text())
        return match[1] if match else ""

    def after(self) -> str:
        """`after `when``, `after the trigger's name`."""
        if not self.words:
            return "here"
        if self.starts_line():
            return "here"
        if self.previous_type() == "WORD" and self.previous(2) in _DECLARED:
            kind = _DECLARED[self.previous(2)]
            return f"after the {kind}'s name" if kind else f"after the name `{self.previous()}`"
        return f"after `{self.previous()}`"

    def starts_line(self) -> bool:
        return not self.at_end() and not self.line_text()[: self.index()].strip()

    def expects_value(self) -> bool:
        return {"NAME", "NUMBER", "LPAR"} <= self.accepted

    def expects_operator(self) -> bool:
        return "PLUS" in self.accepted or "TIMES" in self.accepted or bool(self.accepted & {"COMPARE", "AND"})
