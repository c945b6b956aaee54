"""Texts with holes: what stands between, where the holes are, how values are shown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb.core.span import Span
from tb.dsl.syntax import Expr, Name, Text
from tb.dsl.template import Hole, parse_template, render_value

PLACE = Span("rules/a.tb", 4, 11, 4, 60)


def pieces(value: str) -> list[str | tuple[str, str]]:
    found, mistakes = parse_template(Text(value, PLACE))
    assert mistakes == []
    return [piece if isinstance(piece, str) else (_name(piece.expression), piece.spec) for piece in found]


def _name(expression: Expr) -> str:
    return expression.text if isinstance(expression, Name) else type(expression).__name__


def test_text_and_holes_alternate() -> None:
    assert pieces("volume {relative_volume:.1f}x, {spike.because}") == [
        "volume ",
        ("relative_volume", ".1f"),
        "x, ",
        ("spike.because", ""),
    ]
    assert pieces("{a}{b:+,.2%}") == [("a", ""), ("b", "+,.2%")]
    assert pieces("") == []


def test_double_braces_are_braces() -> None:
    assert pieces("{{x}} is {x}") == ["{x} is ", ("x", "")]


def test_a_colon_inside_parentheses_belongs_to_the_expression() -> None:
    assert pieces("{rsi(close, length: 14):.0f}") == [("Call", ".0f")]
    assert pieces("{rsi(close, length: 14)}") == [("Call", "")]


def test_a_hole_knows_its_place_behind_escaped_quotes() -> None:
    (first, hole), mistakes = parse_template(Text('a "b" {x + y}', PLACE))
    assert mistakes == []
    assert first == 'a "b" '
    assert isinstance(hole, Hole)
    assert hole.span == Span("rules/a.tb", 4, 20, 4, 27)  # each quote of the value takes two columns in the file
    assert hole.expression.span == Span("rules/a.tb", 4, 21, 4, 26)


@pytest.mark.parametrize(
    ("value", "code", "column"),
    [
        ("a } b", "TB025", 14),
        ("a { b", "TB025", 14),
        ("{}", "TB025", 12),
        ("{x:.99f}", "TB026", 14),
        ("{x:abc}", "TB026", 14),
        ("{x y}", "TB001", 15),
        ("{x =}", "TB011", 15),
    ],
)
def test_a_mistake_in_a_hole_has_its_place(value: str, code: str, column: int) -> None:
    _, mistakes = parse_template(Text(value, PLACE))
    assert [(mistake.code, mistake.span.line, mistake.span.column) for mistake in mistakes] == [(code, 4, column)]


@pytest.mark.parametrize(
    ("value", "spec", "shown"),
    [
        (0.0512, "+.1%", "+5.1%"),
        (-0.0512, ".0%", "-5%"),
        (1.23456, ".1f", "1.2"),
        (1.23456, "", "1.23456"),
        (123456.789, "", "123457"),
        (1234567.89, "", "1234568"),
        (1234567.89, ",", "1,234,568"),
        (1234567.891, ",.2f", "1,234,567.89"),
        (0.00001234, "", "0.00001234"),
        (3.0, "+", "+3"),
        (12.5, "%", "1250.00%"),
        (12.5, "f", "12.50"),
        (0.000123456, ".3g", "0.000123"),
        (-0.0001, ".2f", "0.00"),
        (Decimal("0.05"), ".1%", "5.0%"),
        (Decimal("1E+3"), "", "1000"),
        ("core", ".1f", "core"),
        (None, ".1f", "unknown"),
        (float("nan"), "", "unknown"),
        (float("inf"), ".2f", "unknown"),
    ],
)
def test_values_are_shown_for_people(value: float | Decimal | str | None, spec: str, shown: str) -> None:
    assert render_value(value, spec) == shown


SPECS = st.from_regex(r"\+?,?(\.[0-9])?[f%g]?", fullmatch=True) | st.text(max_size=4)


@given(st.floats() | st.none() | st.decimals(allow_nan=False, allow_infinity=False), SPECS)
@settings(max_examples=200)
def test_no_value_raises(value: float | Decimal | None, spec: str) -> None:
    assert render_value(value, spec)


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_no_text_raises(value: str) -> None:
    parse_template(Text(value, PLACE))
