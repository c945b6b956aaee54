"""Constraints on trial in a whole run: explained with the verdict they would have had, counted in the report."""

from __future__ import annotations

from small_projects import Replayed, bars, compiled, flat, market, run, strategy

from tb.gate.explain import html, text
from tb.replay.metrics_policy import rules, tally_of
from tb.replay.report.policy import rules_section

POLICY = """limit small  order.notional <= 900 USD  otherwise halt  level warn
limit tiny   order.notional <= 400 USD  otherwise shrink  shadow
limit deaf   order.confidence >= 0.5  shadow
"""


def done() -> Replayed:
    rows = [flat(100, 1), flat(100), flat(100)]
    return run(compiled(strategy("volume > 0"), POLICY), market(bars("BTC-USD", rows)))


def test_an_explanation_says_what_a_shadow_would_have_refused() -> None:
    replayed = done()
    found = replayed.explained(replayed.decisions[0])
    assert found.reproduced
    assert {rule.name: rule.status for rule in found.rules if rule.status != "passed"} == {
        "small": "failed",
        "tiny": "failed (shadow)",
        "deaf": "unknown (shadow)",
    }
    assert found.missing == ()
    lines = text(found).splitlines()
    assert "constraints: 8 passed, 1 failed, 0 unknown, 0 not asked, 2 not passed in shadow" in lines
    assert "  ~ limit tiny  otherwise shrink, shadow  failed (shadow)  (policy/policy.tb:2)" in lines
    assert "  - limit small  otherwise halt, level warn  (policy/policy.tb:1)" in lines
    assert '<details class="shadow">' in html(found)


def test_the_report_counts_what_a_shadow_would_have_refused() -> None:
    uses = rules(tally_of(done().decisions, frozenset()), {})
    assert {use.rule: (use.refused, use.shrunk, use.warned, use.shadowed) for use in uses} == {
        "small": (0, 0, 1, 0),
        "tiny": (0, 0, 0, 1),
        "deaf": (0, 0, 0, 1),
    }
    assert "in shadow" in rules_section(uses, "USD")
    assert "in shadow" not in rules_section(uses[:0], "USD")
