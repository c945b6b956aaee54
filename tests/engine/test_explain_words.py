"""Conditions back in the language's words: what is said means the same when it is read again."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from small_projects import compiled, strategy

from tb.core.units import NUMBER, PRICE, QUANTITY, RATIO, Kind, R, Unit, money
from tb.engine.explain.words import describe, show_apart, show_together, show_value
from tb.engine.plan import Plan

D = Decimal

CONDITIONS = (
    "close > open",
    "close + high > 2 * low",
    "close - (high - low) > low - open",
    "(close - high) - low > 0",
    "high / (close / open) > close * (high / low) / 2",
    "-(close - open) < high",
    "not (close > open and high > low) or volume > 0",
    "(close > open or high > low) and volume > 0",
    "not close > open",
    "close[3] > highest(high, 20)[1]",
    "(close - open)[2] > 0",
    "close of ETH-USD > sma(close, 20) of ETH-USD",
    "(close > open) of ETH-USD",
    "close@4h > ema(close, 10)@4h",
    "(close > open and volume > 0) for 3 bars",
    "close > open within 5 bars",
    "macd(close, 12, 26, 9).signal > 0",
    "bollinger(close, 20, 2).upper > close",
    "volume_usd(24) >= 5M USD",
    "spread < 1% and depth(1%) >= 10k USD",
    "abs(change(close, 24)) > 3%",
    "max(open, close) < min(high, 2 * low)",
    "hour == 8 or weekday != 5",
    "tier is t",
    "not tier is t",
    "correlation(close, volume, 20) > 0.5",
)


def planned(condition: str) -> Plan:
    return compiled(strategy(condition, members="BTC-USD, ETH-USD")).plan


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_is_said_of_a_condition_builds_the_same_condition(condition: str) -> None:
    plan = planned(condition)
    root = plan.strategies[0].enters[0].when
    said = describe(plan.graph, root)
    again = planned(said)
    assert again.graph[again.strategies[0].enters[0].when].key == plan.graph[root].key
    assert describe(again.graph, again.strategies[0].enters[0].when) == said


def test_parts_keep_their_names_and_the_whole_is_spelled_out() -> None:
    rules = "param loud = 1.5\n\nlet relative = volume / mean(volume, 24)\n\ntrigger surge\n  when relative > loud\n\n"
    plan = compiled(rules + strategy("surge and close > open")).plan
    root = plan.strategies[0].enters[0].when
    graph = plan.graph
    assert describe(graph, root) == "surge and close > open"
    surge = graph[root].args[0]
    assert (describe(graph, surge), describe(graph, surge, expand=False)) == ("relative > loud", "surge")


@pytest.mark.parametrize(
    ("before", "condition", "said"),
    [
        ("", "rsi_turn_up and rsi(close, 14) > 80", "rsi_turn_up and rsi(close, 14) > 80"),
        ("let mine = rsi(close, 14)\n", "rsi_turn_up and mine > 80", "rsi_turn_up and mine > 80"),
        ("", "rsi_turn_up and strength > 80", "rsi_turn_up and strength > 80"),
    ],
)
def test_names_of_the_library_stand_only_where_the_project_does_not_write_the_same(
    before: str, condition: str, said: str
) -> None:
    plan = compiled("use std.triggers: rsi_turn_up, strength\n\n" + before + strategy(condition)).plan
    assert describe(plan.graph, plan.strategies[0].enters[0].when) == said


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (D("0.032"), Unit(Kind.RATIO), "3.2%"),
        (D("0.0005"), RATIO, "5bps"),
        (D("-0.0005"), RATIO, "-5bps"),
        (D("7940"), money("USD"), "7,940.00 USD"),
        (61204.5, PRICE, "61,204.5"),
        (0.00001234, PRICE, "1.234e-05"),
        (0.0, PRICE, "0"),
        (D("12.5"), QUANTITY, "12.5"),
        (D(7_200_000), Unit(Kind.DURATION), "2h"),
        (D(-7_200_000), Unit(Kind.DURATION), "-2h"),
        (D(2_874_856), Unit(Kind.DURATION), "47m54.856s"),
        (D(-725_144), Unit(Kind.DURATION), "-12m5.144s"),
        (D(93_784_000), Unit(Kind.DURATION), "1d2h3m4s"),
        (D(5_400_000), Unit(Kind.DURATION), "90m"),
        (D(59_500), Unit(Kind.DURATION), "59500ms"),
        (2.5, R, "2.5R"),
        (float("nan"), NUMBER, "unknown"),
        (None, NUMBER, "unknown"),
        (True, Unit(Kind.TRUTH), "true"),
        (0.0, Unit(Kind.TRUTH), "false"),
        ("BTC-USD", Unit(Kind.INSTRUMENT), "BTC-USD"),
        ("", Unit(Kind.LIST), "none"),
    ],
)
def test_values_are_shown_as_people_write_them(value: D | float | str | None, unit: Unit, shown: str) -> None:
    assert show_value(value, unit) == shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("0.0005", "0.006", "0.0055"), ("0.05%", "0.6%", "0.55%")),
        (("0.0005", "0.0006", "0.0001"), ("5bps", "6bps", "1bps")),
        (("0", "0.0006", "0.0006"), ("0bps", "6bps", "6bps")),
        (("0", "0.03", "0.03"), ("0%", "3%", "3%")),
        (("-0.0005", "0.2"), ("-0.05%", "20%")),
        (("0.030000001", "0.03", "0.000000001"), ("3%", "3%", "0.0000001%")),
        ((None, "0.0006"), ("unknown", "6bps")),
        ((None, "0.0006", "0.5"), ("unknown", "0.06%", "50%")),
        (("0", None), ("0%", "unknown")),
    ],
)
def test_shares_that_stand_together_have_one_unit(values: tuple[str | None, ...], said: tuple[str, ...]) -> None:
    assert show_together([None if value is None else Decimal(value) for value in values], RATIO) == said
    assert show_together([math.nan if value is None else float(value) for value in values], RATIO) == said


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        (("0.00600001", "0.006", "0.00000001"), RATIO, ("0.6000010%", "0.6000000%", "0.0000010%")),
        (("0.5", "0.006"), RATIO, ("50%", "0.6%")),
        (("0.006", "0.0060"), RATIO, ("0.6%", "0.6%")),
        (("500.0004", "500", "0.0004"), money("USD"), ("500.00040 USD", "500.00000 USD", "0.00040 USD")),
        (("1.49999999", "1.5"), NUMBER, ("1.499999990", "1.500000000")),
        (("3.502872350", "3.502872355"), QUANTITY, ("3.5028723500", "3.5028723550")),
        ((None, "1"), NUMBER, ("unknown", "1")),
    ],
)
def test_what_is_different_does_not_look_alike(values: tuple[str | None, ...], unit: Unit, said: tuple[str, ...]) -> None:
    assert show_apart([None if value is None else Decimal(value) for value in values], unit) == said


@pytest.mark.parametrize(
    ("value", "said"), [("250000000", "250,000,000"), ("0.00001", "0.00001"), ("3.502872355", "3.5028724")]
)
def test_quantities_have_no_power_of_ten(value: str, said: str) -> None:
    assert show_value(Decimal(value), QUANTITY) == said
