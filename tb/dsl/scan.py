"""The words of one declaration, before the grammar looks at them.

Guarantees: every character that the grammar could not read, and every parenthesis without its other half, is reported
and mended, so what is handed on consists of the grammar's words alone; and it is known which lines continue the line
before them, which is what recovery needs to take one line out.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field

from tb.core.span import Span
from tb.dsl import mend
from tb.dsl.grammar import grammar
from tb.dsl.reading import Reading
from tb.dsl.words import DECLARATIONS, LINES, UNITS

_PAIRS = {"(": ")", "[": "]"}
_NAMING = frozenset(DECLARATIONS) - {"regime", "use"}
_SHOUTED = frozenset({"AND", "OR", "NOT", "WHEN", "IF", "OTHERWISE", "BECAUSE", "TRUE", "FALSE"})
_LINE_STARTS = frozenset(word for words in LINES.values() for word in words) - {"on"}


@functools.cache
def _words() -> re.Pattern[str]:
    """The grammar's own terminals first, then what people write that the grammar does not have."""

    def terminal(name: str) -> str:
        return grammar().get_terminal(name).pattern.to_regexp()

    signs = "|".join(re.escape(sign) for sign in sorted(mend.FOREIGN_SIGNS, key=len, reverse=True))
    return re.compile(
        "|".join(
            f"(?P<{kind}>{pattern})"
            for kind, pattern in (
                ("space", r"[ \t]+"),
                ("stamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::00(?:\.0+)?)?(?:Z|\+00:00)?"),
                ("symbol", terminal("SYMBOL")),
                ("dotted", r"[0-9][0-9_]*(?:\.[0-9]+){2,}"),
                ("number", terminal("NUMBER")),
                ("word", r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"),
                ("text", terminal("TEXT")),
                ("comment", r"#.*"),
                ("open", r"[(\[]"),
                ("close", r"[)\]]"),
                ("comma", ","),
                ("longsign", r"&&|\|\||=>|=<|<>|===|!==|\*\*|:=|->|//|/\*|\*/|\.\.\."),
                ("sign", rf"{terminal('COMPARE')}|\.\.|[-+*/=:@]|\.[A-Za-z_]\w*"),
                ("badtext", r"\"(?:[^\"\\]|\\.)*(?:\"|\\?$)|[“”„«][^“”„«»\"]*[“”»\"]?|[‘'][^'’]*['’]"),
                ("badnumber", r"\.?[0-9][0-9A-Za-z_]*(?:\.[0-9][0-9A-Za-z_]*)?"),
                ("foreign", signs),
                ("other", r"."),
            )
        ),
        re.DOTALL,
    )


@dataclass(slots=True)
class Scan:
    """`lines` are mended; `touched` are the indices of the mended ones; `continued[i]`: line i belongs to one before."""

    lines: list[str]
    touched: set[int] = field(default_factory=set)
    continued: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    sign: str
    span: Span
    line: int


def scan(lines: list[str], reading: Reading) -> Scan:
    """`reading.line` is the line of the file that `lines[0]` is; `reading.column` counts for the first line only."""
    found = Scan(list(lines))
    opened: list[_Open] = []
    code_end = [0] * len(lines)  # where each line's code ends, for a parenthesis that has to be closed there
    last_code, comma, tabs = 0, False, False
    bars = _first_word(lines[0]) == "table"  # where `|` stands between the cells
    for index, line in enumerate(lines):
        stripped = line.lstrip(" \t")
        indent = line[: len(line) - len(stripped)]
        blank = not stripped or stripped[0] == "#"
        if "\t" in indent and not blank:
            if not tabs:
                span = _span(reading, index, 0, len(indent))
                reading.mistake("TB005", "the line is indented with a tab", span, "indent with spaces, two for each step")
            tabs = True
            found.touched.add(index)
            line = found.lines[index] = indent.replace("\t", "  ") + stripped
        first = _first_word(stripped)
        if opened and first in _LINE_STARTS:
            _close_all(opened, found, last_code, code_end[last_code], reading)
        found.continued.append(not blank and index > 0 and (bool(opened) or comma or first in ("and", "or")))
        if blank:
            continue
        comma, code_end[index] = _scan_line(line, index, opened, found, reading, bars=bars)
        last_code = index
    if opened:
        _close_all(opened, found, last_code, code_end[last_code], reading)
    return found


def _first_word(stripped: str) -> str:
    match = re.match(r"[a-z]+\b", stripped)
    return match[0] if match else ""


def _span(reading: Reading, index: int, start: int, end: int) -> Span:
    shift = reading.column if index == 0 else 1
    return Span(reading.file, reading.line + index, start + shift, reading.line + index, end + shift)


def _scan_line(line: str, index: int, opened: list[_Open], found: Scan, reading: Reading, *, bars: bool) -> tuple[bool, int]:
    """Mends the line in place; says whether it ends with a comma, and where its code ends."""
    pieces: list[str] = []
    changed, comma, bare, bare_at = False, False, "", 0
    for match in _words().finditer(line):
        kind, word = match.lastgroup, match[0]
        if kind == "space":
            pieces.append(word)
            continue
        if kind == "comment":
            break
        if bars and word == "|":
            kind = "sign"
        new = word
        if kind == "open":
            opened.append(_Open(word, _span(reading, index, match.start(), match.end()), index))
        elif kind == "close":
            new = _close(word, _span(reading, index, match.start(), match.end()), opened, reading)
        elif kind == "word" and bare and word in UNITS:
            span = _span(reading, index, bare_at, match.end())
            new = _join_unit(pieces, bare, word, span, reading)
        elif kind == "badnumber" and line[: match.start()].strip() in _NAMING:
            new = mend.mend_name(word, _span(reading, index, match.start(), match.end()), reading)
        elif kind == "stamp":
            quoted = _first_word(line.strip()) == "given"
            new = mend.mend_instant(word, _span(reading, index, match.start(), match.end()), reading, quoted=quoted)
        elif kind == "badnumber" and word[-2:].lower() in ("am", "pm"):
            behind = ":" if line[: match.start()].endswith(":") else ""
            new = mend.mend_hour(word, behind, _span(reading, index, match.start(), match.end()), reading)
        elif (kind == "word" and not word.isascii()) or (kind == "symbol" and word in _SHOUTED) or kind in _BAD:
            new = _mend(kind, word, _span(reading, index, match.start(), match.end()), reading)
        changed = changed or new != word or kind in _BAD
        comma = kind == "comma"
        bare, bare_at = (word, match.start()) if kind == "number" and word[-1].isdigit() else ("", 0)
        pieces.append(new)
    code = "".join(pieces)
    end = len(code.rstrip(" \t"))
    if changed:
        found.touched.add(index)
        found.lines[index] = code
    return comma, end


_BAD = frozenset({"longsign", "badtext", "badnumber", "dotted", "foreign", "other"})


def _mend(kind: str, word: str, span: Span, reading: Reading) -> str:
    match kind:
        case "word":
            return mend.mend_word(word, span, reading)
        case "symbol":
            hint = f"write `{word.lower()}`"
            reading.mistake("TB001", f"`{word}` stands in capitals, which are for instruments", span, hint)
            return word.lower()
        case "longsign" | "foreign":
            return mend.mend_sign(word, span, reading)
        case "badtext":
            return mend.mend_text(word, span, reading)
        case "badnumber" | "dotted":
            return mend.mend_number(word, span, reading)
        case _:
            return mend.mend_character(word, span, reading)


def _join_unit(pieces: list[str], number: str, unit: str, span: Span, reading: Reading) -> str:
    """`3 hours` -> `3h`: the number already read and the spaces after it are taken back."""
    while pieces and pieces[-1] != number:
        pieces.pop()
    pieces.pop()
    return mend.mend_unit(number, unit, span, reading)


def _close(sign: str, span: Span, opened: list[_Open], reading: Reading) -> str:
    """What to read in place of the closing sign: with it, those are closed that were opened inside and never closed."""
    if not opened:
        reading.mistake("TB009", f"`{sign}` closes nothing", span, "remove it, or open it before")
        return ""
    if _PAIRS[opened[-1].sign] == sign:
        opened.pop()
        return sign
    if all(_PAIRS[before.sign] != sign for before in opened):
        before = opened.pop()
        message = f"`{sign}` stands where the `{before.sign}` of column {before.span.column} has to be closed"
        reading.mistake("TB009", message, span, f"write `{_PAIRS[before.sign]}`")
        return _PAIRS[before.sign]
    closing = ""
    while _PAIRS[opened[-1].sign] != sign:
        inner = opened.pop()
        closing += _PAIRS[inner.sign]
        reading.mistake(
            "TB009", f"this `{inner.sign}` is never closed", inner.span, f"add `{_PAIRS[inner.sign]}` before `{sign}`"
        )
    opened.pop()
    return closing + sign


def _close_all(opened: list[_Open], found: Scan, line: int, at: int, reading: Reading) -> None:
    """One mistake for each line with an opening that is never closed; closed at the end of the last line of code."""
    for first in {before.line: before for before in reversed(opened)}.values():
        hint = f"add `{_PAIRS[first.sign]}` where it ends"
        reading.mistake("TB009", f"this `{first.sign}` is never closed", first.span, hint)
        found.touched.add(first.line)
    closing = "".join(_PAIRS[before.sign] for before in reversed(opened))
    text = found.lines[line]
    found.lines[line] = text[:at] + closing + (" " + text[at:] if text[at:].strip() else "")
    found.touched.add(line)
    opened.clear()
