"""Findings hidden on purpose: `# tb: ignore TB301 because the venue holds the stop`.

A comment hides findings of the codes it names on its own line, or, standing alone, on the next line of code. It has to say why.

Only findings of lint rules about a place can be hidden. What makes a file meaningless (its writing, names, units, parameters)
cannot, since there is nothing to run then; what a whole policy lacks cannot, since a comment in one file is the wrong place to
decide it: `lint.levels` in tb.yaml is where everyone sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tb.analysis.subject import Rule
from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, did_you_mean, error, warning
from tb.core.span import Span
from tb.dsl import syntax

NO_REASON = "TB510"
NO_EFFECT = "TB514"

_MARK = re.compile(r"#+\s*tb:\s*(?P<verb>\S*)\s*(?P<rest>.*)", re.IGNORECASE)
_CODES = re.compile(r"(?P<codes>TB\w*(?:\s*(?:,|and)?\s*TB\w*)*)\s*(?P<rest>.*)", re.IGNORECASE)
_BECAUSE = re.compile(r"because\s+(?P<reason>.*\w.*)", re.IGNORECASE)


@dataclass(slots=True)
class Suppression:
    """One code that a comment asks to hide on a line. `hidden` counts what it hid."""

    code: str
    line: int
    span: Span
    hidden: int = field(default=0)


def read_suppressions(files: Sequence[syntax.File]) -> tuple[list[Suppression], list[Diagnostic]]:
    """The suppressions with a reason, and what is wrong with the others."""
    found: list[Suppression] = []
    wrong: list[Diagnostic] = []
    for file in files:
        for comment in file.comments:
            mark = _MARK.match(comment.text)
            if mark is None:
                continue
            span = Span(file.path, comment.line, comment.column, comment.line, comment.column + len(comment.text))
            codes, problem = _codes(mark, span)
            if problem is not None:
                wrong.append(problem)
            line = _next_code(file, comment.line) if comment.alone else comment.line
            found += [Suppression(code, line, span) for code in codes]
    return found, wrong


def _codes(mark: re.Match[str], span: Span) -> tuple[list[str], Diagnostic | None]:
    if mark["verb"].lower() != "ignore":
        hint = "write `# tb: ignore TB509 because ...`"
        return [], warning(NO_EFFECT, f"`tb: {mark['verb']}` means nothing", span, hint)
    listed = _CODES.fullmatch(mark["rest"])
    if listed is None:
        return [], error(NO_REASON, "nothing is named to ignore", span, "write `# tb: ignore TB509 because ...`")
    codes = [code.upper() for code in re.findall(r"TB\w*", listed["codes"], re.IGNORECASE)]
    if _BECAUSE.fullmatch(listed["rest"]) is None:
        hint = f"write `# tb: ignore {', '.join(codes)} because ...`"
        return [], error(NO_REASON, f"{', '.join(codes)} is ignored without a reason, so it is not ignored", span, hint)
    return codes, None


def _next_code(file: syntax.File, line: int) -> int:
    """The next line that is neither empty nor a comment."""
    lines = file.text.replace("\r\n", "\n").split("\n")
    for number, text in enumerate(lines[line:], start=line + 1):
        if text.strip() and not text.strip().startswith("#"):
            return number
    return line


def suppress(
    findings: Iterable[Diagnostic], suppressions: Sequence[Suppression], rules: Mapping[str, Rule]
) -> list[Diagnostic]:
    """The findings that no comment hides."""
    by_place: dict[tuple[str, int, str], list[Suppression]] = {}
    for suppression in suppressions:
        by_place.setdefault((suppression.span.file, suppression.line, suppression.code), []).append(suppression)
    left = []
    for finding in findings:
        rule = rules.get(finding.code)
        asked = by_place.get((finding.span.file, finding.span.line, finding.code), [])
        if not asked or rule is None or not rule.suppressible:
            left.append(finding)
        for suppression in asked:
            suppression.hidden += 1
    return left


def without_effect(suppressions: Sequence[Suppression], rules: Mapping[str, Rule], off: Iterable[str]) -> list[Diagnostic]:
    """What is to be said of suppressions that hide nothing. Codes that are off are left alone."""
    silent = frozenset(off)
    return [_reason(s, rules) for s in suppressions if s.code not in silent and not _works(s, rules)]


def _works(suppression: Suppression, rules: Mapping[str, Rule]) -> bool:
    rule = rules.get(suppression.code)
    return rule is not None and rule.suppressible and suppression.hidden > 0


def _reason(suppression: Suppression, rules: Mapping[str, Rule]) -> Diagnostic:
    code = suppression.code
    if code not in CODES:
        hint = did_you_mean(code, rules) or "see docs/errors.md for the codes there are"
        return warning(NO_EFFECT, f"there is no code `{code}`", suppression.span, hint)
    rule = rules.get(code)
    if rule is None:
        return warning(NO_EFFECT, f"{code} cannot be ignored", suppression.span, "correct what it points at")
    if not rule.suppressible:
        hint = f"give {code} a level under `lint` in tb.yaml, where everyone sees it"
        return warning(
            NO_EFFECT, f"{code} is about the whole policy and cannot be ignored in one place", suppression.span, hint
        )
    return warning(
        NO_EFFECT, f"{code} is not found here, so there is nothing to ignore", suppression.span, "remove the comment"
    )
