"""Programs of tests/language/syntax with their expected canonical layout or their expected findings.

`TB_RECORD=1` writes what the parser says now; the difference is then reviewed like code.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tb.core.diagnostics import Diagnostic
from tb.dsl.format import format_file
from tb.dsl.parse import parse

FOLDER = Path(__file__).resolve().parent.parent / "language" / "syntax"
GOOD = sorted((FOLDER / "good").glob("*.tb"))
BAD = sorted((FOLDER / "bad").glob("*.tb"))


def is_policy(program: Path) -> bool:
    return program.name.startswith("policy_")


def compare(program: Path, actual: str) -> None:
    recorded = program.with_suffix(".out")
    if os.environ.get("TB_RECORD"):
        recorded.write_text(actual, encoding="utf-8")
    assert actual == recorded.read_text(encoding="utf-8")


def listed(findings: list[Diagnostic], text: str) -> str:
    """Each finding under the line it is about, with the stretch it marks."""
    lines = text.split("\n")
    shown = []
    for found in findings:
        span = found.span
        width = span.end_column - span.column if span.end_line == span.line else 1
        mark = " " * (span.column - 1) + "^" * max(1, width)
        hint = f" | {found.hint}" if found.hint else ""
        shown.append(f"{lines[span.line - 1]}\n{mark}\n{span.line}:{span.column} {found.code} {found.message}{hint}\n")
    return "\n".join(shown)


@pytest.mark.parametrize("program", GOOD, ids=lambda path: path.stem)
def test_a_good_program_has_one_canonical_layout(program: Path) -> None:
    text = program.read_text(encoding="utf-8")
    file, mistakes = parse(program.name, text, is_policy=is_policy(program))
    assert mistakes == []
    canonical = format_file(file)
    compare(program, canonical)
    again, mistakes = parse(program.name, canonical, is_policy=is_policy(program))
    assert mistakes == []
    assert again == file
    assert format_file(again) == canonical
    assert sorted(comment.text for comment in again.comments) == sorted(comment.text for comment in file.comments)


@pytest.mark.parametrize("program", BAD, ids=lambda path: path.stem)
def test_every_mistake_is_told_once_and_in_place(program: Path) -> None:
    text = program.read_text(encoding="utf-8")
    _, mistakes = parse(program.name, text, is_policy=is_policy(program))
    assert mistakes
    compare(program, listed(mistakes, text))
