"""All mistakes of a text are found in one run, none is invented, and no text whatever raises."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tb.core.diagnostics import in_order
from tb.dsl.format import format_file
from tb.dsl.parse import parse, parse_expression
from tb.dsl.syntax import File

FOLDER = Path(__file__).resolve().parent.parent / "language" / "syntax"
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*/*.tb"))]
INSERTED = [
    *("when", "and", "or", "not", "(", ")", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "\t", "#", '"', "\\", "'"),
    *("5%", "3 bars", "10k USD", "BTC-USD", "..", "=", "==", "<", "@", "of", "at", "in", "is", "for", "because", ":", ","),
    *("“", "–", "é", "\x00", "\u2028", "\r", "\ufeff", "\ud800", "9" * 40, "1e9", "size", "enter long when x", "trigger y"),
    *("|", "during", "leg", "08:00", "2026-12-31", "2026-13-41", "table t", 'test "t"', "expect", "any", "+3 when x", "x 3"),
]
WORDS_OF_THE_MACHINE = ("_NL", "_INDENT", "_DEDENT", "$END", "LPAR", "Token", "__ANON", "Traceback", "lark")


def found(text: str, *, is_policy: bool = False) -> list[tuple[int, str]]:
    _, mistakes = parse("a.tb", text, is_policy=is_policy)
    return [(mistake.span.line, mistake.code) for mistake in mistakes]


def test_a_mistake_hides_none_in_other_declarations() -> None:
    file, mistakes = parse("a.tb", "let a = = 1\nlet b = 2\nlet c 3\ntrigger d\n  when x\nlet e = (\n", is_policy=False)
    assert [mistake.span.line for mistake in mistakes] == [1, 3, 6]
    assert [type(declaration).__name__ for declaration in file.declarations] == ["Let", "Trigger"]


def test_every_bad_line_of_a_block_is_told() -> None:
    text = (
        "strategy s on u evry 1h\n  enter long when a b\n    size 5 pct of equity\n    stop 8% bellow entry\n"
        "  exit whn c\n  hold 72h\n  exit when d\n"
    )
    assert [line for line, _ in found(text)] == [1, 2, 3, 4, 5, 6]


def test_taking_a_line_out_invents_no_missing_line() -> None:
    assert found("trigger t\n  when a b\n") == [(2, "TB001")]
    assert found("strategy s on u every 1h\n  enter long a\n") == [(2, "TB002")]
    assert found("universe u\n  tier core were x\n") == [(2, "TB002")]
    assert found("score s of 10\n  3 when x\n") == [(2, "TB002")]
    assert found('test "t"\n  expect reject bye thin\n') == [(2, "TB002")]
    assert found("table t\n  a | | b\n  1 | 2\n") == [(2, "TB002")]


def test_a_missing_line_is_told() -> None:
    assert found("trigger t\n  confidence 0.7\n") == [(1, "TB019")]
    assert found("strategy s on u every 1h\n  exit when x\n") == [(1, "TB019")]
    assert found("universe u\n  only when x\n") == [(1, "TB019")]


def test_a_mistake_that_is_mended_is_told_once_and_the_rest_is_still_read() -> None:
    assert found("let a = x && y && z\nlet b = x =< 3 or (y\n") == [(1, "TB011"), (1, "TB011"), (2, "TB011"), (2, "TB009")]


def test_a_declaration_with_a_mistake_is_left_out() -> None:
    file, mistakes = parse("a.tb", "let a = x => 1\nlet b = close[-1]\nlet Big = 1\n", is_policy=False)
    assert len(mistakes) == 3
    assert file.declarations == ()


def test_an_entry_without_direction_and_legs_is_told_once_and_the_rest_is_still_read() -> None:
    assert found("strategy s on u every 1h\n  enter when x\n    size 5%\n  hold 72h\n") == [(2, "TB002"), (4, "TB002")]
    assert found("strategy s on u every 1h\n  enter when y\n    leg buy spot 5%\n") == [(2, "TB019")]


def test_one_tab_is_told_for_each_declaration() -> None:
    assert found("trigger a\n\twhen x\n\tbecause 5\ntrigger b\n\twhen x\n") == [(2, "TB005"), (5, "TB005")]


def test_mistakes_come_in_order_of_place() -> None:
    for text in PROGRAMS:
        _, mistakes = parse("a.tb", text, is_policy=False)
        assert mistakes == in_order(mistakes)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(PROGRAMS))
    start = draw(st.integers(0, max(0, len(text) - 1)))
    text = text[start : start + 600]
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.sampled_from([0, 0, 1, 3, 20]))
        text = text[:at] + draw(st.sampled_from(INSERTED) | st.text(max_size=3)) + text[at + cut :]
    return text


@given(mutated(), st.booleans())
@settings(max_examples=300)
@example("", False)
@example("\\", True)
@example("trigger", False)
@example("trigger x\n  \n\t", False)
def test_no_text_raises_and_every_mistake_has_a_place_and_plain_words(text: str, is_policy: bool) -> None:
    file, mistakes = parse("a.tb", text, is_policy=is_policy)
    lines = text.count("\n") + 1
    for mistake in mistakes:
        span = mistake.span
        assert 1 <= span.line <= span.end_line <= lines + 1
        assert (span.line, 1) <= (span.line, span.column) < (span.end_line, span.end_column + 1)
        said = mistake.message + mistake.hint
        assert not [word for word in WORDS_OF_THE_MACHINE if word in said and word not in text]
        assert not mistake.message.endswith(".")
    if not mistakes:
        _holds(file, is_policy)


def _holds(file: File, is_policy: bool) -> None:
    formatted = format_file(file)
    again, mistakes = parse(file.path, formatted, is_policy=is_policy)
    assert mistakes == []
    assert again == file
    assert format_file(again) == formatted
    assert sorted(comment.text for comment in again.comments) == sorted(comment.text for comment in file.comments)


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_no_expression_raises(text: str) -> None:
    expression, mistakes = parse_expression(text, "a.tb", 3, 5)
    assert (expression is None) == bool(mistakes)


@pytest.mark.parametrize("text", ["", " ", "\n", "\t", "#", "# only\n\n", "\ufeff"])
def test_a_file_without_declarations_is_no_mistake(text: str) -> None:
    file, mistakes = parse("a.tb", text, is_policy=True)
    assert mistakes == []
    assert file.declarations == ()
