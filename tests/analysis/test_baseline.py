"""The baseline: the same findings wherever their lines are, counted, and never more of them than were agreed to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tb.analysis.baseline import Baseline, baseline_of, baseline_text, beyond, parse_baseline, ratcheted, rules_that_looked
from tb.core.diagnostics import Diagnostic, error, warning
from tb.core.span import Span

ALL = rules_that_looked([], with_data=True, levels={})


@st.composite
def findings(draw: st.DrawFn) -> Diagnostic:
    line = draw(st.integers(1, 40))
    code, words = draw(st.sampled_from(["TB509", "TB104", "TB205"])), draw(st.sampled_from(["a", 'b "`x`"', "ä"]))
    return warning(code, words, Span(draw(st.sampled_from(["r/a.tb", "r/b.tb"])), line, 1, line, 2))


FINDINGS = st.lists(findings(), max_size=8, unique=True)


@given(FINDINGS)
def test_what_is_written_is_read_again(found: list[Diagnostic]) -> None:
    baseline = baseline_of(found, None, ALL)
    assert len(baseline) == len(found)
    assert parse_baseline("b.json", baseline_text(baseline)) == (baseline, [])
    assert beyond(baseline, found) == []
    assert ratcheted(baseline, found, ALL) == baseline


@given(FINDINGS, FINDINGS)
def test_one_more_is_one_too_many(before: list[Diagnostic], now: list[Diagnostic]) -> None:
    baseline = baseline_of(before, None, ALL)
    new = beyond(baseline, now)
    smaller = ratcheted(baseline, now, ALL)
    assert len(smaller) == len(now) - len(new)
    assert beyond(smaller, now) == new
    assert all(smaller.counts[key] <= baseline.counts[key] for key in smaller.counts)


def test_rules_that_did_not_look_keep_what_they_had() -> None:
    baseline = Baseline({("TB205", "r/a.tb", "long"): 1, ("TB509", "r/a.tb", "unused"): 2})
    without_data = rules_that_looked([], with_data=False, levels={"TB509": None})
    assert {"TB205", "TB509"}.isdisjoint(without_data)
    assert ratcheted(baseline, [], without_data) == baseline
    assert baseline_of([], baseline, without_data) == baseline
    assert ratcheted(baseline, [], ALL) == Baseline({})


def test_a_mistake_that_leaves_no_meaning_is_never_agreed_to() -> None:
    found = [error("TB102", "nothing is called `x`", Span("r/a.tb", 1, 1, 1, 2))]
    assert rules_that_looked(found, with_data=True, levels={}) == frozenset()
    forged = Baseline({("TB102", "r/a.tb", "nothing is called `x`"): 1})
    assert beyond(forged, found) == found


def test_the_place_of_a_mistake_in_the_file_is_told() -> None:
    _, (finding,) = parse_baseline("b.json", '{\n "version": 1,\n "findings": [,]\n}')
    assert (finding.code, finding.span.line) == ("TB669", 3)
