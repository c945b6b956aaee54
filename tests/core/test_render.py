"""Findings as text: expected equals actual, and underlines stand where they should whatever the text holds."""

from __future__ import annotations

import json
import re
import unicodedata
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core import render
from tb.core.diagnostics import Diagnostic, Label, Severity, error, in_order, warning
from tb.core.render.excerpt import visible, width
from tb.core.span import Span, whole_file

RULES = "rules/x.tb"
SOURCE = """\
"Doc."

let a = close > 5 USD
\tlet 数 = 1
strategy s
  enter long
    when a
    and b
    size 1%
    stop 2%
"""
SOURCES = {RULES: SOURCE, "policy/limits.tb": "limit a 1"}


def at(line: int, column: int, end_line: int, end_column: int, file: str = RULES) -> Span:
    return Span(file, line, column, end_line, end_column)


def shown(*findings: Diagnostic) -> str:
    return render.human(findings, SOURCES).rsplit("\n\n", 1)[0] + "\n"


def test_a_finding_with_labels_here_and_elsewhere() -> None:
    labels = [Label(at(3, 17, 3, 22), "this is money"), Label(at(1, 7, 1, 8, "policy/limits.tb"), "as here")]
    finding = error("TB101", "a price cannot be compared with money", at(3, 9, 3, 22), "write `60_000 USD/BTC`", labels)
    assert shown(finding) == dedent("""\
        error[TB101]: a price cannot be compared with money
         --> rules/x.tb:3:9
          |
        3 | let a = close > 5 USD
          |         ^^^^^^^^^^^^^
          |                 ----- this is money
         ::: policy/limits.tb:1:7: as here
          |
        1 | limit a 1
          |       -
          = hint: write `60_000 USD/BTC`
        """)


def test_tabs_and_wide_letters_move_the_underline() -> None:
    finding = warning("TB509", "`数` is never used", at(4, 6, 4, 7), labels=[Label(at(8, 5, 8, 10), "not here")])
    assert shown(finding) == dedent("""\
        warning[TB509]: `数` is never used
         --> rules/x.tb:4:6
          |
        4 |     let 数 = 1
          |         ^^
        ...
        8 |     and b
          |     ----- not here
        """)


def test_one_line_between_two_places_is_shown() -> None:
    finding = error("TB104", "cannot both be true", at(6, 9, 6, 13), labels=[Label(at(8, 9, 8, 10), "and this")])
    assert shown(finding) == dedent("""\
        error[TB104]: cannot both be true
         --> rules/x.tb:6:9
          |
        6 |   enter long
          |         ^^^^
        7 |     when a
        8 |     and b
          |         - and this
        """)


def test_a_short_span_shows_each_of_its_lines() -> None:
    assert shown(error("TB301", "no stop", at(6, 3, 8, 8))) == dedent("""\
        error[TB301]: no stop
         --> rules/x.tb:6:3
          |
        6 |   enter long
          |   ^^^^^^^^^^
        7 |     when a
          |     ^^^^^^
        8 |     and b
          |     ^^^
        """)


def test_a_long_span_shows_its_ends() -> None:
    assert shown(error("TB301", "no stop", at(6, 3, 11, 1))) == dedent("""\
        error[TB301]: no stop
          --> rules/x.tb:6:3
           |
         6 |   enter long
           |   ^^^^^^^^^^
        ...
        10 |     stop 2%
           |     ^^^^^^^
        """)


def test_the_end_of_the_file_is_a_place() -> None:
    assert shown(error("TB001", "the file ends too early", at(11, 1, 11, 1))) == dedent("""\
        error[TB001]: the file ends too early
          --> rules/x.tb:11:1
           |
        11 |
           | ^
        """)


def test_a_file_without_text_has_no_excerpt() -> None:
    finding = error("TB660", "there is no `tb.yaml` here", whole_file("tb.yaml"), "run `tb init`")
    assert shown(finding) == dedent("""\
        error[TB660]: there is no `tb.yaml` here
         --> tb.yaml:1:1
          = hint: run `tb init`
        """)


def test_the_order_is_by_place_and_repeats_are_dropped() -> None:
    late, early = error("TB101", "late", at(6, 3, 6, 8)), warning("TB509", "early", at(3, 5, 3, 6))
    assert render.plain([late, early, late]).splitlines() == [
        "rules/x.tb:3:5: warning[TB509]: early",
        "rules/x.tb:6:3: error[TB101]: late",
    ]


