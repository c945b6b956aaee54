"""Feeds in tests over bars: given by the test, or recorded beside the bars of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_tests import POLICY, order, run

from tb.analysis.testing.text import text
from tb.core.diagnostics import Refused

FEEDS = """feed mood: number in 0..100 every 1d, stale after 2d
feed wire: number in -1..1 per instrument, stale after 6h
feed outage: truth, stale after 1d
"""
CALM = "".join(line for line in POLICY.splitlines(keepends=True) if "rsi" not in line)
MOODY = f"{CALM}\n{FEEDS}forbid gloomy when mood < 20\nforbid down when outage\n"
WIRED = """
universe majors
  tier core  BTC-USD, ETH-USD

strategy news on majors every 1h
  enter long when wire > 0.5 and close > 0
    size 5% of equity
    stop 8% below entry
    target 15% above entry
    because "wire {wire}"
"""
BARS = "  bars BTC-USD 1h\n    100\n"


def over(given: str, expect: str, bars: str = BARS, rules: str = WIRED, policy: str = MOODY, root: Path = Path()) -> list[str]:
    report = run(f'test "a"\n  given  {given}\n{bars}  expect {expect}\n', rules=rules, policy=policy, root=root)
    return [f"{failure.actual} | {failure.hint}" for failure in report.results[0].failures]


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("wire = 0.6, mood = 20, outage = false", "approve buy BTC-USD by news"),
        ("wire = 0.5, mood = 20, outage = false", "no proposal"),
        ("wire = 0.6, mood = 19.9, outage = false", "reject by gloomy with margin 0.1"),
        ("wire = 0.6, mood = unknown, outage = false", "reject by gloomy"),
        ("wire = 0.6, mood = 20, outage = true", "reject by down"),
        ("wire = 0.6, mood = 20", "reject by down"),
        ("wire of BTC-USD = 0.6, mood = 20, outage = false", "approve buy BTC-USD by news"),
        ("wire of BTC-USD = 0.6, wire of ETH-USD = -1, mood = 20, outage = false", "wire > 0.5"),
        ("wire = 0.6, mood = 20, outage = false", "age of mood == 0h and mood == 20"),
    ],
)
def test_a_feed_can_be_given_beside_bars(given: str, expect: str) -> None:
    assert over(given, expect) == []


def test_a_feed_that_rules_declare_can_be_given_too() -> None:
    rules = "feed own: number, stale after 1h\n" + WIRED.replace("wire > 0.5", "own > 0.5").replace("{wire}", "{own}")
    given = "own = 1, mood = 50, outage = false"
    assert over(given, "approve buy BTC-USD by news", rules=rules) == []
    assert over(given.replace("1", "0", 1), "no proposal", rules=rules) == []


def test_a_feed_of_each_instrument_is_that_of_the_one_named() -> None:
    both = BARS + BARS.replace("BTC", "ETH")
    assert over("wire of BTC-USD = 0.6, mood = 20, outage = false", "approve buy BTC-USD by news", both) == []
    [failure] = over("wire of BTC-USD = 0.6, mood = 20, outage = false", "approve buy ETH-USD by news", both)
    assert failure.startswith("approve buy BTC-USD by news")
    assert over("wire = 0.6, mood = 20, outage = false", "approve buy ETH-USD by news", both) == []


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            "mood = 101",
            "`101` is outside of the range of `mood` (line 17), where it is unknown",
            "give a value inside of it, or `unknown`",
        ),
        ("wire = 0.5 USD", "a number cannot be given as money in USD", ""),
        ("rsi(close, 14) = 5", "`rsi(close, 14)` is computed from the bars", "write bars that give it"),
        ("drawdown = 5%", "`drawdown` follows from what is played over the bars", "judge an order"),
        ("close = 5 USD/BTC", "`close` comes from the bars", "write it in the bars"),
    ],
)
def test_what_cannot_be_given_beside_bars_says_why(given: str, message: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        over(given, "no proposal")
    [told] = refused.value.findings
    assert told.message == message
    assert hint in told.hint


def test_a_feed_that_nothing_reads_is_no_part_of_a_test() -> None:
    unread = MOODY + "feed dull: number, stale after 1d\n"
    assert over("dull = 1, wire = 0", "no proposal", policy=unread) == [
        "nothing reads what is given: `dull = 1` | give what the rules read, or remove it"
    ]


def test_feeds_recorded_beside_the_bars_are_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "feeds").mkdir(parents=True)
    (data / "BTC-USD.csv").write_text(
        "time,open,high,low,close,volume\n" + "".join(f"2026-01-05T0{hour}:00Z,9,9,9,9,1\n" for hour in range(4)),
        encoding="utf-8",
    )
    (data / "feeds" / "wire.BTC-USD.csv").write_text("time,wire\n2026-01-05T02:00Z,0.9\n", encoding="utf-8")
    (data / "feeds" / "mood.csv").write_text("time,mood\n2026-01-03,50\n", encoding="utf-8")
    (data / "feeds" / "outage.csv").write_text("time,outage\n2026-01-05T00:00Z,false\n", encoding="utf-8")

    def told(expect: str, until: str = "", given: str = "") -> str:
        body = f'test "a"\n{given}  data "data"{until}\n  expect {expect}\n'
        report = run(body, rules=WIRED, policy=MOODY, root=tmp_path)
        return "" if report.passed else text(report)

    assert told("approve buy BTC-USD by news", " to 2026-01-05 02:00") == ""
    assert told("wire is unknown", " to 2026-01-05 01:00") == ""
    assert told("mood == 50") == ""
    assert told("mood == 10", given="  given mood = 10\n") == ""  # what is given stands in place of what is recorded
    (data / "feeds" / "mood.csv").write_text("time,mood\nsoon,50\n", encoding="utf-8")
    assert "soon" in told("mood == 50")


def test_an_order_is_judged_by_a_feed_that_is_given() -> None:
    for value, verdict in (("20", "approve"), ("19", "reject by gloomy")):
        assert run(
            order(verdict, f"mood = {value}, outage = false, rsi(close, 14) = 50"), policy=POLICY + MOODY[len(CALM) :]
        ).passed
