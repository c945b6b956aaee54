"""The baseline of `tb lint` on disk: read, written anew when asked, and made smaller when findings are gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tb.cli.output import replace_file, say
from tb.core.diagnostics import Diagnostic, Refused

if TYPE_CHECKING:
    from tb.analysis.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Compared:
    """`left` are the findings that count; `agreed` the number of those that the baseline covers, None without a baseline."""

    left: list[Diagnostic]
    agreed: int | None = None


def compared(findings: list[Diagnostic], project: Path, looked: frozenset[str], *, write: bool) -> Compared:
    """The findings beside the baseline of the project, which is brought up to date. Raises Refused where it is unreadable."""
    from tb.analysis.baseline import BASELINE, baseline_of, beyond, ratcheted

    path = project / BASELINE
    if write and not looked:
        say("no baseline was written: mend the errors first, no rule could look")
        write = False
    try:
        before = _read(path)
    except Refused:
        if not write:
            raise
        before = None
    if before is None and not write:
        return Compared(findings)
    after = baseline_of(findings, before, looked) if before is None or write else ratcheted(before, findings, looked)
    if write or after != before:
        _write(path, after, before, asked=write)
    left = beyond(after, findings)
    return Compared(left, len(findings) - len(left))


def told(done: Compared) -> None:
    """Says how many findings are not shown."""
    if done.agreed:
        say(f"{_counted(done.agreed)} of the baseline not shown")


def _read(path: Path) -> Baseline | None:
    from tb.analysis.baseline import not_readable, parse_baseline

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = ""
    except OSError as problem:
        raise Refused([not_readable((problem.strerror or "the file system refused").lower())]) from problem
    baseline, problems = parse_baseline(path.name, text)
    if baseline is None:
        raise Refused(problems)
    return baseline


def _write(path: Path, after: Baseline, before: Baseline | None, *, asked: bool) -> None:
    from tb.analysis.baseline import baseline_text

    try:
        replace_file(path, baseline_text(after))
    except OSError as problem:
        reason = (problem.strerror or "the file system refused").lower()
        say(f"`{path.name}` was not brought up to date: {reason}")
        return
    if asked:
        say(f"wrote {_counted(len(after))} to {path.name}")
    elif before is not None:
        say(f"{path.name}: {_counted(len(before) - len(after))} gone, {len(after)} left")


def _counted(number: int) -> str:
    return "1 finding" if number == 1 else f"{number} findings"
