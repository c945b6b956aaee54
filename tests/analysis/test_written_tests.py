"""Tests written in the language: what they see of an order and of a market, and that a wrong expectation of each kind fails."""

from __future__ import annotations

import random

import pytest
from written_tests import ORDER, POLICY, bench_of, compiled, order, run

from tb.analysis.testing import Coverage, Covered, run_tests
from tb.analysis.testing.text import text
from tb.core.diagnostics import Refused

TWICE = ORDER.replace("buy 1 ", "buy 2 ")
DEEP = "depth(10bps) < 2 * order.notional"
SELL = "  when   fade proposes sell 1 BTC-USD at 500 USD stop 550 USD\n"

# expectation that holds, one that does not, what is given, the order
ORDERS = {
    "an approval": ("approve", "reject by wide", "", ORDER),
    "side and strategy": ("approve buy BTC-USD by momentum", "approve sell BTC-USD by momentum", "", ORDER),
    "instrument": ("approve buy BTC-USD", "approve buy ETH-USD", "", ORDER),
    "strategy": ("approve by momentum", "approve by fade", "", ORDER),
    "verdict": ("reject by wide", "halt by wide", "spread = 80bps", ORDER),
    "rule": ("reject by wide", "reject by collar", "spread = 80bps", ORDER),
    "clause": ("reject clause spread > 60bps", f"reject clause {DEEP}", "spread = 80bps", ORDER),
    "the other clause": (f"reject by wide clause {DEEP}", "reject clause spread > 60bps", "depth(10bps) = 900 USD", ORDER),
    "margin": ("reject by wide with margin 20bps", "reject by wide with margin 21bps", "spread = 80bps", ORDER),
    "margin in money": (
        "halt by daily_loss with margin 1 USD",
        "halt by daily_loss with margin 2 USD",
        "loss(today) = 301 USD",
        ORDER,
    ),
    "margin in bars": ("reject by fresh with margin 1 bars", "reject by fresh with margin 30m", "data_age = 3h", ORDER),
    "size": ("shrink to 1.6 by position", "shrink to 1.7 by position", "exposure(BTC-USD) = 200 USD", TWICE),
    "pause": ("pause by per_day", "reject by per_day", "entries(today) = 10", ORDER),
    "warning": ("warn by busy", "approve", "entries(today) = 8", ORDER),
    "a fact of policy": ("reward_risk >= 2", "reward_risk > 2", "", ORDER),
    "unknown spread": ("reject by wide", "approve", "spread = unknown", ORDER),
    "unknown equity": ("reject by daily_loss", "approve", "equity = unknown", ORDER),
    "unknown holding": ("reject by cluster", "approve", "exposure(ETH-USD) = unknown", ORDER),
    "unknown price": ("reject by complete_order", "approve", "", ORDER.replace(" at 500 USD", "")),
    "indicator": ("reject by heated with margin 1", "approve", "rsi(close, 14) = 86", ORDER),
    "list": ("reject by listed", "approve", "restricted = layer1", ORDER),
    "group": ("reject by cluster with margin 500 USD", "approve", "exposure(ETH-USD) = 1_500 USD", ORDER),
    "short": ("reject by cluster", "approve", "exposure(ETH-USD) = -1_500 USD", SELL),
    "halted": ("halt by not_halted", "approve", 'halted_by = "daily_loss"', ORDER),
    "closing asks little": ("approve sell BTC-USD", "reject", "exposure(BTC-USD) = 500 USD, spread = 80bps", SELL),
    "closing asks something": ("reject by rate", "approve", "exposure(BTC-USD) = 500 USD, orders(10s) = 20", SELL),
    "exactly at the limit": ("approve", "reject", "spread = 60bps", ORDER),
    "quantity of the account": ("reject by cluster", "approve", "equity = 1_000 USD", ORDER),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "given", "when"), ORDERS.values(), ids=ORDERS)
def test_an_order_is_judged_as_given(right: str, wrong: str, given: str, when: str) -> None:
    report = run(order(right, given, when))
    assert report.passed, text(report)


@pytest.mark.parametrize(("right", "wrong", "given", "when"), ORDERS.values(), ids=ORDERS)
def test_a_wrong_expectation_of_an_order_fails(right: str, wrong: str, given: str, when: str) -> None:
    report = run(order(wrong, given, when))
    (result,) = report.results
    assert result.status == "failed"
    (failure,) = result.failures
    assert failure.expected == wrong
    assert failure.actual not in {"", wrong}
    assert failure.hint
    assert result.explanation.startswith("the order  ")