def test_the_closing_line_counts() -> None:
    hint = Diagnostic("TB403", Severity.HINT, "a number", at(3, 5, 3, 6))
    findings = [
        error("TB101", "a", at(1, 1, 1, 2)),
        error("TB102", "b", at(1, 1, 1, 2, "other.tb")),
        warning("TB509", "c", at(1, 1, 1, 2, "third.tb")),
    ]
    assert render.summary(findings) == "2 errors, 1 warning in 3 files"
    assert render.summary([*findings[:1], hint]) == "1 error, 1 hint in 1 file"
    assert render.human(findings, SOURCES).endswith("\n\n2 errors, 1 warning in 3 files")
    assert render.human([], SOURCES) == "no findings in 2 files"
    assert render.human([], {}) == "no findings"


def test_json_is_stable() -> None:
    finding = error("TB101", "`数` does not fit", at(3, 9, 3, 22), "write `5%`", [Label(at(3, 17, 3, 22), "this")])
    text = render.json([finding])
    assert json.loads(text) == [
        {
            "code": "TB101",
            "severity": "error",
            "message": "`数` does not fit",
            "file": RULES,
            "line": 3,
            "column": 9,
            "end_line": 3,
            "end_column": 22,
            "hint": "write `5%`",
            "labels": [{"message": "this", "file": RULES, "line": 3, "column": 17, "end_line": 3, "end_column": 22}],
        }
    ]
    fields = ["code", "severity", "message", "file", "line", "column", "end_line", "end_column", "hint", "labels"]
    assert list(json.loads(text)[0]) == fields
    assert "数" in text
    assert render.json([]) == "[]"


def test_user_text_cannot_steer_the_terminal() -> None:
    source = "let \x1b[2Ja\u202e = 1\n"
    finding = error("TB102", "nothing is called `\x1b[2J\n`", at(1, 5, 1, 10, "a\x1b.tb"), "write `\u2066`")
    for text in (render.human([finding], {"a\x1b.tb": source}), render.plain([finding])):
        assert not [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Zl", "Zp"}]
        assert not [c for c in text if unicodedata.bidirectional(c) in {"RLO", "LRI"}]
    assert len(render.plain([finding]).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("数据", 4), ("e\u0301", 1), ("a\u200bb", 2), ("ﾊ", 1), ("Ａ", 2), ("", 0)]
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


TEXTS = st.text(alphabet=st.sampled_from(list("ab \t数é\u0301\x1b\u202eＡ.")), max_size=12)


@st.composite
def sources_with_findings(draw: st.DrawFn) -> tuple[str, list[Diagnostic]]:
    lines = draw(st.lists(TEXTS, min_size=1, max_size=9))
    findings = []
    for number in range(draw(st.integers(1, 4))):
        line = draw(st.integers(1, len(lines) + 1))
        end_line = draw(st.integers(line, len(lines) + 1))
        column = draw(st.integers(1, 14))
        end_column = draw(st.integers(column if line == end_line else 1, 16))
        findings.append(error(f"TB10{number}", draw(TEXTS), at(line, column, end_line, end_column), draw(TEXTS)))
    return "\n".join(lines), findings


@given(sources_with_findings())
def test_colour_changes_nothing_but_colour(case: tuple[str, list[Diagnostic]]) -> None:
    source, findings = case
    coloured = render.human(findings, {RULES: source}, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render.human(findings, {RULES: source})


@given(TEXTS, st.data())
def test_the_underline_stands_under_what_it_means(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    finding = error("TB101", "here", at(1, start + 1, 1, end + 1))
    marks = [row for row in render.human([finding], {RULES: line}).splitlines() if re.fullmatch(r"  \| *\^+", row)]
    assert len(marks) == 1
    row = marks[0].removeprefix("  | ")
    assert len(row) - len(row.lstrip()) == width(visible(line[:start]))
    assert row.count("^") == max(1, width(visible(line[start:end])))


@given(sources_with_findings())
def test_every_finding_is_shown_once_in_order(case: tuple[str, list[Diagnostic]]) -> None:
    source, findings = case
    heads = re.findall(r"^error\[(TB\d{3})\]", render.human(findings, {RULES: source}), re.MULTILINE)
    assert heads == [finding.code for finding in in_order(findings)]
