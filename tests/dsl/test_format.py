"""The canonical layout: order of lines, columns, blank lines, wrapping, comments."""

from __future__ import annotations

from tb.dsl import syntax
from tb.dsl.format import format_file
from tb.dsl.parse import parse


def formatted(text: str, *, is_policy: bool = False) -> str:
    file, mistakes = parse("a.tb", text, is_policy=is_policy)
    assert mistakes == []
    return format_file(file)


def test_nothing_is_laid_out_as_nothing() -> None:
    assert formatted("") == ""
    assert formatted("\n\n") == ""


def test_one_blank_line_is_kept_and_never_two() -> None:
    assert formatted("let a = 1\n\n\n\nlet b = 2\nlet c = 3\n") == "let a = 1\n\nlet b = 2\nlet c = 3\n"


def test_a_block_stands_between_blank_lines() -> None:
    text = "let a = 1\nregime\n  b otherwise\nlet c = 2\n"
    assert formatted(text) == "let a = 1\n\nregime\n  b  otherwise\n\nlet c = 2\n"


def test_columns_are_aligned_within_a_run_alone() -> None:
    text = "limit a x < 1\nlimit longer x + y < 1 otherwise halt\n\nlimit b x < 1\n"
    assert formatted(text, is_policy=True) == (
        "limit a       x < 1\nlimit longer  x + y < 1  otherwise halt\n\nlimit b  x < 1\n"
    )


def test_columns_that_would_be_too_wide_are_not_aligned() -> None:
    long = " + ".join(["order.notional"] * 6)
    text = f'limit a {long} < 1\nlimit bc x < 1 otherwise halt because "the account is done for today"\n'
    assert formatted(text, is_policy=True) == (
        f'limit a   {long} < 1\nlimit bc  x < 1  otherwise halt  because "the account is done for today"\n'
    )


def test_a_comment_moves_with_its_line() -> None:
    text = 'trigger a\n  because "b" # why\n  # first\n  when x # when\n'
    assert formatted(text) == 'trigger a\n  # first\n  when x  # when\n  because "b"  # why\n'


def test_parentheses_stay_where_they_mean_something() -> None:
    assert formatted("let a = ((x)) + (y * z) - (x - y)\n") == "let a = x + y * z - (x - y)\n"
    assert formatted("let a = (x and y) or (x or y) and z\n") == "let a = x and y or (x or y) and z\n"
    assert formatted("let a = (f(x)).signal\n") == "let a = f(x).signal\n"
    assert formatted("let a = (x).signal\n") == "let a = (x).signal\n"


def test_a_reason_keeps_its_quotes() -> None:
    assert formatted('trigger a\n  when x\n  because "say \\"hi\\" \\\\ {x}"\n') == (
        'trigger a\n  when x\n  because "say \\"hi\\" \\\\ {x}"\n'
    )


def test_a_lone_carriage_return_ends_a_line_and_no_limit_is_lost_behind_it() -> None:
    text = '"limits"\n\n# note \rlimit gross after.gross <= 100% of equity\n'
    file, findings = parse("policy/limits.tb", text, is_policy=True)
    assert findings == []
    assert [declaration.name for declaration in file.declarations if isinstance(declaration, syntax.Limit)] == ["gross"]
    again, _ = parse("policy/limits.tb", format_file(file), is_policy=True)
    assert again == file
