"""Names of other libraries: each is told how tb says it, in an expression that checks."""

from __future__ import annotations

import pytest
from test_examples import planned

from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.other_names import _SAID, said_as
from tb.vocabulary.pointwise import POINTWISE

KNOWN = {name: function.example for name, function in FUNCTIONS.items()}


def test_no_name_of_the_vocabulary_is_taken_for_another() -> None:
    assert not set(_SAID) & {*FUNCTIONS, *POINTWISE, *FIELDS}


@pytest.mark.parametrize("expression", sorted(set(_SAID.values())))
def test_what_is_told_can_be_said(expression: str) -> None:
    planned(f"{expression}.adx" if expression == "adx(14)" else expression)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bbands", "bollinger(close, 20, 2)"),
        ("WILLR", "williams_r(14)"),
        ("RSI", "rsi(close, 14)"),
        ("ta.rsi", "rsi(close, 14)"),
        ("talib.CDLHAMMER", KNOWN["hammer"]),
        ("CDL3WHITESOLDIERS", "three_white_soldiers()"),
        ("CDLPIERCING", "piercing_line()"),
        ("zzz", None),
    ],
)
def test_said_as(name: str, told: str | None) -> None:
    assert said_as(name, KNOWN) == told


def test_the_finding_names_the_edit() -> None:
    file, problems = parse("rules/r.tb", "let wide = bbands(close, 20) > 2\n", is_policy=False)
    _, found = check([file])
    assert problems == []
    assert [(one.code, one.hint) for one in found] == [("TB102", "write it as in `bollinger(close, 20, 2)`")]
