"""What a text means: values, precedence, places, and what a file remembers."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from generate import expressions
from hypothesis import given, settings

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.format_expression import spell
from tb.dsl.parse import RESERVED, parse, parse_expression
from tb.dsl.reading import MAX_DEPTH
from tb.dsl.syntax import Expr

AT = Span("f", 1, 1, 1, 1)


def read(text: str) -> Expr:
    expression, mistakes = parse_expression(text, "f", 1, 1)
    assert mistakes == []
    assert expression is not None
    return expression


def name(text: str) -> syntax.Name:
    return syntax.Name(tuple(text.split(".")), AT)


@pytest.mark.parametrize(
    ("text", "value", "unit", "spelled"),
    [
        ("5%", "5", "%", "5%"),
        ("5 %", "5", "%", "5%"),
        ("20 bps", "20", "bps", "20bps"),
        ("1_000", "1000", None, "1_000"),
        ("0.10", "0.10", None, "0.10"),
        ("24h", "24", "h", "24h"),
        ("15m", "15", "m", "15m"),
        ("3bars", "3", "bars", "3 bars"),
        ("1 bars", "1", "bars", "1 bar"),
        ("2 pips", "2", "pips", "2 pips"),
        ("2.5R", "2.5", "R", "2.5R"),
        ("10k  USD", "10000", "USD", "10k USD"),
        ("20M USD", "20000000", "USD", "20M USD"),
        ("2B", "2000000000", None, "2B"),
        ("1.5k", "1500", None, "1.5k"),
        ("60_000 USD/BTC", "60000", "USD/BTC", "60_000 USD/BTC"),
        ("0.01 BTC", "0.01", "BTC", "0.01 BTC"),
    ],
)
def test_numbers_are_exact_and_know_their_unit(text: str, value: str, unit: str | None, spelled: str) -> None:
    number = read(text)
    assert isinstance(number, syntax.Number)
    assert (number.value, number.unit, number.text) == (Decimal(value), unit, spelled)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a + b of BTC-USD", "a + (b of BTC-USD)"),
        ("2 * 5% of equity", "2 * (5% of equity)"),
        ("-5% of equity", "-(5% of equity)"),
        ("3% of equity at day_start", "3% of (equity at day_start)"),
        ("5% of exposure of BTC-USD", "5% of (exposure of BTC-USD)"),
        ("close[1] of BTC-USD", "(close[1]) of BTC-USD"),
        ("close of BTC-USD - close of ETH-USD", "(close of BTC-USD) - (close of ETH-USD)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("-a * b", "(-a) * b"),
        ("a or b and not c > d", "a or (b and (not (c > d)))"),
        ("not a > b for 3 bars", "not ((a > b) for 3 bars)"),
        ("a > b for 3 bars within 6h", "((a > b) for 3 bars) within 6h"),
        ("a crosses above b + 1 and c", "(a crosses above (b + 1)) and c"),
        ("a not in 1..2", "not (a in 1..2)"),
    ],
)
def test_what_binds_closer(text: str, same: str) -> None:
    assert read(text) == read(same)


def test_an_instrument_is_told_apart_from_a_subtraction() -> None:
    assert read("close of BTC-USD") == syntax.Of(name("close"), syntax.Symbol("BTC-USD", AT), AT)
    assert read("btc-usd") == syntax.Binary("-", name("btc"), name("usd"), AT)
    assert read("close-1") == syntax.Binary("-", name("close"), read("1"), AT)


def test_a_word_that_begins_like_an_operator_is_a_name() -> None:
    both = read("andy and order_age or iffy and notional")
    assert both == syntax.Binary(
        "or",
        syntax.Binary("and", name("andy"), name("order_age"), AT),
        syntax.Binary("and", name("iffy"), name("notional"), AT),
        AT,
    )


def test_an_output_of_a_call_is_a_part_and_a_dotted_name_is_a_name() -> None:
    assert isinstance(read("macd(close).signal"), syntax.Part)
    assert read("spike.because") == syntax.Name(("spike", "because"), AT)


def test_an_expression_knows_its_place_in_the_file() -> None:
    expression, mistakes = parse_expression("close > open", "rules/a.tb", 7, 12)
    assert mistakes == []
    assert expression is not None
    assert expression.span == Span("rules/a.tb", 7, 12, 7, 24)
    _, mistakes = parse_expression("close >", "rules/a.tb", 7, 12)
    assert [str(mistake.span) for mistake in mistakes] == ["rules/a.tb:7:19"]


def every_expression(node: object) -> list[Expr]:
    found: list[Expr] = [node] if isinstance(node, Expr) else []
    if isinstance(node, tuple):
        for child in node:
            found += every_expression(child)
    elif hasattr(node, "__dataclass_fields__") and not isinstance(node, Span):
        for one in fields(node):  # type: ignore[arg-type]
            found += every_expression(getattr(node, one.name))
    return found


@given(expressions())
@settings(max_examples=60)
def test_the_place_of_every_part_holds_what_says_it(expression: Expr) -> None:
    text = spell(expression)
    for part in every_expression(read(text)):
        said = text[part.span.column - 1 : part.span.end_column - 1]
        again, mistakes = parse_expression(said, "f", 1, 1)
        assert mistakes == []
        assert again == part


def test_require_is_read_after_the_kind_of_the_file() -> None:
    rules, mistakes = parse("a.tb", "require fast < slow\n", is_policy=False)
    assert mistakes == []
    assert isinstance(rules.declarations[0], syntax.ParamRequire)
    policy, mistakes = parse("a.tb", "require kept order.stop is set\n", is_policy=True)
    assert mistakes == []
    assert policy.declarations == (
        syntax.Require("kept", syntax.Is(name("order.stop"), "set", False, AT), None, False, None, None, AT),
    )


def test_a_file_remembers_doc_comments_and_text() -> None:
    text = '# head\n"doc"\nlet a = 1 # one\n  # alone\n'
    file, mistakes = parse("a.tb", text, is_policy=False)
    assert mistakes == []
    assert (file.path, file.doc, file.text, file.is_policy) == ("a.tb", "doc", text, False)
    assert file.comments == (
        syntax.Comment(1, 1, "# head", True),
        syntax.Comment(3, 11, "# one", False),
        syntax.Comment(4, 3, "# alone", True),
    )


def test_a_number_sign_in_a_text_is_no_comment() -> None:
    file, mistakes = parse("a.tb", 'param a = 1 "say \\"#1\\" # here" # there\n', is_policy=False)
    assert mistakes == []
    assert [comment.text for comment in file.comments] == ["# there"]
    declaration = file.declarations[0]
    assert isinstance(declaration, syntax.Param)
    assert declaration.doc == 'say "#1" # here'


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_of_any_system_give_one_tree(ends: str) -> None:
    lines = ["trigger a", "  when x", "    and y", '  because "z"', "let b = f(1,", "  2)"]
    file, mistakes = parse("a.tb", "\ufeff" + ends.join(lines), is_policy=False)
    expected, _ = parse("a.tb", "\n".join(lines) + "\n", is_policy=False)
    assert mistakes == []
    assert file == expected
    assert [declaration.span for declaration in file.declarations] == [one.span for one in expected.declarations]


def test_words_of_the_language_cannot_be_names() -> None:
    for word in sorted(RESERVED):
        file, mistakes = parse("a.tb", f"let {word} = 1\n", is_policy=False)
        assert [(mistake.code, mistake.span.column) for mistake in mistakes] == [("TB016", 5)]
        assert file.declarations == ()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "x" + ")" * 5000,
        "x" + " + x" * 5000,
        "not " * 5000 + "x",
        "f(" * 5000 + "x" + ")" * 5000,
        "x" + "[1]" * 5000,
    ],
    ids=["parentheses", "sum", "not", "calls", "shifts"],
)
def test_an_expression_without_end_is_refused(text: str) -> None:
    expression, mistakes = parse_expression(text, "f", 1, 1)
    assert expression is None
    assert [mistake.code for mistake in mistakes] == ["TB031"]


def test_an_expression_may_be_as_deep_as_is_promised() -> None:
    assert read("not " * (MAX_DEPTH - 1) + "x")
