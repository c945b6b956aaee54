"""TB511: a character in a comment or text that turns the writing direction or cannot be seen.

It can make a line look like another one (N. Boucher and R. Anderson, Trojan Source, 2021). Elsewhere such characters are
mistakes of writing already. Letters of other scripts are left alone here: people write comments in their own language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Edit, Severity, warning
from tb.core.span import Span

CODE = "TB511"
_JOINERS = frozenset("\u200c\u200d")  # needed to write some languages and emoji


def check(subject: Subject) -> Iterable[Diagnostic]:
    for file in subject.files:
        for number, line in enumerate(file.text.removeprefix("\ufeff").split("\n"), start=1):
            if line.isascii():
                continue
            for at, character in enumerate(line, start=1):
                if unicodedata.category(character) == "Cf" and character not in _JOINERS:
                    message = f"an invisible character (U+{ord(character):04X}) stands here"
                    place = Span(file.path, number, at, number, at + 1)
                    yield warning(CODE, message, place, "remove it: what is read should be what runs", edits=(Edit(place, ""),))


RULE = Rule(CODE, "invisible-character", "hygiene", "text", Severity.WARNING, check)
