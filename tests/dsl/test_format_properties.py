"""Formatting loses nothing, and formatting again changes nothing, for any tree that can be written."""

from __future__ import annotations

import random

from generate import expressions, programs
from hypothesis import given, settings
from hypothesis import strategies as st

from tb.dsl.format import format_file
from tb.dsl.format_expression import spell
from tb.dsl.parse import parse, parse_expression
from tb.dsl.syntax import Expr, File


@given(expressions())
@settings(max_examples=200)
def test_an_expression_is_read_back_as_it_was_spelled(expression: Expr) -> None:
    read, mistakes = parse_expression(spell(expression), "generated", 1, 1)
    assert mistakes == []
    assert read == expression


@given(programs())
@settings(max_examples=60)
def test_a_file_is_read_back_as_it_was_formatted(file: File) -> None:
    text = format_file(file)
    read, mistakes = parse(file.path, text, is_policy=file.is_policy)
    assert mistakes == []
    assert read == file
    assert format_file(read) == text


@given(programs(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_comments_are_kept_whatever_the_layout(file: File, chance: random.Random) -> None:
    text = _strew_comments(format_file(file), chance)
    read, mistakes = parse(file.path, text, is_policy=file.is_policy)
    assert mistakes == []
    assert read == file
    formatted = format_file(read)
    again, mistakes = parse(file.path, formatted, is_policy=file.is_policy)
    assert mistakes == []
    assert again == file
    assert sorted(comment.text for comment in again.comments) == sorted(comment.text for comment in read.comments)
    assert format_file(again) == formatted


def _strew_comments(text: str, chance: random.Random) -> str:
    """Comments at the ends of lines and on lines of their own, and blank lines, in any column."""
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        if chance.random() < 0.2:
            lines.append(" " * chance.choice([0, 0, 2, 4, 7]) + f"# alone {number}")
        if chance.random() < 0.15:
            lines.append("")
        lines.append(line + (f" # beside {number}" if chance.random() < 0.2 else ""))
    return "\n".join(lines)
