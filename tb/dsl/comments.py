"""The comments of a file, in order, with their places. `#` inside a text is no comment."""

from __future__ import annotations

import re

from tb.dsl.syntax import Comment

_TEXT_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"?|#[^\n]*')


def read_comments(text: str) -> tuple[Comment, ...]:
    """Lines and columns from 1; the comment's text has no spaces at its end."""
    found: list[Comment] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if "#" not in line:
            continue
        for match in _TEXT_OR_COMMENT.finditer(line):
            if match[0].startswith("#"):
                alone = not line[: match.start()].strip()
                found.append(Comment(number, match.start() + 1, match[0].rstrip(), alone))
    return tuple(found)
