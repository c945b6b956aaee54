"""`tb lint --fix`: the edits that findings carry, made to the texts of a project until none is left to make.

1. The project is linted. Findings with edits are taken file by file, as many as fit together (`edits`).
2. A new text is kept only if it still says the same (`_keeps`): it parses, every declaration that no edit touched is there
   as it was and in its place, every comment is there, and the project has no error that it did not have before.
3. Where the edits of a file together do not pass, they are tried one by one, and what does not pass is left alone.
4. All of it again, until a round makes no edit. What was once given up is not tried again.

INVARIANT: a file that has a mistake of writing is never edited, and no text that comes out has one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tb.analysis.edits import edited, fitting
from tb.analysis.lint.catalogue import RULES
from tb.core.diagnostics import Diagnostic, Edit, Severity, in_order
from tb.dsl import syntax
from tb.dsl.parse import parse

MOST_ROUNDS = 100  # each makes an edit, so this is only reached by edits that undo each other
_RULES = frozenset(rule.code for rule in RULES)
_LAST = frozenset({"TB508"})  # the layout comes after everything that changes words

Texts = Mapping[str, str]
Linted = Callable[[Texts], list[Diagnostic]]


@dataclass(frozen=True, slots=True)
class Fixed:
    """`texts` are all files as they are now, `made` the findings that were mended, in the order in which they were.

    `left` is what the linter says of the texts now. `given_up` are findings whose edits would have changed something else.
    """

    texts: Texts
    made: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]
    given_up: tuple[Diagnostic, ...]

    def changed(self, before: Texts) -> tuple[str, ...]:
        """The files whose text is another one, in order."""
        return tuple(file for file in before if self.texts[file] != before[file])


def fixed(texts: Texts, linted: Linted, is_policy: Callable[[str], bool]) -> Fixed:
    """The texts with every safe edit made. `linted` gives the findings that count, of texts by the names that spans use."""
    now = dict(texts)
    found = linted(now)
    made: list[Diagnostic] = []
    given_up: dict[tuple[str, str, str], Diagnostic] = {}
    for _ in range(MOST_ROUNDS):
        step = _Round(now, found, linted, is_policy)
        for file in now:
            step.mend(file, [f for f in found if _file_of(f) == file and _identity(f) not in given_up])
        given_up |= {_identity(finding): finding for finding in step.refused}
        if not step.made:
            break
        now, found, made = step.texts, step.found, [*made, *step.made]
    return Fixed(now, tuple(made), tuple(found), tuple(given_up.values()))


class _Round:
    """One pass over all files. `texts` and `found` go with every edit that is kept."""

    def __init__(self, texts: Texts, found: list[Diagnostic], linted: Linted, is_policy: Callable[[str], bool]) -> None:
        self.texts = dict(texts)
        self.found = found
        self.linted = linted
        self.is_policy = is_policy
        self.made: list[Diagnostic] = []
        self.refused: list[Diagnostic] = []

    def mend(self, file: str, findings: Sequence[Diagnostic]) -> None:
        """Makes the edits of these findings in one file, as far as they fit and keep what the file says."""
        words_first = [f for f in findings if f.edits and f.code not in _LAST] or [f for f in findings if f.edits]
        chosen = fitting(in_order(words_first))
        if not chosen or self._try(file, chosen):
            return
        # one of them is at fault: the first that passes is made, and the next round sees the rest
        for finding in chosen:
            if len(chosen) > 1 and self._try(file, [finding]):
                return
            self.refused.append(finding)

    def _try(self, file: str, chosen: Sequence[Diagnostic]) -> bool:
        before, edits = self.texts[file], [edit for finding in chosen for edit in finding.edits]
        after = edited(before, edits)
        old, mistakes = parse(file, before, is_policy=self.is_policy(file))
        new, more = parse(file, after, is_policy=self.is_policy(file))
        same = _lays_out if all(finding.code in _LAST for finding in chosen) else _keeps
        if after == before or mistakes or more or not same(old, new, edits):
            return False
        texts = {**self.texts, file: after}
        found = self.linted(texts)
        if _new_errors(self.found, found):
            return False
        self.texts, self.found = texts, found
        self.made += chosen
        return True


def _new_errors(before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> bool:
    """Whether there is an error that was not there. What only a sound project is asked counts where it was sound before."""
    old, new = (Counter(_identity(f) for f in found if f.severity is Severity.ERROR) for found in (before, after))
    more = new - old
    was_sound = all(code in _RULES for code, _, _ in old)
    return bool(more if was_sound else [key for key in more if key[0] not in _RULES])


def _identity(finding: Diagnostic) -> tuple[str, str, str]:
    return finding.code, finding.span.file, finding.message


def _file_of(finding: Diagnostic) -> str | None:
    """The one file that the edits of a finding lie in."""
    files = {edit.span.file for edit in finding.edits}
    return files.pop() if len(files) == 1 else None


def _lays_out(old: syntax.File, new: syntax.File, edits: Sequence[Edit]) -> bool:
    """Whether the two say the same, whatever their layout."""
    return (new.doc, new.declarations) == (old.doc, old.declarations) and _comments(new) == _comments(old)


def _keeps(old: syntax.File, new: syntax.File, edits: Sequence[Edit]) -> bool:
    """Whether all that no edit touched is there as it was."""
    left = iter(new.declarations)
    untouched = [d for d in old.declarations if not any(_overlap(edit, d) for edit in edits)]
    if new.doc != old.doc or not all(any(found == kept for found in left) for kept in untouched):
        return False
    in_comments = any(c.line == edit.span.line and c.column <= edit.span.column for edit in edits for c in old.comments)
    return len(new.declarations) <= len(old.declarations) and (in_comments or _comments(new) == _comments(old))


def _comments(file: syntax.File) -> Counter[str]:
    return Counter(comment.text for comment in file.comments)


def _overlap(edit: Edit, declaration: syntax.Declaration) -> bool:
    starts, ends = (edit.span.line, edit.span.column), (edit.span.end_line, edit.span.end_column)
    span = declaration.span
    return starts <= (span.end_line, span.end_column) and (span.line, span.column) <= ends
