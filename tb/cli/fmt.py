"""`tb fmt`: rule files in their one canonical layout. A file that cannot be read is left as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tb.cli.options import command, json_option, project_option
from tb.cli.output import difference, put_difference, put_json, replace_file, say, show_findings, write_findings
from tb.core.diagnostics import Diagnostic, Refused, error, has_errors
from tb.core.span import whole_file

FOUND, REFUSED = 1, 3
UNREADABLE, NOT_TEXT = "TB663", "TB664"


@dataclass(frozen=True, slots=True)
class Formatted:
    """One file. `after` is None where it has mistakes, which `findings` then are; `path` is None for standard input."""

    name: str
    path: Path | None
    before: str
    after: str | None
    findings: tuple[Diagnostic, ...]

    @property
    def changes(self) -> bool:
        return self.after is not None and self.after != self.before


@command("fmt", "tb fmt", "tb fmt --check --diff", "tb fmt rules/momentum.tb", "tb fmt - < draft.tb")
@click.argument("files", nargs=-1, metavar="[FILES]...")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where a file is not in its layout.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what changes; without --check the files are still written.")
@project_option
@json_option
def tb_fmt(files: tuple[str, ...], check: bool, show_diff: bool, project: Path, as_json: bool) -> None:
    """Lay out rule files in the one canonical way.

    FILES default to all rules and policy of the project. Comments stay, and so does the meaning. `-` reads standard input
    and writes standard output.
    """
    if "-" in files and len(files) > 1:
        raise click.UsageError("`-` stands alone")
    done = [_formatted(name, path, is_policy) for name, path, is_policy in _wanted(files, project)]
    findings = [finding for one in done for finding in one.findings]
    changed = [one for one in done if one.changes]
    if files == ("-",):
        sys.stdout.write(done[0].after if done[0].after is not None else done[0].before)
    elif not check:
        for one in changed:
            _write(one)
    if show_diff and not as_json:
        for one in changed:
            put_difference(difference(one.name, one.before, one.after or ""))
    _tell(done, changed, findings, check=check, as_json=as_json, is_stream=files == ("-",))
    if has_errors(findings):
        raise click.exceptions.Exit(FOUND if check else REFUSED)
    if check and changed:
        raise click.exceptions.Exit(FOUND)


def _wanted(files: tuple[str, ...], project: Path) -> Iterator[tuple[str, Path | None, bool]]:
    """Name, path (None: standard input) and whether it is policy, of each file; folders stand for the rule files in them."""
    if not files:
        from tb.cli.texts import read_texts

        texts = read_texts(project)
        yield from ((name, project / name, False) for name in texts.rules)
        yield from ((name, project / name, True) for name in texts.policy)
        yield from ((name, project / name, False) for name in texts.tests)
        return
    for name in files:
        if name == "-":
            yield "standard input", None, False
        elif Path(name).is_dir():
            yield from ((str(path), path, _is_policy(path)) for path in sorted(Path(name).rglob("*.tb")))
        else:
            yield name, Path(name), _is_policy(Path(name))


def _is_policy(path: Path) -> bool:
    return "policy" in path.resolve().parts[-3:-1]


def _formatted(name: str, path: Path | None, is_policy: bool) -> Formatted:
    from tb.dsl.format import format_file
    from tb.dsl.parse import parse

    before, problem = _read(name, path)
    if problem is not None:
        return Formatted(name, path, before, None, (problem,))
    file, found = parse(name, before, is_policy=is_policy)
    if has_errors(found) and (path is None or not is_policy):
        # a policy file somewhere else, or on standard input: the two kinds differ in `require` alone
        other, also = parse(name, before, is_policy=True)
        if not has_errors(also):
            file, found = other, also
    if has_errors(found):
        return Formatted(name, path, before, None, tuple(found))
    after = format_file(file)
    again, _ = parse(name, after, is_policy=file.is_policy)
    if (again.doc, again.declarations) != (file.doc, file.declarations):
        raise AssertionError(f"laying out {name} would change its meaning; the file is as it was")
    return Formatted(name, path, before, after, ())


def _read(name: str, path: Path | None) -> tuple[str, Diagnostic | None]:
    try:
        data = sys.stdin.buffer.read() if path is None else path.read_bytes()
        return data.decode("utf-8"), None
    except UnicodeDecodeError as problem:
        message = f"`{name}` is not UTF-8 text: byte {problem.object[problem.start]:#04x}"
        return "", error(NOT_TEXT, message, whole_file(name), "save the file as UTF-8")
    except OSError as problem:
        reason = (problem.strerror or "the file system refused").lower()
        return "", error(UNREADABLE, f"`{name}` cannot be read: {reason}", whole_file(name), "check its name and permissions")


def _write(one: Formatted) -> None:
    assert one.path is not None
    assert one.after is not None
    try:
        replace_file(one.path, one.after)
    except OSError as problem:
        reason = (problem.strerror or "the file system refused").lower()
        message = f"`{one.name}` cannot be written: {reason}"
        raise Refused([error(UNREADABLE, message, whole_file(one.name), "check its permissions")]) from problem


def _tell(
    done: list[Formatted], changed: list[Formatted], findings: list[Diagnostic], *, check: bool, as_json: bool, is_stream: bool
) -> None:
    if as_json and not is_stream:
        names = [one.name for one in changed]
        if findings:
            write_findings(findings, files=len(done), changed=names, written=not check)
        else:
            put_json({"findings": [], "files": len(done), "changed": names, "written": not check})
        return
    show_findings(findings, Path(), {one.name: one.before for one in done})
    if is_stream:
        return
    for one in changed:
        say(f"{'would lay out' if check else 'laid out'} {one.name}")
    same = len(done) - len(changed) - sum(one.after is None for one in done)
    say(f"{same} of {len(done)} {'file' if len(done) == 1 else 'files'} already laid out")
