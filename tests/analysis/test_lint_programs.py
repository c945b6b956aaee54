"""Every lint rule has programs that break it, with the findings they get, and programs that only come near and get none.

`TB_RECORD=1` writes the findings anew; they are then read as a diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from lint_samples import STANDARD, findings_of, split

from tb.analysis.later import LATER
from tb.analysis.lint import RULES
from tb.analysis.pages import explanation
from tb.analysis.refused import REFUSED
from tb.analysis.suppression import NO_EFFECT, NO_REASON
from tb.core.codes import CODES
from tb.core.diagnostics import Severity
from tb.core.render import plain
from tb.dsl.parse import parse

FOLDER = Path(__file__).resolve().parent.parent / "language" / "lint"
BAD = sorted((FOLDER / "bad").glob("*.tb"))
GOOD = sorted((FOLDER / "good").glob("*.tb"))
OF_THE_CHECKER = ("TB101", "TB102", "TB118", "TB120", "TB201", "TB202", "TB203", "TB209", "TB401", "TB406")
CODE = re.compile(r"(TB\d{3})_")


def code_of(path: Path) -> str:
    match = CODE.match(path.name)
    assert match is not None, f"{path.name} does not begin with a code"
    return match[1]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_program_gets_its_findings(path: Path) -> None:
    findings = findings_of(path.read_text(encoding="utf-8"))
    said, expected = plain(findings) + "\n", path.with_suffix(".out")
    if os.environ.get("TB_RECORD"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")
    assert code_of(path) in {finding.code for finding in findings}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_program_gets_none(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert plain(findings_of(text)) == ""
    assert any(part.strip() for part in split(text).values())


def test_every_rule_has_a_bad_and_a_good_program() -> None:
    codes = {rule.code for rule in RULES} | {NO_REASON, NO_EFFECT, *OF_THE_CHECKER}
    assert {code_of(path) for path in BAD} == codes
    assert {code_of(path) for path in GOOD} == codes


TRIES = sorted((FOLDER / "refused").glob("*.tb"))


@pytest.mark.parametrize("path", TRIES, ids=lambda path: path.stem)
def test_what_cannot_be_written_is_refused_by_another_code(path: Path) -> None:
    findings = findings_of(path.read_text(encoding="utf-8"))
    by = REFUSED[code_of(path)].by
    assert {finding.code for finding in findings} & set(by) or not by


def test_each_refusal_has_a_program_that_tries_and_no_page_of_its_own() -> None:
    assert {code for row in REFUSED.values() for code in row.by} <= CODES.keys()
    assert {code_of(path) for path in TRIES} == REFUSED.keys()
    assert not REFUSED.keys() & CODES.keys()


CATALOGUE = {1: 120, 2: 210, 3: 319, 4: 406, 5: 513}  # the last number of each category


def test_every_number_of_the_catalogue_has_its_place_in_the_list() -> None:
    listed = (FOLDER.parents[2] / "docs" / "lint" / "README.md").read_text(encoding="utf-8")
    pages = {rule.code for rule in RULES} | {NO_REASON, NO_EFFECT, *OF_THE_CHECKER}
    for category, last in CATALOGUE.items():
        for number in range(category * 100 + 1, last + 1):
            code = f"TB{number}"
            places = (code in pages, code in CODES and code not in pages, code in REFUSED, code in LATER)
            assert places.count(True) == 1, code
            assert f"- [{code}]({code}.md) " in listed if code in pages else f"- {code} " in listed
            assert explanation(code), code


def test_no_record_is_left_over() -> None:
    assert sorted(path.stem for path in (FOLDER / "bad").glob("*.out")) == [path.stem for path in BAD]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_finding_reads_like_the_others(path: Path) -> None:
    for finding in findings_of(path.read_text(encoding="utf-8")):
        assert finding.message[0].islower() or finding.message[0] in "`0123456789" or CODE.match(finding.message[:5] + "_")
        assert not finding.message.endswith(".")
        assert finding.hint
        assert not finding.hint.endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_and_its_row_agree(rule: object) -> None:
    assert {r.code: r.severity for r in RULES if r is rule} == {r.code: CODES[r.code].severity for r in RULES if r is rule}


def test_codes_and_names_of_rules_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert [rule.code for rule in RULES] == sorted(rule.code for rule in RULES)


@pytest.mark.parametrize("path", [p for p in BAD if code_of(p) in {rule.code for rule in RULES}], ids=lambda path: path.stem)
def test_a_rule_can_be_switched_off_and_changed(path: Path) -> None:
    text, code = path.read_text(encoding="utf-8"), code_of(path)
    assert code not in {finding.code for finding in findings_of(text, levels={code: None})}
    hints = findings_of(text, levels={code: Severity.HINT})
    assert {finding.severity for finding in hints if finding.code == code} == {Severity.HINT}


@pytest.mark.parametrize("code", OF_THE_CHECKER)
def test_what_gives_a_project_its_meaning_cannot_be_switched_off(code: str) -> None:
    text = next(path for path in BAD if code_of(path) == code).read_text(encoding="utf-8")
    levels: dict[str, Severity | None] = {code: None}
    assert findings_of(text, levels=levels) == findings_of(text)


def test_the_standard_policy_parses() -> None:
    assert parse("policy/standard.tb", STANDARD, is_policy=True)[1] == []
