"""Programs of tests/language/check with their expected findings, or the nodes that mean them where there is nothing to refuse.

A program holds several files: a line `# --- rules/a.tb` begins one, `# --- tb.yaml` parameters, `# --- limits` limits,
`# --- as of` the instant that the check is made for.
`TB_RECORD=1` writes what the checker says now; the difference is then reviewed like code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tb.core.amount import Amount, parse_amount
from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, has_errors, in_order
from tb.core.time import parse_instant
from tb.dsl import checked
from tb.dsl.check import check_with_tests
from tb.dsl.parse import parse
from tb.engine.planning import plan

FOLDER = Path(__file__).resolve().parent.parent / "language" / "check"
GOOD = sorted((FOLDER / "good").glob("*.tb"))
BAD = sorted((FOLDER / "bad").glob("*.tb"))
# words of the machinery, which nobody who trades should have to know
FOREIGN = re.compile(
    r"\b(any|none|null|true_|nan|token|terminal|lark|python|dict|tuple|str|int|float|bool|decimal|object|node|expr\w*|"
    r"operand|const|enum|kind|NoneType|index|attribute|traceback)\b",
    re.IGNORECASE,
)


def files_of(text: str) -> dict[str, str]:
    parts = re.split(r"^# --- (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def pairs(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def run(text: str) -> tuple[checked.Program | None, list[Diagnostic], Mapping[str, str]]:
    files = files_of(text)
    overrides, limits = pairs(files.pop("tb.yaml", "")), pairs(files.pop("limits", ""))
    as_of = parse_instant(files.pop("as of", ""))
    amounts: dict[str, Amount] = {}
    for name, value in limits.items():
        amount = parse_amount(value)
        assert amount is not None
        amounts[name] = amount
    parsed = [parse(path, content, is_policy=path.startswith("policy/")) for path, content in files.items()]
    mistakes = [finding for _, findings in parsed for finding in findings]
    rules = [file for file, _ in parsed if not file.path.startswith("tests/")]
    asked = [file for file, _ in parsed if file.path.startswith("tests/")]
    program, _, findings = check_with_tests(rules, asked, limits=amounts, overrides=overrides, as_of=as_of)
    return None if has_errors(findings) else program, in_order([*mistakes, *findings]), files


def listed(findings: list[Diagnostic], files: Mapping[str, str]) -> str:
    """Each finding under the line it is about, with the stretch it marks."""
    shown = []
    for found in findings:
        span = found.span
        hint = f" | {found.hint}" if found.hint else ""
        line = files[span.file].split("\n")[span.line - 1] if span.file in files else ""
        width = span.end_column - span.column if span.end_line == span.line else len(line) - span.column + 1
        marked = f"{line}\n{' ' * (span.column - 1)}{'^' * max(1, width)}\n" if line else ""
        labels = "".join(f"\n  {label.span} {label.text}" for label in found.labels)
        shown.append(f"{marked}{span} {found.code} {found.message}{hint}{labels}\n")
    return "\n".join(shown)


def compare(program: Path, actual: str) -> None:
    recorded = program.with_suffix(".out")
    if os.environ.get("TB_RECORD"):
        recorded.write_text(actual, encoding="utf-8")
    assert actual == recorded.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_mistake_is_told_once_and_in_place(path: Path) -> None:
    program, findings, files = run(path.read_text(encoding="utf-8"))
    assert program is None
    compare(path, listed(findings, files))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_messages_are_in_the_words_of_the_language(path: Path) -> None:
    _, findings, _ = run(path.read_text(encoding="utf-8"))
    for found in findings:
        assert found.code in CODES
        for text in (found.message, found.hint):
            plain = re.sub(r"`[^`]*`", "``", text)
            assert not FOREIGN.search(plain), text
            assert not re.search(r"\ban? [aeiou]?\w* (?:an?|the)\b|\ba [aeio]", plain), text
        assert found.message[0] in "`" or not found.message[0].isupper()
        assert not found.message.endswith(".")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_sound_program_has_no_finding_and_can_be_planned(path: Path) -> None:
    program, findings, _ = run(path.read_text(encoding="utf-8"))
    assert findings == []
    assert program is not None
    graph = plan(program).graph
    lines = [
        f"{node.op} {' '.join(str(c) for c in node.consts)} {list(node.args)} {node.stage} back {node.look_back}"
        for node in graph.nodes
    ]
    compare(path, "".join(f"{at}: {' '.join(line.split())}\n" for at, line in enumerate(lines)))


def test_every_code_of_the_checker_has_a_program() -> None:
    sources = (Path(__file__).resolve().parents[2] / "tb" / "dsl" / "check").glob("*.py")
    codes = {
        code
        for source in sources
        if source.name != "echoes.py"
        for code in re.findall(r'"(TB\d{3})"', source.read_text(encoding="utf-8"))
    }
    shown = {found.code for path in BAD for found in run(path.read_text(encoding="utf-8"))[1]}
    # TB004 is for parts of the language that come later: its programs go when these come
    assert codes - shown - {"TB004"} == set()
