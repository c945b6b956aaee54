"""Weaknesses of trading programs that this language has no way to write, and what is said to a program that tries.

Other linters have rules for them, so somebody will look for them here. Each is said by a code of the parser or checker, or by
none because every program has the sound meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Refused:
    """`by` are the codes that a program gets which tries; none where whatever is written means the sound thing."""

    code: str
    title: str
    by: tuple[str, ...]
    why: str


_ROWS = (
    Refused(
        "TB119",
        "two rules write one value",
        ("TB050", "TB018"),
        "A name is defined once in the whole project, and an entry has one size, one stop and one target; a second is refused.",
    ),
    Refused(
        "TB204",
        "filled at the close that decided",
        ("TB001", "TB002"),
        "A rule says what to order, never when it is filled: an order decided at a close reaches the venue after it.",
    ),
    Refused(
        "TB210",
        "a stateful value is skipped behind a condition",
        (),
        "Every value is computed at every bar, whatever stands before it in a condition, so `and` may be turned round.",
    ),
)

REFUSED: Mapping[str, Refused] = MappingProxyType({row.code: row for row in _ROWS})
