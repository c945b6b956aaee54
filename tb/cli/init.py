"""`tb init`: a small project to start from, written into a folder without touching what is there."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import click

from tb.cli.options import command, json_option
from tb.cli.output import put, put_json, say
from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.span import whole_file

EXISTS, UNWRITABLE = "TB667", "TB668"
# where each file of `tb.cli.templates` goes
FILES = {
    "tb.yaml": "tb.yaml",
    "momentum.tb": "rules/momentum.tb",
    "triggers.tb": "rules/triggers.tb",
    "limits.tb": "policy/limits.tb",
    "limits.yaml": "policy/limits.yaml",
    "tests.tb": "tests/limits.tb",
}
IGNORED = "# what tb records: ledgers and reports\n.tb/\n"
SAMPLE = "data"
_NOT_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})  # which YAML reads as something else


@command("init", "tb init my-project --sample", "tb init .")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sample", is_flag=True, help="Also write the simulated sample market into DIR/data.")
@json_option
def tb_init(folder: Path, sample: bool, as_json: bool) -> None:
    """Write a small project to start from into DIR.

    It is named as the folder, and has settings, a strategy, and hard limits that lint clean, with tests of them.
    Nothing is overwritten: a folder that has a `tb.yaml`, or any of the files, is left as it is.
    """
    written = write_project(folder, sample=sample)
    if as_json:
        put_json({"folder": str(folder), "written": written})
        return
    for name in written:
        say(f"written: {folder / name}")
    put("next")
    for line in _next(folder, sample):
        put(f"  {line}")


def write_project(folder: Path, *, sample: bool) -> list[str]:
    """Writes the project and returns its files, relative to the folder. Raises Refused before anything is written."""
    texts = {path: resources.files("tb.cli.templates").joinpath(name).read_text("utf-8") for name, path in FILES.items()}
    texts["tb.yaml"] = texts["tb.yaml"].replace("name: my-project", f"name: {_name(folder)}", 1)
    findings = [_exists(folder, path) for path in texts if (folder / path).exists()]
    if sample and (folder / SAMPLE).exists():
        findings.append(_exists(folder, SAMPLE))
    if folder.exists() and not folder.is_dir():
        message = f"`{folder}` is a file, not a folder"
        findings = [error(EXISTS, message, whole_file(str(folder)), "name a folder that is empty or not there yet")]
    if findings:
        raise Refused(findings)
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
            texts[".gitignore"] = IGNORED
    except OSError as problem:
        reason = (problem.strerror or "the file system refused").lower()
        message = f"`{problem.filename or folder}` cannot be written: {reason}"
        raise Refused([error(UNWRITABLE, message, whole_file(str(folder)), "name a folder that you may write")]) from problem
    return [*texts, *(_sample(folder) if sample else ())]


def _name(folder: Path) -> str:
    """The folder's name as the settings write it: quoted where a plain word would be read as something else."""
    name = folder.resolve().name or "my-project"
    is_plain = re.fullmatch(r"[A-Za-z_][\w.-]*", name) and name.lower() not in _NOT_WORDS
    return name if is_plain else json.dumps(name, ensure_ascii=False)


def _exists(folder: Path, path: str) -> Diagnostic:
    place = str(folder / path)
    hint = (
        "name a folder without it; nothing was written"
        if path != "tb.yaml"
        else "this is a project already: `tb lint` checks it"
    )
    return error(EXISTS, f"`{place}` is there already and is not overwritten", whole_file(place), hint)


def _sample(folder: Path) -> list[str]:
    from tb.replay.sample import write_sample

    return [path.relative_to(folder).as_posix() for path in write_sample(folder / SAMPLE)]


def _next(folder: Path, sample: bool) -> list[str]:
    move = [] if folder.resolve() == Path.cwd() else [f"cd {folder}"]
    replay = f"tb replay --data {SAMPLE}" if sample else "tb replay --data FOLDER     # SYMBOL.parquet or SYMBOL.csv"
    return [*move, "tb lint", "tb test", replay, *(["tb report"] if not move else [])]
