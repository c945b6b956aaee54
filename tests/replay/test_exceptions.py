"""Exceptions in a run: an order passes by one, and its explanation names it with its owner, last day and reason."""

from __future__ import annotations

from decimal import Decimal

import pytest
from small_projects import Replayed, bars, compiled, flat, market, run, strategy

from tb.core.time import DAY, day_end, parse_instant
from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.gate.explain import html, text

POLICY = """limit position  order.notional <= 5% of equity  otherwise shrink
exception desk to position
  loosens to {bound} of equity  owner "risk desk"  until {day}  because "index rebalance"
exception careful to position
  tightens to 4% of equity  when order.side is sell  owner "desk"
"""
WORDS = 'loosens position to {bound} of equity until {day}, owner "risk desk", because "index rebalance"'


def done(bound: str, day: str) -> Replayed:
    policy = POLICY.format(bound=bound, day=day)
    return run(compiled(strategy("volume > 0"), policy), market(bars("BTC-USD", [flat(100, 1), flat(100), flat(100)])))


@pytest.mark.parametrize(
    ("bound", "day", "status", "quantity"),
    [
        ("20%", "2024-01-01", "let it pass", 10),
        ("8%", "2024-01-01", "in force", 8),
        ("20%", "2023-12-31", "not in force", 5),
    ],
)
def test_an_explanation_names_what_an_exception_did(bound: str, day: str, status: str, quantity: int) -> None:
    replayed = done(bound, day)
    decision = replayed.decisions[0]
    assert decision.approved == Decimal(quantity)
    found = replayed.explained(decision)
    assert found.reproduced
    rule = next(rule for rule in found.rules if rule.name == "position")
    words = WORDS.format(bound=bound, day=day)
    assert [(said.name, said.words, said.status, said.place) for said in rule.exceptions] == [
        ("desk", words, status, "policy/policy.tb:2")
    ]
    assert f"  ! exception desk {words}: {status}  (policy/policy.tb:2)" in text(found)
    assert ("exception desk" in text(found, only_failing=True)) == (status == "let it pass")
    assert "exception desk" in html(found)
    origins = {origin.name: (origin.value, origin.origin) for origin in found.origins}
    assert origins["exception desk"] == (words, "policy/policy.tb:2")
    assert origins["exception careful"][0] == 'tightens position to 4% of equity, owner "desk"'


def test_the_use_of_a_loosened_limit_is_that_of_the_bound_in_force() -> None:
    loosened, ended = (done("20%", day).marks for day in ("2024-01-01", "2023-12-31"))
    assert [mark.usage["position"] for mark in loosened if mark.usage] == [0.5]
    assert [mark.usage["position"] for mark in ended if mark.usage] == [1.0]


def test_a_loosening_of_a_halt_ends_at_its_instant_though_nothing_is_proposed() -> None:
    policy = """limit fall  drawdown <= 1%  otherwise halt
exception patience to fall
  loosens to 50%  owner "risk desk"  until 2024-01-01  because "a slow week"
"""
    rows = [flat(100, 1), flat(100), *[flat(70)] * 30]
    rules = strategy("volume > 0", size="50% of equity", stop="90% below entry", more=["exit when close < open"])
    replayed = run(compiled(rules, policy), market(bars("BTC-USD", rows)))
    assert [(latch.rule, latch.verdict, latch.at) for latch in replayed.latches] == [
        ("fall", "halt", (parse_instant("2024-01-02") or 0))
    ]


def test_an_ended_exception_is_an_error_from_its_instant_on() -> None:
    file, _ = parse("policy/p.tb", POLICY.format(bound="8%", day="2024-02-29"), is_policy=True)
    zone = compiled(strategy()).settings.account.timezone
    end = parse_instant("2024-03-01") or 0
    assert end % DAY == 0

    def codes(as_of: int | None) -> list[str]:
        return [found.code for found in check([file], as_of=as_of, zone=zone)[1] if found.code == "TB503"]

    assert (codes(None), codes(end - 1), codes(end), codes(end + DAY)) == ([], [], ["TB503"], ["TB503"])


def test_a_day_ends_in_its_own_zone() -> None:
    from datetime import date
    from zoneinfo import ZoneInfo

    assert day_end(date(2024, 3, 30), ZoneInfo("Europe/Berlin")) == parse_instant("2024-03-30T23:00")
    assert day_end(date(2024, 3, 31), ZoneInfo("Europe/Berlin")) == parse_instant("2024-03-31T22:00")
