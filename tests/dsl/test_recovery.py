"""All mistakes of a text are found in one run, none is invented, and no text whatever raises."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import INSERTED, answered
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tb.core.diagnostics import in_order
from tb.dsl.parse import parse, parse_expression

FOLDER = Path(__file__).resolve().parent.parent / "language" / "syntax"
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*/*.tb"))]


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
    answered(text, is_policy=is_policy)


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
