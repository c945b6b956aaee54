"""Findings of the checker that only repeat what parsing said: a name is missing because its declaration could not be read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tb.core.diagnostics import Diagnostic, has_errors
from tb.dsl import syntax

_DEFINES = re.compile(r"^(?:let|trigger|param|group|universe|strategy)\s+([a-z]\w*)", re.MULTILINE)
_TIER = re.compile(r"^\s+(?:tier\s+)?([a-z]\w*)\b", re.MULTILINE)
_QUOTED = re.compile(r"`([^`]+)`")
_NOT_SET = "TB060"
_LIMITS_UNREAD = "TB620"  # then no limit of `policy/limits.yaml` is known: that one is not set says nothing
_ECHOES = frozenset({"TB053", "TB060", "TB061", "TB102", "TB402"})


def without_echoes(
    checked: Sequence[Diagnostic], findings: Sequence[Diagnostic], files: Sequence[syntax.File]
) -> list[Diagnostic]:
    """Without those that only say that a name is not there, where its declaration is what could not be read."""
    if not has_errors(findings):
        return list(checked)
    unread = _unread(findings, files)
    silent = {_NOT_SET} if any(finding.code == _LIMITS_UNREAD for finding in findings) else set()
    return [
        finding
        for finding in checked
        if finding.code not in silent and (finding.code not in _ECHOES or not unread & set(_QUOTED.findall(finding.message)))
    ]


def _unread(findings: Sequence[Diagnostic], files: Sequence[syntax.File]) -> frozenset[str]:
    names: set[str] = set()
    for file in files:
        read = {getattr(declaration, "name", "") for declaration in file.declarations}
        names |= {name for name in _DEFINES.findall(file.text) if name not in read}
        is_whole = all(finding.span.file != file.path for finding in findings)
        names |= set() if is_whole else {name for name in _TIER.findall(file.text) if name not in read}
    for finding in findings:
        if "TB620" <= finding.code < "TB640":
            names |= set(_QUOTED.findall(finding.message))
    return frozenset(names)
