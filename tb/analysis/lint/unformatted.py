"""TB508: a file that is not in the one canonical layout, which `tb fmt` and `tb lint --fix` give it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Edit, Severity
from tb.core.span import Span
from tb.dsl.cut import normalise
from tb.dsl.format import format_file

CODE = "TB508"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for file in subject.files:
        before, after = normalise(file.text), format_file(file)
        if after != before:
            edits = _edits(file.path, before.split("\n"), after.split("\n"))
            lines = sum(edit.span.end_line - edit.span.line or 1 for edit in edits)
            said = f"{lines} {'line is' if lines == 1 else 'lines are'} not in the usual layout"
            place = Span(file.path, edits[0].span.line, 1, edits[0].span.line, 1)
            yield Diagnostic(CODE, Severity.HINT, said, place, f"run `tb fmt {file.path}`", (), tuple(edits))


def _edits(file: str, before: list[str], after: list[str]) -> list[Edit]:
    """Whole lines that change, each stretch of them as one edit."""
    edits = []
    for kind, first, end, new_first, new_end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        new = after[new_first:new_end]
        if kind == "equal":
            continue
        if end < len(before):
            edits.append(Edit(Span(file, first + 1, 1, end + 1, 1), "".join(f"{line}\n" for line in new)))
        elif first > 0:  # the last line has no line end of its own, so that of the line before goes with it
            span = Span(file, first, len(before[first - 1]) + 1, end, len(before[-1]) + 1)
            edits.append(Edit(span, "".join(f"\n{line}" for line in new)))
        else:
            edits.append(Edit(Span(file, 1, 1, end, len(before[-1]) + 1), "\n".join(new)))
    return edits


RULE = Rule(CODE, "unformatted", "hygiene", "text", Severity.HINT, check)
