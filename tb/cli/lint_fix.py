"""`tb lint --fix` on disk: what the fixer makes of the files, shown as a diff or written, each file in one step.

A file is written only if it is still what was read, byte for byte, and keeps its line ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tb.cli.output import difference, replace_file, say
from tb.cli.texts import Texts
from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.span import whole_file

UNWRITABLE = "TB668"


@dataclass(frozen=True, slots=True)
class Mended:
    """What `--fix` did. `texts` are the project as it is on disk, None where nothing was written; `left` its findings."""

    texts: Texts | None = None
    left: tuple[Diagnostic, ...] = ()
    made: tuple[Diagnostic, ...] = ()
    given_up: tuple[Diagnostic, ...] = ()
    diff: tuple[str, ...] = field(default=())

    def as_json(self, *, written: bool) -> dict[str, Any]:
        made = [{"code": f.code, "file": f.span.file, "line": f.span.line, "message": f.message} for f in self.made]
        return {"fixed": made, "written": written, "diff": "\n".join(self.diff)}

    def tell(self, *, written: bool) -> None:
        """What was or would be edited, a line for each file and code."""
        for (file, code), times in Counter((f.span.file, f.code) for f in self.made).items():
            say(f"{'mended' if written else 'would mend'} {code} in {file}{f', {times} times' if times > 1 else ''}")
        for finding in self.given_up:
            say(f"left {finding.code} at {finding.span}: its edit would change something else")


def mend(texts: Texts, project: Path, linted: Callable[[Texts], list[Diagnostic]], *, write: bool) -> Mended:
    """Makes the edits. Raises Refused where a file is not what it was, or cannot be written; files before it are then done."""
    from tb.analysis.fixing import fixed
    from tb.dsl.cut import normalise

    before = {file: _read(project / file) for file in (*texts.rules, *texts.policy)}

    def of(now: Mapping[str, str]) -> Texts:
        rules, policy = ({file: normalise(now[file]) for file in part} for part in (texts.rules, texts.policy))
        return replace(texts, rules=rules, policy=policy, sources={**texts.sources, **rules, **policy})

    done = fixed(before, lambda now: linted(of(now)), lambda file: file in texts.policy)
    changed = done.changed(before)
    diff = tuple(line for file in changed for line in difference(file, before[file], done.texts[file]))
    if not write:
        return Mended(None, done.left, done.made, done.given_up, diff)
    for file in changed:
        _write(project / file, file, before[file], done.texts[file])
    return Mended(of(done.texts), done.left, done.made, done.given_up, diff)


def _read(path: Path) -> str:
    """The text with its own line ends. What cannot be read is refused before the linter is asked."""
    return path.read_bytes().decode("utf-8")


def _write(path: Path, file: str, before: str, after: str) -> None:
    try:
        if _read(path) != before:
            message = f"`{file}` was changed while it was looked at, and is left as it is"
            raise Refused([error(UNWRITABLE, message, whole_file(file), "run `tb lint --fix` again")])
        replace_file(path, after)
    except OSError as problem:
        reason = (problem.strerror or "the file system refused").lower()
        message = f"`{file}` cannot be written: {reason}"
        raise Refused([error(UNWRITABLE, message, whole_file(file), "check its permissions")]) from problem
