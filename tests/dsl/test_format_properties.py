"""Formatting loses nothing, and formatting again changes nothing, for any tree that can be written."""

from __future__ import annotations

import random

from answers import formatted_and_read, with_comments
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
    formatted_and_read(file)


@given(programs(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_comments_are_kept_whatever_the_layout(file: File, chance: random.Random) -> None:
    text = with_comments(format_file(file), chance)
    read, mistakes = parse(file.path, text, is_policy=file.is_policy)
    assert mistakes == []
    assert read == file
    formatted_and_read(read)