BARS = """
  bars BTC-USD 1h
    100..104 x 5  volume 10
"""
SPIKE = BARS + "    106           volume 30\n"
MARKETS = {
    "verdict": ("approve buy BTC-USD by momentum", "approve sell BTC-USD by momentum", SPIKE),
    "trigger": ("surge", "not surge", SPIKE),
    "confidence": ("surge with confidence >= 0.6", "surge with confidence >= 0.9", SPIKE),
    "value": ("loudness == 2", "loudness == 2.1", SPIKE),
    "no proposal": ("no proposal", "approve buy BTC-USD", BARS),
    "no proposal by one": ("no proposal by fade", "no proposal by momentum", SPIKE),
    "no proposal at all": ("approve buy BTC-USD by momentum", "no proposal", SPIKE),
    "rule": ("reject by wide", "reject by collar", "  given spread = 80bps" + SPIKE),
    "clause and margin": (
        "reject clause spread > 60bps with margin 20bps",
        "reject clause spread > 60bps with margin 21bps",
        "  given spread = 80bps" + SPIKE,
    ),
    "exit": ("approve sell BTC-USD by momentum", "no proposal", SPIKE + "    110 volume 10\n    101 volume 10\n"),
    "only the last bar": ("no proposal", "approve buy BTC-USD", SPIKE + "    107 volume 10\n"),
    "another market": ("close of BTC-USD > 105 USD/BTC", "close of BTC-USD > 107 USD/BTC", SPIKE),
    "an unknown bar": ("no proposal", "surge", BARS + "    unknown volume 30\n"),
    "equity": ("approve buy BTC-USD", "shrink by position", "  given equity = 500 USD" + SPIKE),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "setting"), MARKETS.values(), ids=MARKETS)
def test_a_market_is_played_to_its_last_bar(right: str, wrong: str, setting: str) -> None:
    right_one, wrong_one = (run(f'test "one"\n{setting.strip(chr(10))}\n  expect {e}\n', policy=CALM) for e in (right, wrong))
    assert right_one.passed, text(right_one)
    (result,) = wrong_one.results
    assert result.status == "failed"
    assert [failure.expected for failure in result.failures] == [wrong]
    assert result.explanation


CALM = "".join(line for line in POLICY.splitlines(keepends=True) if "rsi" not in line)


def test_given_values_alone_are_enough_for_a_condition() -> None:
    given = 'test "one"\n  given  loudness = 2, surge = true\n  expect surge\n  expect loudness == 2\n'
    assert run(given).passed
    report = run('test "one"\n  given  loudness = 2\n  expect surge\n')
    assert [failure.actual for failure in report.results[0].failures] == ["unknown"]


def test_what_nothing_reads_is_no_test() -> None:
    report = run(order("approve", "entries(3h) = 5, hour = 7"))
    (result,) = report.results
    assert result.status == "error"
    assert [failure.actual for failure in result.failures] == [
        "nothing reads what is given: `entries(3h) = 5`",
        "nothing reads what is given: `hour = 7`",
    ]
    assert not report.passed


def test_no_test_does_not_pass() -> None:
    assert not run("").passed


def test_the_order_of_tests_does_not_matter() -> None:
    named = [order(right, given, when).replace('"one"', f'"{name}"') for name, (right, _, given, when) in ORDERS.items()]
    named += [order(wrong, given, when).replace('"one"', f'"not {name}"') for name, (_, wrong, given, when) in ORDERS.items()]
    named += [f'test "m {name}"\n{setting.strip(chr(10))}\n  expect {right}\n' for name, (right, _, setting) in MARKETS.items()]
    found = compiled("\n".join(named))
    bench = bench_of(found)
    straight = {result.name: result for result in run_tests(bench, found.tests).results}
    assert {result.status for result in straight.values()} == {"passed", "failed"}
    shuffled = list(found.tests)
    random.Random(7).shuffle(shuffled)
    for tests in (found.tests[::-1], shuffled):
        assert {result.name: result for result in run_tests(bench, tests).results} == straight
        assert {result.name: result for result in run_tests(bench_of(found), tests).results} == straight


def covered_by(tests: str, rules: str = "forbid wide when spread > 60bps or depth(10bps) < 2 * order.notional\n") -> Covered:
    found = compiled(tests, policy=rules)
    bench = bench_of(found)
    coverage = Coverage(bench.plan, bench.graph, ["policy/p.tb", "rules/r.tb"])
    run_tests(bench, found.tests, coverage=coverage)
    return coverage.covered()


