"""Findings that a project has agreed to live with for now: `tb-lint-baseline.json`, and the ratchet that only lets it shrink.

A finding is the same one as long as code, file and words are the same, wherever its line has moved to; equal ones are counted.
Those in the baseline do not fail; one more does. Where a rule has looked and finds fewer, fewer are written down. What makes a
file meaningless is never in a baseline: there is nothing to live with.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tb.analysis.levels import COMMENTS, by_code
from tb.analysis.lint.catalogue import RULES
from tb.core.diagnostics import Diagnostic, Severity, error, has_errors, in_order
from tb.core.span import Span, whole_file

BASELINE = "tb-lint-baseline.json"
UNREADABLE = "TB669"

Key = tuple[str, str, str]
_LINTED = frozenset({*(rule.code for rule in RULES), *COMMENTS})
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """How many findings of each code, file and message are agreed to."""

    counts: Mapping[Key, int]

    def __len__(self) -> int:
        return sum(self.counts.values())


def parse_baseline(file: str, text: str) -> tuple[Baseline | None, list[Diagnostic]]:
    """The baseline that a text holds, or what is wrong with it."""
    try:
        written = json.loads(text)
        rows = written["findings"]
        if written["version"] != _VERSION:
            raise ValueError
        counts = {(str(row["code"]), str(row["file"]), str(row["message"])): int(row["count"]) for row in rows}
        if len(counts) != len(rows) or any(count < 1 for count in counts.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError) as problem:
        line = problem.lineno if isinstance(problem, json.JSONDecodeError) else 1
        place = Span(file, line, 1, line, 1)
        hint = "restore it, or write it anew with `tb lint --write-baseline`"
        return None, [error(UNREADABLE, f"`{file}` is no baseline that tb wrote", place, hint)]
    return Baseline(counts), []


def baseline_text(baseline: Baseline) -> str:
    """The baseline as it is kept: one finding a line, in a stated order, so that a diff of it can be reviewed."""
    rows = [
        json.dumps({"code": code, "file": file, "message": message, "count": count}, ensure_ascii=False)
        for (code, file, message), count in sorted(baseline.counts.items(), key=lambda item: (item[0][1], *item[0]))
    ]
    listed = "\n" + ",\n".join(f"    {row}" for row in rows) + "\n  " if rows else ""
    return f'{{\n  "version": {_VERSION},\n  "findings": [{listed}]\n}}\n'


def baseline_of(findings: Iterable[Diagnostic], before: Baseline | None, looked: frozenset[str]) -> Baseline:
    """All findings of rules that looked, and what was agreed to before of those that did not."""
    counts = Counter(_key(finding) for finding in findings if finding.code in looked)
    kept = {} if before is None else {key: count for key, count in before.counts.items() if key[0] not in looked}
    return Baseline({**kept, **counts})


def beyond(baseline: Baseline, findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The findings that are not agreed to; of equal ones those further down."""
    left, new = Counter(baseline.counts), []
    for finding in in_order(findings):
        key = _key(finding)
        if finding.code in _LINTED and left[key] > 0:
            left[key] -= 1
        else:
            new.append(finding)
    return new


def ratcheted(baseline: Baseline, findings: Iterable[Diagnostic], looked: frozenset[str]) -> Baseline:
    """The baseline without what is gone, as far as its rules have looked."""
    found = Counter(_key(finding) for finding in findings)
    kept = {key: count if key[0] not in looked else min(count, found[key]) for key, count in baseline.counts.items()}
    return Baseline({key: count for key, count in kept.items() if count})


def rules_that_looked(
    findings: Iterable[Diagnostic], *, with_data: bool, with_run: bool = False, levels: Mapping[str, Severity | None]
) -> frozenset[str]:
    """The codes of which no finding means that there is nothing to find. `findings` are all those of the run."""
    if has_errors(finding for finding in findings if finding.code not in _LINTED):
        return frozenset()  # without a meaning no rule is asked
    off = {code for code, level in by_code(levels, RULES).items() if level is None}
    asked = {"data": with_data, "run": with_run}
    unasked = {rule.code for rule in RULES if not asked.get(rule.technique, True)}
    return _LINTED - off - unasked


def not_readable(reason: str) -> Diagnostic:
    """What is said where the file system refuses to read the baseline."""
    return error(UNREADABLE, f"`{BASELINE}` cannot be read: {reason}", whole_file(BASELINE), "check its permissions")


def _key(finding: Diagnostic) -> Key:
    return finding.code, finding.span.file, finding.message
