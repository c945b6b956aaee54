"""What holds of the parser's answer to any text, and of the formatter's to any program: shared by the tests and the soak."""

from __future__ import annotations

import random
import re

from tb.dsl.format import format_file
from tb.dsl.parse import parse
from tb.dsl.syntax import File

WORDS_OF_THE_MACHINE = ("_NL", "_INDENT", "_DEDENT", "$END", "LPAR", "Token", "__ANON", "Traceback", "lark")
INSERTED = [
    *("when", "and", "or", "not", "(", ")", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "\t", "#", '"', "\\", "'"),
    *("5%", "3 bars", "10k USD", "BTC-USD", "..", "=", "==", "<", "@", "of", "at", "in", "is", "for", "because", ":", ","),
    *("“", "–", "é", "\x00", "\u2028", "\r", "\ufeff", "\ud800", "9" * 40, "1e9", "size", "enter long when x", "trigger y"),
    *("|", "during", "leg", "08:00", "2026-12-31", "2026-13-41", "table t", 'test "t"', "expect", "any", "+3 when x", "x 3"),
]


def answered(text: str, *, is_policy: bool) -> int:
    """Asserts what the parser promises for any text: places inside it, plain words, and if nothing is wrong a formatting that
    keeps meaning and comments. Returns the number of mistakes found."""
    file, mistakes = parse("a.tb", text, is_policy=is_policy)
    lines = len(re.split(r"\r\n|\r|\n", text))
    for mistake in mistakes:
        span = mistake.span
        assert 1 <= span.line <= span.end_line <= lines + 1
        assert (span.line, 1) <= (span.line, span.column) < (span.end_line, span.end_column + 1)
        said = mistake.message + mistake.hint
        assert not [word for word in WORDS_OF_THE_MACHINE if word in said and word not in text]
        assert not mistake.message.endswith(".")
    if not mistakes:
        formatted_and_read(file)
    return len(mistakes)


def formatted_and_read(file: File) -> str:
    """Asserts that a file is read back as it was formatted, comments too, and formats to the same text again."""
    formatted = format_file(file)
    again, mistakes = parse(file.path, formatted, is_policy=file.is_policy)
    assert mistakes == []
    assert again == file
    assert format_file(again) == formatted
    assert sorted(comment.text for comment in again.comments) == sorted(comment.text for comment in file.comments)
    return formatted


def with_comments(text: str, chance: random.Random) -> str:
    """Comments at the ends of lines and on lines of their own, and blank lines, in any column."""
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        if chance.random() < 0.2:
            lines.append(" " * chance.choice([0, 0, 2, 4, 7]) + f"# alone {number}")
        if chance.random() < 0.15:
            lines.append("")
        lines.append(line + (f" # beside {number}" if chance.random() < 0.2 else ""))
    return "\n".join(lines)
