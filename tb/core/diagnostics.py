"""The one type for everything tb has to say about a user's input.

Stages collect diagnostics and return them; they do not raise for a user's mistake. A message is lower case, has no
full stop, quotes user text in backticks and uses the language's words. The hint is the edit to make.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from tb.core.span import Span


class Severity(IntEnum):
    HINT = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that matters to a finding, with a few words on why."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A part of a safe fix: `text` takes the place of what stands at `span`. An empty span is a place to put it in."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a code of `tb.core.codes`, where it is, what is wrong, and the edit that mends it.

    `hint` says that edit in words. `edits` are it as data, for `tb lint --fix` and editors: all of one finding are made
    together or not at all, they lie in one file, and none touches another. Empty where nothing can be mended safely.
    """

    code: str
    severity: Severity
    message: str
    span: Span
    hint: str = ""
    labels: tuple[Label, ...] = ()
    edits: tuple[Edit, ...] = ()


class Refused(Exception):
    """Input or a file that tb will not work with. Carries the findings that say why and what to do next."""

    def __init__(self, findings: Sequence[Diagnostic]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{d.span}: {d.message}" for d in self.findings))


def error(
    code: str, message: str, span: Span, hint: str = "", labels: Iterable[Label] = (), edits: Iterable[Edit] = ()
) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, hint, tuple(labels), tuple(edits))


def warning(
    code: str, message: str, span: Span, hint: str = "", labels: Iterable[Label] = (), edits: Iterable[Edit] = ()
) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, message, span, hint, tuple(labels), tuple(edits))


def has_errors(findings: Iterable[Diagnostic]) -> bool:
    return any(d.severity is Severity.ERROR for d in findings)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean `close`?`, or an empty string where nothing known is near."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def respelling(word: str, known: Iterable[str], span: Span) -> tuple[Edit, ...]:
    """The edit that mends a misspelt word, where one known word is very near and no other is."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=2, cutoff=0.75)
    return (Edit(span, near[0]),) if len(near) == 1 else ()


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Findings by place, then code, without repeats: the order in which every renderer shows them."""
    unique = dict.fromkeys(findings)
    return sorted(unique, key=lambda d: (d.span, d.code, d.message))
