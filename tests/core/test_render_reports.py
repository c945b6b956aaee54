"""Findings for build servers: each format has the shape its readers ask for, whatever the findings hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core import render
from tb.core.codes import CODES
from tb.core.diagnostics import Diagnostic, Label, Severity, error, in_order, warning
from tb.core.render.identity import fingerprints
from tb.core.span import Span, whole_file

SARIF = json.loads((Path(__file__).parent / "sarif.schema.json").read_text(encoding="utf-8"))
RULES = "rules/x y.tb"
CLASH = error(
    "TB104",
    "`a > 5%` and `a < 1` cannot both be true",
    Span(RULES, 3, 9, 3, 22),
    "drop one: 100%",
    [Label(Span(RULES, 3, 9, 3, 13), "here"), Label(Span("policy/l.tb", 1, 1, 1, 5), "there")],
)
UNUSED = warning("TB509", "`a` is never used", Span(RULES, 7, 1, 9, 4))
WORDLESS = Diagnostic("TB501", Severity.HINT, "no reason", whole_file("policy"), "say, why")
THREE = (UNUSED, CLASH, WORDLESS)


def sarif(*findings: Diagnostic) -> Any:
    log = json.loads(render.sarif(findings, version="0.1.0"))
    jsonschema.Draft202012Validator(SARIF, format_checker=jsonschema.FormatChecker()).validate(log)
    return log["runs"][0]


def test_the_schema_sees_what_is_wrong() -> None:
    log = json.loads(render.sarif(THREE, version="0.1.0"))
    log["runs"][0]["results"][0]["level"] = "hint"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SARIF)


def test_sarif_names_rules_and_places() -> None:
    run = sarif(*THREE)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["TB104", "TB501", "TB509"]
    assert run["tool"]["driver"]["rules"][0]["name"] == "ContradictoryCondition"
    assert [(result["ruleId"], result["ruleIndex"], result["level"]) for result in run["results"]] == [
        ("TB501", 1, "note"),
        ("TB104", 0, "error"),
        ("TB509", 2, "warning"),
    ]
    clash = run["results"][1]
    assert clash["message"]["text"] == "`a > 5%` and `a < 1` cannot both be true; hint: drop one: 100%"
    assert clash["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/x%20y.tb"},
        "region": {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 22},
    }
    assert [(place["id"], place["message"]["text"]) for place in clash["relatedLocations"]] == [(1, "here"), (2, "there")]
    assert sarif()["results"] == []


def test_every_code_fits_into_sarif() -> None:
    run = sarif(*(error(code, "x", whole_file("a.tb")) for code in CODES))
    assert len(run["tool"]["driver"]["rules"]) == len(CODES)


def test_junit_counts_what_fails() -> None:
    root = ET.fromstring(render.junit(THREE, [RULES, "tb.yaml"]))
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    cases = root.findall("./testsuite/testcase")
    assert [case.get("name") for case in cases] == [
        "policy:1:1: TB501 no reason for people",
        "rules/x y.tb:3:9: TB104 contradictory condition",
        "rules/x y.tb:7:1: TB509 defined and never used",
        "tb.yaml",
    ]
    assert [[child.tag for child in case] for case in cases] == [["system-out"], ["failure"], ["system-out"], []]
    failure = cases[1][0]
    assert (failure.get("type"), failure.get("message")) == ("TB104", CLASH.message)
    strict = ET.fromstring(render.junit(THREE, [], failing=Severity.WARNING))
    assert (strict.get("tests"), strict.get("failures")) == ("3", "2")
    assert ET.fromstring(render.junit([], [])).get("tests") == "0"


def test_github_commands() -> None:
    place, said = "line=3,endLine=3,col=9,endColumn=22", "`a > 5%25` and `a < 1` cannot both be true%0Ahint: drop one: 100%25"
    assert render.github(THREE).splitlines() == [
        "::notice file=policy,line=1,endLine=1,col=1,endColumn=1,title=TB501 no reason for people::no reason%0Ahint: say, why",
        f"::error file=rules/x y.tb,{place},title=TB104 contradictory condition::{said}",
        "::warning file=rules/x y.tb,line=7,endLine=9,title=TB509 defined and never used::`a` is never used",
    ]
    assert render.github([]) == ""
    assert "file=a%3Ab%2Cc%25.tb," in render.github([error("TB101", "x", whole_file("a:b,c%.tb"))])


def test_gitlab_report() -> None:
    rows = json.loads(render.gitlab(THREE))
    assert [(row["check_name"], row["severity"]) for row in rows] == [
        ("TB501", "info"),
        ("TB104", "critical"),
        ("TB509", "minor"),
    ]
    assert rows[1]["location"] == {"path": RULES, "lines": {"begin": 3, "end": 3}}
    assert rows[1]["description"] == "`a > 5%` and `a < 1` cannot both be true; hint: drop one: 100%"
    assert [row["fingerprint"] for row in rows] == fingerprints(in_order(THREE))
    assert render.gitlab([]) == "[]"


def test_a_fingerprint_stays_when_lines_move() -> None:
    moved = error(CLASH.code, CLASH.message, Span(RULES, 30, 9, 30, 22))
    twice = fingerprints([CLASH, moved, UNUSED])
    assert fingerprints([moved]) == fingerprints([CLASH]) == twice[:1]
    assert len(set(twice)) == 3


WORDS = st.text(st.characters(), max_size=12)


@st.composite
def findings(draw: st.DrawFn) -> Diagnostic:
    line = draw(st.integers(1, 9))
    span = Span(
        draw(st.sampled_from(["rules/a.tb", "b.yaml"])), line, draw(st.integers(1, 9)), line + draw(st.integers(0, 2)), 9
    )
    code, severity = draw(st.sampled_from(sorted(CODES))), draw(st.sampled_from(list(Severity)))
    return Diagnostic(code, severity, draw(WORDS) or "x", span, draw(WORDS), (Label(span, draw(WORDS) or "y"),))


@given(st.lists(findings(), max_size=4))
def test_any_text_is_carried(found: list[Diagnostic]) -> None:
    expected = in_order(found)
    assert [result["ruleId"] for result in sarif(*found)["results"]] == [finding.code for finding in expected]
    assert len(json.loads(render.gitlab(found))) == len(expected)
    assert len(ET.fromstring(render.junit(found, []).encode()).findall(".//testcase")) == len(expected)
    lines = render.github(found).split("\n") if found else []
    assert [bool(re.fullmatch(r"::(error|warning|notice) file=[^\r\n]*", line)) for line in lines] == [True] * len(expected)
