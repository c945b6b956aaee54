"""A file cut into its top-level declarations: a line with code at column 1 begins one.

Guarantees: a mistake in one declaration cannot hide those in another. Lines that begin with a closing parenthesis, `and`
or `or` continue the declaration before them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CONTINUES = re.compile(r"[)\]]|(?:and|or)\b")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Stretch:
    """`first` is the line of the file, from 1; `orphan` says that no declaration begins it."""

    first: int
    lines: list[str]
    orphan: bool = False


def normalise(text: str) -> str:
    """The text with `\\n` alone as line end and without a byte order mark; lines keep their numbers."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATES.sub("\ufffd", text)


def cut(text: str) -> list[Stretch]:
    """Of normalised text. Blank lines and comments before a declaration belong to none."""
    stretches: list[Stretch] = []
    for number, line in enumerate(text.split("\n"), start=1):
        code = line.strip()
        if not code or code[0] == "#":
            if stretches:
                stretches[-1].lines.append(line)
        elif not stretches or not (line[0] in " \t" or _CONTINUES.match(line)):
            stretches.append(Stretch(number, [line], line[0] in " \t"))
        else:
            stretches[-1].lines.append(line)
    return stretches
