"""The corpus of the linter: what it finds of defects put into sound programs, and what it says of sound ones.

`tests/language/corpus` holds `clean` programs written by hand, as `lint_samples` has them, and `seeds`: small edits of them.
`== TB104 NAME: WORDS` begins a defect in the program NAME, which has to get that code; `== near TB104 NAME: WORDS` an edit that
comes close to one and must not get it. Of the lines below, `- LINE` names a line of the program (spaces do not count), `+ LINE`
stands for it or below it, and `> LINE` stands at the end. `seeded` and `near` hold the programs that come of this, each telling
in its first lines what was done to which.

`python tests/analysis/corpus.py` prints what is found, rule by rule; `--write` writes the programs anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from click.testing import CliRunner
from lint_samples import UNFORMATTED, findings_of

from tb.analysis.lint import RULES
from tb.analysis.refused import REFUSED
from tb.cli import tb
from tb.cli.init import write_project
from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, Severity

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "language" / "corpus"
TECHNIQUE: Mapping[str, str] = {rule.code: rule.technique for rule in RULES}
CHECKER = "checker"  # units, names and meaning: said before any rule of the catalogue looks
_EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/tb.yaml"))
PROJECTS = {"the default project": ROOT, **{f"examples/{p.name}": p for p in _EXAMPLES}}


@dataclass(frozen=True)
class Seed:
    """An edit of a clean program: a defect that gets `code`, or what only comes near to it."""

    code: str
    program: str
    words: str
    near: bool
    lines: tuple[str, ...]

    def text(self) -> str:
        """The program with the edit, under two lines that say what was done."""
        said = f"# near {self.code}" if self.near else f"# seeded {self.code}"
        return f"{said}: {self.words}\n# from clean/{self.program}.tb\n{edited(clean(self.program), self.lines)}"


@cache
def clean(program: str) -> str:
    return (FOLDER / "clean" / f"{program}.tb").read_text(encoding="utf-8")


def edited(text: str, edits: tuple[str, ...]) -> str:
    """A program after an edit; every line that the edit names has to stand in it exactly once."""
    lines = text.splitlines()
    at, indent = -1, ""
    for edit in edits:
        sign, said = edit[:1], edit[2:]
        if sign == "-":
            found = [number for number, line in enumerate(lines) if line.split() == said.split()]
            if len(found) != 1:
                raise ValueError(f"{len(found)} lines are `{said}`")
            at = found[0]
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            del lines[at]
        elif sign == "+":
            lines.insert(at, indent + said if said else "")
            at += 1
        elif sign == ">":
            lines.append(said)
        else:
            raise ValueError(f"`{edit}` begins with none of `-`, `+`, `>`")
    return "\n".join(lines) + "\n"


def seeds() -> dict[str, Seed]:
    """Every seed by the path of its program inside the corpus."""
    found: dict[str, Seed] = {}
    for path in sorted((FOLDER / "seeds").glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("\n== ")[1:]:
            head, *lines = block.rstrip().splitlines()
            named, _, words = head.partition(": ")
            near = named.startswith("near ")
            code, program = named.removeprefix("near ").split()
            seed = Seed(code, program, words, near, tuple(line for line in lines if line))
            kind = "near" if near else "seeded"
            number = 1 + sum(each.startswith(f"{kind}/{code}_") for each in found)
            found[f"{kind}/{code}_{number:02}_{program}.tb"] = seed
    return found


def programs(kind: str) -> dict[str, str]:
    """The programs of a folder of the corpus, by path inside it."""
    paths = sorted((FOLDER / kind).glob("*.tb"))
    return {f"{kind}/{path.name}": path.read_text(encoding="utf-8") for path in paths}


@cache
def look(text: str, *, of_layout: bool = False) -> tuple[Diagnostic, ...]:
    """What the linter says of a program; of its layout only where that is asked for."""
    return tuple(findings_of(text, levels={UNFORMATTED: Severity.HINT} if of_layout else None))


def gets(text: str, code: str) -> bool:
    """Whether a program gets a code: the rule's, or of what cannot be written one of those that refuse it."""
    codes = {finding.code for finding in look(text, of_layout=code == UNFORMATTED)}
    return bool(codes & set(REFUSED[code].by)) if code in REFUSED else code in codes