def test_coverage_counts_what_passing_tests_saw() -> None:
    def order_test(name: str, given: str, expect: str) -> str:
        return f'test "{name}"\n  given  {given}\n{ORDER}  expect {expect}\n'

    def of_policy(covered: Covered) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        return {c.text: (c.outcomes, c.sides) for c in covered.clauses if c.span.file == "policy/p.tb"}

    spread, depth = "spread > 60bps", "depth(0.1%) < 2 * order.notional"
    nothing = covered_by("")
    assert of_policy(nothing) == {spread: ((), ()), depth: ((), ())}
    assert nothing.share == 0
    failing = covered_by(order_test("a", "spread = 80bps", "approve"))
    assert of_policy(failing) == of_policy(nothing)
    unknown = covered_by(order_test("a", "spread = unknown", "reject by wide"))
    assert of_policy(unknown) == {spread: ((), ()), depth: (("false",), ())}
    assert [rule.name for rule in unknown.rules if rule.tested] == ["wide"]
    more = covered_by(
        order_test("a", "spread = 60bps", "approve")
        + order_test("b", "spread = 60.5bps", "reject")
        + order_test("c", "depth(10bps) = 999 USD", "reject")
        + order_test("d", "spread = 59.5bps", "approve buy BTC-USD by momentum")
    )
    assert of_policy(more) == {
        spread: (("true", "false"), ("at", "just below", "just above")),
        depth: (("true", "false"), ("just below",)),
    }
    assert [rule.name for rule in more.rules if rule.tested] == ["momentum"]


def test_coverage_of_rules_is_what_the_last_bar_was() -> None:
    def of_rules(tests: str) -> dict[str, tuple[str, ...]]:
        return {c.text: c.outcomes for c in covered_by(tests).clauses if c.span.file == "rules/r.tb" and "loud" in c.text}

    assert of_rules('test "a"\n' + SPIKE.strip("\n") + "\n  expect surge\n") == {
        "loudness > 1.5": ("true",),
        "loudness < 0.1": ("false",),
    }
    assert of_rules('test "a"\n  given  loudness = 1.5\n  expect not surge\n') == {
        "loudness > 1.5": ("false",),
        "loudness < 0.1": (),
    }


def test_hints_name_what_the_project_can_edit() -> None:
    tiny = ORDER.replace("buy 1 ", "buy 0.001 ")
    (failure,) = run(order("approve", "", tiny)).results[0].failures
    assert failure.actual == "reject by venue_minimum"
    assert failure.hint.endswith("edit the order or what is given, or what is expected")
    (failure,) = run(order("reject by venue_minimum")).results[0].failures
    assert "std/" not in failure.hint
    (failure,) = run(order("approve", "spread = 80bps", tiny)).results[0].failures
    assert failure.actual == "reject by venue_minimum, wide"
    assert "edit `wide` (policy/p.tb:" in failure.hint


def test_what_the_library_has_is_brought_by_a_rule_file() -> None:
    with pytest.raises(Refused) as refused:
        run('test "a"\n  bars BTC-USD 1h\n    100\n  expect volume_spike\n')
    assert [told.hint for told in refused.value.findings] == [
        "it is in the library: add `use std.triggers: volume_spike` to a rule file"
    ]


CAPITAL = """
book calm   60% of capital  strategies momentum
book brave  40% of capital  strategies fade

council momentum 3, fade 2  approve when weight for >= 60%

allocate kelly fraction 0.5 over 20 trades, at most 15% each, correlation above 0.9 counts as one

limit  of_the_day  loss(today) of book <= 2% of equity at day_start of book
"""
FADE = "  when   fade proposes sell 1 SOL-USD at 500 USD stop 550 USD target 400 USD\n"


@pytest.mark.parametrize(
    ("expect", "given", "when"),
    [
        ("approve", "", ORDER),  # three of five, no trade yet, nothing lost
        ("reject by council with margin 20%", "", FADE),
        ("approve", "votes_for = 60%", FADE),
        ("reject by council", "votes_for = 59%", ORDER),
        ("reject by council", "votes_for = unknown", ORDER),
        ("shrink to 1.8 by allocate", "", TWICE),  # 15% of the 6,000 USD of its book
        ("reject by allocate", "exposure(BTC-USD) = 900 USD", ORDER),
        ("approve", "loss(today) of book = 120 USD", ORDER),
        ("reject by of_the_day with margin 1 USD", "loss(today) of book = 121 USD", ORDER),
        ("reject by of_the_day with margin 1 USD", "votes_for = 60%, loss(today) of book = 81 USD", FADE),
        ("reject by of_the_day", "loss(today) of book = unknown", ORDER),
        ("reject by position", "exposure(BTC-USD) = unknown", ORDER),
        ("after.gross of book == 6_500 USD", "exposure(BTC-USD) = 6_000 USD", ORDER),
        ("after.gross of book == 500 USD and after.gross == 6_500 USD", "exposure(ETH-USD) = 6_000 USD", ORDER),
        ("equity of book == 6_000 USD and cash == 7_000 USD", "exposure(BTC-USD) = 3_000 USD", ORDER),
    ],
)
def test_an_order_is_judged_as_a_quiet_account_with_books_and_council_would(expect: str, given: str, when: str) -> None:
    report = run(order(expect, given, when), policy=POLICY + CAPITAL)
    assert report.passed, text(report)
