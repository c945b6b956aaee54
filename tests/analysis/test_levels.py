"""Levels of rules and categories: a code wins over its category, and a level that changes nothing is pointed out."""

from __future__ import annotations

from lint_samples import findings_of

from tb.analysis.levels import CATEGORIES
from tb.analysis.lint import RULES, unknown_levels
from tb.core.diagnostics import Severity
from tb.core.settings import settings_schema
from tb.core.span import Span

PROGRAM = """\
universe u
  tier core BTC-USD

strategy s on u every 1h
  enter long when close > close[1]
    size 5% of equity

let spare = close
"""


def severities(levels: dict[str, Severity | None]) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in findings_of(PROGRAM, levels=levels)}


def test_a_category_changes_all_its_rules() -> None:
    assert severities({}) == {"TB301": Severity.ERROR, "TB501": Severity.HINT, "TB509": Severity.WARNING}
    assert severities({"hygiene": Severity.ERROR}) == dict.fromkeys(("TB301", "TB501", "TB509"), Severity.ERROR)
    assert severities({"hygiene": None}) == {"TB301": Severity.ERROR}
    assert severities({"risk": None, "hygiene": None}) == {}


def test_a_code_wins_over_its_category() -> None:
    off_but_one: dict[str, Severity | None] = {"hygiene": None, "TB509": Severity.HINT}
    assert severities(off_but_one) == {"TB301": Severity.ERROR, "TB509": Severity.HINT}
    assert severities({"TB509": None, "hygiene": Severity.ERROR}) == {"TB301": Severity.ERROR, "TB501": Severity.ERROR}


def test_comments_belong_to_hygiene() -> None:
    text = PROGRAM.replace("every 1h", "every 1h  # tb: ignore TB301")
    assert "TB510" in {finding.code for finding in findings_of(text)}
    assert "TB510" not in {finding.code for finding in findings_of(text, levels={"hygiene": None})}


def test_a_comment_does_not_complain_of_a_category_that_is_off() -> None:
    text = PROGRAM.replace("let spare = close", "# tb: ignore TB501 because of nothing\nlet spare = close")
    assert "TB514" in {finding.code for finding in findings_of(text)}
    off = {finding.code for finding in findings_of(text, levels={"hygiene": None, "TB514": Severity.WARNING})}
    assert "TB514" not in off


def test_a_level_of_no_rule_is_pointed_out() -> None:
    names = ("TB509", "TB510", "hygiene", "TB101", "TB599")
    found = unknown_levels({name: Span("tb.yaml", line, 5, line, 12) for line, name in enumerate(names, start=1)})
    assert [(finding.code, finding.span.line, finding.severity) for finding in found] == [
        ("TB610", 4, Severity.WARNING),
        ("TB610", 5, Severity.WARNING),
    ]
    assert "`TB101` is no rule" in found[0].message
    assert found[1].message == "there is no lint rule `TB599`"


def test_the_schema_knows_the_categories() -> None:
    (pattern,) = settings_schema()["properties"]["lint"]["properties"]["levels"]["patternProperties"]
    assert pattern == f"^(TB[0-9]{{3}}|{'|'.join(CATEGORIES)})$"
    assert {rule.category for rule in RULES} <= set(CATEGORIES)
