"""How commands speak: results on standard output, everything else on standard error.

Colour and progress bars only where a person looks at a terminal; `NO_COLOR` turns colour off. JSON holds decimals (money,
quantities, prices) as text, since many readers make floats of numbers; counts and statistics are numbers, times text in UTC.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from tb.core.redaction import without_registered
from tb.core.time import show_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tb.core.diagnostics import Diagnostic

UNWRITABLE = "TB668"
WIDTH = 120  # where nobody says how wide the terminal is
TEXT_FILES = (".tb", ".yaml", ".yml")


def is_terminal(stream: IO[str]) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def coloured(stream: IO[str]) -> bool:
    """Whether colour belongs on this stream."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, **style: Any) -> str:
    """The text in colour where standard output takes it."""
    return click.style(text, **style) if coloured(sys.stdout) else text


def width() -> int:
    """Columns of the terminal; `COLUMNS` counts, too."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def put(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(without_registered(text) + "\n")


def say(text: str) -> None:
    """A remark: never part of the result."""
    sys.stderr.write(without_registered(text) + "\n")


def shown_price(price: Decimal) -> str:
    """A price for people: an average over several fills has more digits than anybody reads."""
    from tb.core.encode import plain

    exact = plain(price)
    return exact if len(exact) <= 12 else plain(Decimal(f"{price:.10g}"))


def put_json(value: Any) -> None:
    """One JSON document, indented."""
    import msgspec

    put(msgspec.json.format(encode(value), indent=2).decode())


def put_json_array(values: Iterable[Any]) -> None:
    """A JSON array, one element a line, written as its elements come."""
    separator = "["
    for value in values:
        sys.stdout.write(f"{separator}\n{encode(value).decode()}")
        separator = ","
    put("[]" if separator == "[" else "\n]")


def encode(value: Any) -> bytes:
    """Compact JSON, with decimals as text of as many digits as they have."""
    import msgspec

    return msgspec.json.Encoder(decimal_format="string").encode(value)


def iso(at: int | None) -> str | None:
    return None if at is None else show_instant(at)


def write_file(path: Path, text: str | Iterable[str]) -> None:
    """Writes a result into a file, whose folder is made; `-` is standard output. The file is there whole or not at all. What
    comes in parts is never held as a whole.

    Raises Refused where the file system does not let it be written.
    """
    if str(path) == "-":
        sys.stdout.writelines([text] if isinstance(text, str) else text)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as problem:
        from tb.core.diagnostics import Refused, error
        from tb.core.span import whole_file

        message = f"`{path}` cannot be written: {(problem.strerror or 'the file system refused').lower()}"
        hint = "name a file in a folder that you may write"
        raise Refused([error(UNWRITABLE, message, whole_file(str(path)), hint)]) from problem


def replace_file(path: Path, text: str | Iterable[str]) -> None:
    """Puts a new text in the place of a file in one step, keeping its permissions and following a link to it."""
    import secrets

    target = path.resolve()
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def difference(name: str, before: str, after: str) -> list[str]:
    """The lines of a unified diff of one file."""
    import difflib

    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""))


def put_difference(lines: Iterable[str]) -> None:
    """A unified diff on standard output, in colour where a person looks at it."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        colour = colours.get(line[:1])
        put(click.style(line, fg=colour) if colour and coloured(sys.stdout) else line)


# findings


def sources_of(findings: Iterable[Diagnostic], root: Path) -> dict[str, str]:
    """The texts that findings speak of, as far as they are rule files or settings and can be read."""
    files = {span.file for f in findings for span in (f.span, *(label.span for label in f.labels))}
    sources = {}
    for file in sorted(files):
        if file.endswith(TEXT_FILES):
            try:
                sources[file] = (root / file).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                continue  # shown without its lines
    return sources


def show_findings(findings: Sequence[Diagnostic], root: Path, sources: Mapping[str, str] | None = None) -> None:
    """Findings on standard error: with their lines on a terminal, else one a line."""
    from tb.core import render

    if not findings:
        return
    if is_terminal(sys.stderr):
        texts = sources_of(findings, root) if sources is None else sources
        say(render.human(findings, texts, colour=coloured(sys.stderr)))
    else:
        say(render.plain(findings))


def write_findings(findings: Sequence[Diagnostic], **more: Any) -> None:
    """Findings as one JSON object on standard output."""
    import json

    from tb.core import render

    put_json({"findings": json.loads(render.json(findings)), **more})


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal's standard error, gone when the work is done; None where nobody watches."""
    if not is_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
