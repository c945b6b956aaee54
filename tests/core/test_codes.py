"""The table of codes is complete, has nothing dead in it, and the page made from it is up to date."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

from tb.analysis.later import LATER
from tb.analysis.refused import REFUSED
from tb.core.codes import CODES, RANGES, Code, range_of

CODE = re.compile(r"TB\d{3}")


def codes_in(source: str, name: str = "") -> set[str]:
    """Codes that stand alone as a string in the program (not those that a sentence mentions)."""
    return {
        node.value
        for node in ast.walk(ast.parse(source, name))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def used_codes(root: Path) -> dict[str, str]:
    used: dict[str, str] = {}
    for path in sorted((root / "tb").rglob("*.py")):
        if path != root / "tb" / "core" / "codes.py":
            for code in sorted(codes_in(path.read_text(encoding="utf-8"), str(path))):
                used.setdefault(code, path.relative_to(root).as_posix())
    return used


def test_the_scan_sees_codes_and_nothing_else() -> None:
    assert codes_in('"""TB001 in words"""\nx = error("TB101", "see TB102")\ny = {"TB103": 1}') == {"TB101", "TB103"}


def test_every_code_in_use_is_in_the_table(root: Path) -> None:
    unknown = {code: where for code, where in used_codes(root).items() if code not in CODES}
    elsewhere = {**dict.fromkeys(REFUSED, "tb/analysis/refused.py"), **dict.fromkeys(LATER, "tb/analysis/later.py")}
    assert unknown == elsewhere


def test_every_code_in_the_table_is_in_use(root: Path) -> None:
    assert sorted(set(CODES) - set(used_codes(root))) == []


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_a_row_is_fit_to_print(row: Code) -> None:
    assert CODE.fullmatch(row.code)
    assert row.title == row.title.strip()
    assert row.title[0].islower() or row.title[0] == "`"
    assert not row.title.endswith(".")
    assert row.meaning.endswith(".")
    assert row.meaning[0].isupper() or row.meaning[0] == "`"
    assert row.example_hint
    assert not row.example_hint.endswith(".")
    assert range_of(row.code)


def test_codes_are_unique_and_in_order() -> None:
    rows = [row.code for row in CODES.values()]
    assert rows == sorted(rows)
    assert all(code == row.code for code, row in CODES.items())
    assert [first for first, _ in RANGES] == sorted({first for first, _ in RANGES})


def test_titles_are_unique() -> None:
    titles = [row.title for row in CODES.values()]
    assert len(titles) == len(set(titles))


def test_no_code_is_listed_twice(root: Path) -> None:
    text = (root / "tb" / "core" / "codes.py").read_text(encoding="utf-8")
    codes = re.findall(r'^        "(TB\d{3})",$', text, re.MULTILINE)
    assert len(codes) == len(set(codes)) == len(CODES)


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("TB001", "How a file is written"),
        ("TB062", "Names and kinds of values"),
        ("TB641", "Market data"),
        ("TB899", "Alerts, metrics and logs"),
    ],
)
def test_a_code_stands_in_its_range(code: str, title: str) -> None:
    assert range_of(code) == title


def test_the_page_of_messages_is_up_to_date(root: Path) -> None:
    page = runpy.run_path(str(root / "docs" / "generate.py"))["errors_page"]()
    assert (root / "docs" / "errors.md").read_text(encoding="utf-8") == page, "run python docs/generate.py"
