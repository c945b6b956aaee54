"""The word that begins a declaration: known, misspelt, or of another language."""

from __future__ import annotations

import difflib
import re

from tb.core.span import Span
from tb.dsl.reading import Reading, shown
from tb.dsl.words import DECLARATIONS, FOREIGN, LINES

_WORD = re.compile(r"[^\W\d]\w*")
_BELONGS = {
    **dict.fromkeys(LINES["trigger"], "trigger"),
    **dict.fromkeys((*LINES["enter"], *LINES["quote"], *LINES["strategy"]), "strategy"),
    **{word: block for block in ("universe", "signal", "advisor", "exception", "test") for word in LINES[block]},
    **dict.fromkeys(("otherwise", "on", "level", "shadow"), "limit"),
    "because": "trigger",
    "when": "trigger",
}


def read_opening(lines: list[str], reading: Reading) -> str | None:
    """Empty where the first line may be read as it is, another first line to read on with, or None to read no further."""
    line = lines[0]
    if line[0] in "\"'“”„«":
        return ""
    match = _WORD.match(line)
    if match is None:
        span = Span(reading.file, reading.line, 1, reading.line, 2)
        reading.mistake("TB003", f"`{_visible(line[0])}` begins no declaration", span, _all_words())
        return None
    word = match[0]
    if word in DECLARATIONS:
        return ""
    span = Span(reading.file, reading.line, 1, reading.line, match.end() + 1)
    meant = _meant(word)
    if meant:
        reading.mistake("TB003", f"`{shown(word)}` begins no declaration", span, f"did you mean `{meant}`?")
        return meant + line[match.end() :]
    _tell_unknown(word, line, span, reading)
    return None


def _meant(word: str) -> str:
    if word.lower() in DECLARATIONS:
        return word.lower()
    near = difflib.get_close_matches(word.lower(), DECLARATIONS, n=1, cutoff=0.75)
    return near[0] if near and word not in _BELONGS and word not in FOREIGN else ""


def _is_assignment(line: str) -> bool:
    return re.match(r"[^\W\d]\w*\s*:?=[^=]", line) is not None


def _tell_unknown(word: str, line: str, span: Span, reading: Reading) -> None:
    if word in _BELONGS:
        hint = f"indent it under its `{_BELONGS[word]}`"
        reading.mistake("TB003", f"`{shown(word)}` begins no declaration", span, hint)
    elif word in FOREIGN or word in ("if", "for"):
        hint = FOREIGN.get(word, "conditions stand after `when`, inside a `trigger`, a `strategy` or a constraint")
        reading.mistake("TB015", f"`{shown(word)}` is no word of this language", span, hint)
    elif _is_assignment(line):
        reading.mistake(
            "TB003", f"`{shown(word)}` is given a value, but not introduced", span, f"write `let {shown(word)} = ...`"
        )
    else:
        reading.mistake("TB003", f"`{shown(word)}` begins no declaration", span, _all_words())


def _all_words() -> str:
    return "declarations begin with " + ", ".join(f"`{word}`" for word in DECLARATIONS)


def _visible(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"