def technique(code: str) -> str:
    return TECHNIQUE.get(code, CHECKER)


@dataclass
class Recall:
    """How many defects were put in and found, by code, and which programs were missed."""

    seeded: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def of(self, chosen: Callable[[str], bool]) -> tuple[int, int]:
        codes = [code for code in self.seeded if chosen(code)]
        return sum(self.seeded[code] for code in codes), sum(self.found[code] for code in codes)


@cache
def recall() -> Recall:
    """What the linter finds of every seeded program."""
    result = Recall()
    for path, text in programs("seeded").items():
        code = path.removeprefix("seeded/").split("_")[0]
        hit = gets(text, code)
        result.seeded[code] = result.seeded.get(code, 0) + 1
        result.found[code] = result.found.get(code, 0) + hit
        result.missed += [] if hit else [path]
    return result


@cache
def of_clean() -> dict[str, list[tuple[str, str]]]:
    """Codes and severities of what is said of each sound program and project."""
    said = {
        path: [(finding.code, str(finding.severity)) for finding in look(text)]
        for kind in ("clean", "near")
        for path, text in programs(kind).items()
    }
    with tempfile.TemporaryDirectory() as name:
        template = Path(name) / "template"
        template.mkdir()
        write_project(template, sample=False)
        for called, folder in {**PROJECTS, "the template": template}.items():
            answer = CliRunner().invoke(tb, ["lint", "--project", str(folder), "--json"])
            findings = json.loads(answer.stdout)["findings"]
            said[called] = [(finding["code"], finding["severity"]) for finding in findings]
    return said


def table() -> Iterator[str]:
    """What is found, rule by rule and technique by technique, for people."""
    result, said = recall(), of_clean()
    yield f"{'rule':<8}{'technique':<12}{'seeded':>8}{'found':>8}{'recall':>9}  title"
    for code in sorted(result.seeded):
        title = REFUSED[code].title if code in REFUSED else CODES[code].title
        yield f"{code:<8}{technique(code):<12}" + _share(result.seeded[code], result.found[code]) + f"  {title}"
    for name in sorted({technique(code) for code in result.seeded}):
        yield f"{'all':<8}{name:<12}" + _share(*result.of(lambda code, name=name: technique(code) == name))  # type: ignore[misc]
    yield f"{'all':<8}{'':<12}" + _share(*result.of(lambda _: True))
    yield from (f"missed: {path}" for path in result.missed)
    levels = [level for found in said.values() for _, level in found]
    yield (
        f"{len(said)} sound programs: {levels.count('error')} errors, {levels.count('warning')} warnings,"
        f" {levels.count('hint')} hints"
    )
    for path, found in said.items():
        for code, level in found:
            if level != "hint":
                yield f"said of {path}: {level} {code}"


def _share(seeded: int, found: int) -> str:
    return f"{seeded:>8}{found:>8}{found / seeded:>9.1%}"


def write() -> None:
    """Write the programs that come of the seeds, and remove those of none."""
    made = seeds()
    for kind in ("seeded", "near"):
        (FOLDER / kind).mkdir(exist_ok=True)
        for path in (FOLDER / kind).glob("*.tb"):
            if f"{kind}/{path.name}" not in made:
                path.unlink()
    for path, seed in made.items():
        (FOLDER / path).write_text(seed.text(), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python tests/analysis/corpus.py", description="what the linter finds of seeded defects"
    )
    parser.add_argument("--write", action="store_true", help="write the seeded programs anew")
    if parser.parse_args().write:
        write()
    sys.stdout.writelines(f"{line}\n" for line in table())


if __name__ == "__main__":
    main()
