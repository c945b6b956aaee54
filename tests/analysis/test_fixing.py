"""`--fix` makes the edits that findings carry, and nothing else: what no edit touches stays, with its layout and line ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lint_samples import STANDARD

from tb.analysis.edits import edited, fitting
from tb.analysis.fixing import Fixed, fixed
from tb.analysis.lint import lint
from tb.core.diagnostics import Diagnostic, Edit, Severity
from tb.core.span import Span
from tb.dsl.cut import normalise
from tb.dsl.parse import parse

PROGRAM = """# what is bought
universe majors
  tier core  BTC-USD, ETH-USD  # the two

strategy s on majors every 1h
  enter long when {when}
    size   5% of equity
    stop   8% below entry
    because "it rises"
"""


def linted(texts: dict[str, str]) -> list[Diagnostic]:
    files, found = [], []
    for path, text in texts.items():
        file, mistakes = parse(path, normalise(text), is_policy=path.startswith("policy/"))
        files.append(file)
        found += mistakes
    return lint(files, findings=found)


def mended(rules: str) -> Fixed:
    texts = {"rules/r.tb": rules, "policy/p.tb": STANDARD}
    return fixed(texts, linted, lambda file: file.startswith("policy/"))  # type: ignore[arg-type]


def after(rules: str) -> str:
    return mended(rules).texts["rules/r.tb"]


SOUND = PROGRAM.format(when="close > ema(close, 20)")


def test_what_needs_no_fix_is_not_touched() -> None:
    done = mended(SOUND)
    assert (done.texts["rules/r.tb"], done.made, done.changed({"rules/r.tb": SOUND})) == (SOUND, (), ())


def test_a_misspelt_name_a_wrong_layout_and_an_idle_use_are_mended_together() -> None:
    wrong = PROGRAM.format(when="clse>ema(close,20)").replace("  # the two", "   # the two")
    done = mended(wrong)
    assert done.texts["rules/r.tb"] == SOUND
    assert [finding.code for finding in done.made] == ["TB102", "TB508"]
    assert done.left == ()


def test_fixing_what_is_fixed_changes_nothing() -> None:
    once = after(PROGRAM.format(when="clse>ema(close,20)"))
    assert after(once) == once


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_stay(end: str, mark: str) -> None:
    def written(text: str) -> str:
        return mark + text.replace("\n", end)

    assert after(written(PROGRAM.format(when="clse > ema(close, 20)"))) == written(SOUND)
    assert after(written(PROGRAM.format(when="close>ema(close, 20)"))) == written(SOUND)


def test_a_file_with_a_mistake_of_writing_is_left_alone() -> None:
    wrong = PROGRAM.format(when="clse > ema(close, 20") + "\nlet a = clse\n"
    assert after(wrong) == wrong


def test_a_guess_that_makes_other_mistakes_is_not_made() -> None:
    wrong = PROGRAM.format(when="close > clos_1") + "\nlet clos_11 = 5%\n"
    done = mended(wrong)
    assert "clos_1\n" in done.texts["rules/r.tb"]
    assert [finding.code for finding in done.given_up] == ["TB102"]


def test_two_near_names_are_no_guess() -> None:
    wrong = PROGRAM.format(when="close > level_3") + "\nlet level_1 = close\nlet level_2 = open\n"
    assert [finding.code for finding in mended(wrong).made] == []


def test_an_edit_that_would_change_another_declaration_is_given_up() -> None:
    def meddling(texts: object) -> list[Diagnostic]:
        text = texts["rules/r.tb"]  # type: ignore[index]
        start = text.index("8%")
        line = text.count("\n", 0, start) + 1
        column = start - text.rindex("\n", 0, start)
        # it points at the universe, and edits the strategy as well
        edits = (Edit(Span("rules/r.tb", 2, 10, 2, 16), "all"), Edit(Span("rules/r.tb", line, column, line, column + 2), "(9%"))
        return [Diagnostic("TB509", Severity.WARNING, "meddles", Span("rules/r.tb", 2, 1, 2, 9), "", (), edits)]

    done = fixed({"rules/r.tb": SOUND}, meddling, lambda file: False)
    assert (done.texts["rules/r.tb"], done.made) == (SOUND, ())
    assert [finding.message for finding in done.given_up] == ["meddles"]


def test_comments_are_not_taken_out() -> None:
    line = SOUND.count("\n", 0, SOUND.index("tier core")) + 1

    def uncommenting(texts: object) -> list[Diagnostic]:
        edits = (Edit(Span("rules/r.tb", line, 1, line + 1, 1), "  tier core BTC-USD, ETH-USD\n"),)
        return [Diagnostic("TB509", Severity.WARNING, "forgets", Span("rules/r.tb", line, 1, line, 9), "", (), edits)]

    assert fixed({"rules/r.tb": SOUND}, uncommenting, lambda file: False).texts["rules/r.tb"] == SOUND


def test_a_use_of_which_nothing_is_used_goes() -> None:
    text = "use other\n\n" + SOUND
    texts = {"rules/other.tb": "let spare = close\n", "rules/r.tb": text, "policy/p.tb": STANDARD}
    done = fixed(texts, linted, lambda file: file.startswith("policy/"))  # type: ignore[arg-type]
    assert done.texts["rules/r.tb"].lstrip("\n") == SOUND
    kept = fixed({**texts, "rules/r.tb": text.replace("use other", "use other  # soon")}, linted, lambda file: file[0] == "p")  # type: ignore[arg-type]
    assert kept.texts["rules/r.tb"].startswith("use other  # soon")


def test_an_invisible_character_goes_from_a_comment() -> None:
    assert after(SOUND.replace("# the two", "# the\u202e two")) == SOUND


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("rsi(close, 14) > 60 and rsi(close, 14) >= 0", "rsi(close, 14) > 60"),
        ("rsi(close, 14) >= 0 and rsi(close, 14) > 60", "rsi(close, 14) > 60"),
        ("close > open and rsi(close, 14) >= 0 and rsi(close, 14) > 60", "close > open and rsi(close, 14) > 60"),
        ("close > open or rsi(close, 14) > 60 and rsi(close, 14) >= 0", "close > open or rsi(close, 14) > 60"),
        # without the clause the entry could come before the indicator is known
        ("close > open and rsi(close, 14) >= 0", "close > open and rsi(close, 14) >= 0"),
        ("close > open or rsi(close, 14) >= 0", "close > open or rsi(close, 14) >= 0"),
        ("rsi(close, 14) >= 0", "rsi(close, 14) >= 0"),
    ],
)
def test_a_clause_that_is_always_true_goes_where_nothing_changes_by_it(before: str, now: str) -> None:
    assert after(PROGRAM.format(when=before)) == PROGRAM.format(when=now)


def test_a_rule_said_twice_goes_and_its_comment_stays() -> None:
    twice = SOUND + "  exit when close < open\n  exit when open > close\n"
    assert after(twice) == SOUND + "  exit when close < open\n"
    explained = SOUND + "  exit when close < open\n  exit when open > close  # as the desk says\n"
    assert after(explained) == explained


# edits by themselves

SPANS = st.tuples(st.integers(0, 30), st.integers(0, 5))


@given(st.text("ab\n", max_size=30), st.lists(st.tuples(SPANS, st.text("xy\n", max_size=3)), max_size=4))
def test_edits_that_fit_are_those_of_a_text_cut_into_pieces(text: str, wanted: list[tuple[tuple[int, int], str]]) -> None:
    offsets = [(min(at, len(text)), min(at + length, len(text)), new) for (at, length), new in wanted]
    findings = [
        Diagnostic("TB508", Severity.HINT, new, _span(text, a, b), "", (), (Edit(_span(text, a, b), new),))
        for a, b, new in offsets
    ]
    chosen = fitting(findings)
    spans = [(text, finding) for finding in chosen]
    kept = sorted(
        (_offset(t, f.span.line, f.span.column), _offset(t, f.span.end_line, f.span.end_column), f.message) for t, f in spans
    )
    expected, at = "", 0
    for a, b, new in kept:
        expected += text[at:a] + new
        at = b
    assert edited(text, [edit for finding in chosen for edit in finding.edits]) == expected + text[at:]
    assert all(first[1] < second[0] for first, second in pairwise(kept))


def _span(text: str, a: int, b: int) -> Span:
    return Span("f", *_place(text, a), *_place(text, b))


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _offset(text: str, line: int, column: int) -> int:
    return sum(len(row) + 1 for row in text.split("\n")[: line - 1]) + column - 1
