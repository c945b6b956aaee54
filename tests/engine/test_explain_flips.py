"""Flip points: where one input alone changes the answer, checked by evaluation."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_projects import compiled, strategy

from tb.engine.explain.clauses import truth_of
from tb.engine.explain.flips import Flip, flips
from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves

D = Decimal

FIELDS = ("open", "high", "low", "close", "volume", "hour", "weekday")


def solved(condition: str, **values: float) -> tuple[dict[str, Flip], RuleGraph, int, dict[int, Exact | float]]:
    plan = compiled(strategy(condition)).plan
    enter = plan.strategies[0].enters[0]
    leaves: dict[int, Exact | float] = {leaf: values[str(plan.graph[leaf].consts[0])] for leaf in enter.leaves}
    found = flips(plan.graph, enter.when, leaves)
    return {flip.input: flip for flip in found}, plan.graph, enter.when, leaves


@pytest.mark.parametrize(
    ("condition", "values", "points"),
    [
        ("hour > 5", {"hour": 3.0}, {"hour": "5"}),
        ("hour > 5", {"hour": 9.0}, {"hour": "5"}),
        ("2 * close - open > high", {"close": 10.0, "open": 4.0, "high": 12.0}, {"close": "8", "open": "8", "high": "16"}),
        # exactly at the threshold, each direction
        ("hour >= 5", {"hour": 5.0}, {"hour": "5"}),
        ("hour <= 5", {"hour": 5.0}, {"hour": "5"}),
        ("hour > 5", {"hour": 5.0}, {"hour": "5"}),
        ("hour < 5", {"hour": 5.0}, {"hour": "5"}),
        # the nearest of two
        ("hour in 5..9", {"hour": 7.5}, {"hour": "9"}),
        ("hour > 5 and weekday > 2", {"hour": 9.0, "weekday": 4.0}, {"hour": "5", "weekday": "2"}),
        # two are needed: neither alone
        ("hour > 5 and weekday > 2", {"hour": 1.0, "weekday": 1.0}, {}),
        ("hour > 5 or weekday > 2", {"hour": 9.0, "weekday": 4.0}, {}),
    ],
)
def test_points_on_straight_lines_are_exact(condition: str, values: dict[str, float], points: dict[str, str]) -> None:
    found, *_ = solved(condition, **values)
    assert {name: D(flip.exact) for name, flip in found.items()} == {name: D(at) for name, at in points.items()}


def test_a_divisor_is_no_straight_line_and_is_met_to_the_last_digits_of_a_float() -> None:
    found, *_ = solved("close / open > 2", close=10.0, open=4.0)
    assert D(found["close"].exact) == 8
    assert float(found["open"].exact) == pytest.approx(5, rel=1e-14)
    assert found["open"].at == "5"


def test_a_pole_is_no_flip_point() -> None:
    # 1 / 0.1 is above 2; at 0 the quotient changes sign without ever being 2, though 0 is nearer than 0.5, where it is 2
    found, *_ = solved("1 / funding_rate > 2", funding_rate=0.1)
    assert float(found["funding_rate"].exact) == pytest.approx(0.5, rel=1e-14)


def test_a_value_exactly_at_its_threshold_flips_on_the_side_that_changes() -> None:
    for condition, (inside, at, outside) in {
        "hour >= 5": ("true", "true", "false"),
        "hour <= 5": ("true", "true", "false"),
        "hour > 5": ("false", "false", "true"),
        "hour < 5": ("false", "false", "true"),
    }.items():
        flip = solved(condition, hour=5.0)[0]["hour"]
        assert (flip.inside, flip.at_point, flip.outside) == (inside, at, outside)


def test_curves_are_halved_until_they_meet() -> None:
    found, *_ = solved("log(close / open) > 1", close=10.0, open=10.0)
    assert float(found["close"].exact) == pytest.approx(10 * math.e, rel=1e-9)
    assert float(found["open"].exact) == pytest.approx(10 / math.e, rel=1e-9)
    found, *_ = solved("hour * hour > weekday", hour=3.0, weekday=4.0)
    assert float(found["hour"].exact) == pytest.approx(2, rel=1e-9)


def test_unknown_inputs_and_answers_have_no_flip_and_limits_of_a_value_are_kept() -> None:
    assert solved("hour > 5", hour=math.nan)[0] == {}
    assert solved("hour > -1", hour=3.0)[0] == {}  # an hour below 0 does not exist


@given(
    st.sampled_from(
        [
            "close > open",
            "2 * close > open + high",
            "close / open >= 1.5",
            "max(open, close) < high",
            "abs(close - open) <= high / 4",
        ]
    ),
    st.lists(st.integers(1, 400).map(lambda n: n / 8), min_size=3, max_size=3),
)
def test_every_flip_holds_at_inside_and_outside(condition: str, prices: list[float]) -> None:
    values = dict(zip(("open", "high", "close"), prices, strict=True))
    found, graph, root, leaves = solved(condition, **values)
    for leaf, value in leaves.items():
        flip = found.get(describe(graph, leaf))
        if flip is None:
            continue
        assert isinstance(value, float)

        def answer(to: float, leaf: int = leaf) -> str:
            return truth_of(from_leaves(graph, {**leaves, leaf: to}, [root])[root])

        point = float(flip.exact)
        step = max(abs(point), abs(value)) * 1e-8
        away = -1 if flip.outside == answer(point - step) != answer(value) or point < value else 1
        assert answer(value) == flip.inside
        assert answer(point + away * step) == flip.outside
        assert point == value or answer(value + (point - value) / 2) == flip.inside


@pytest.mark.parametrize("inside", ["count(close > sma(close, 3), 5) >= 2", "bars_since(close crosses above open, 9) <= 2"])
def test_an_input_that_is_also_inside_of_another_one_flips_where_it_stands_alone(inside: str) -> None:
    plan = compiled(strategy(f"close > open and {inside}")).plan
    enter = plan.strategies[0].enters[0]
    values = {"close": 12.0, "open": 10.0}
    leaves = {leaf: values.get(str(plan.graph[leaf].consts[0]), 2.0) for leaf in enter.leaves}
    found = {flip.input: flip.exact for flip in flips(plan.graph, enter.when, leaves)}
    assert (found["close"], found["open"], len(found)) == ("10", "12", 3)


COUNTED = """limit a entries(today) < 6
limit b losses_in_a_row <= 2.5
pause c for 1h after 3 losses in a row
forbid d when open_positions > 1
"""


@pytest.mark.parametrize(
    ("rule", "name", "now", "at", "exact"),
    [
        ("a", "entries(today)", 6, "5", "6"),
        ("a", "entries(today)", 9, "5", "6"),
        ("a", "entries(today)", 2, "6", "6"),
        ("b", "losses_in_a_row", 0, "3", "2.5"),
        ("b", "losses_in_a_row", 5, "2", "2.5"),
        ("c", "losses_in_a_row", 5, "2", "3"),
        ("c", "losses_in_a_row", 3, "2", "3"),
        ("c", "losses_in_a_row", 1, "3", "3"),
        ("d", "open_positions", 1, "2", "1"),
        ("d", "open_positions", 0, "2", "1"),
        ("d", "open_positions", 4, "1", "1"),
    ],
)
def test_what_is_counted_flips_at_a_whole_number(rule: str, name: str, now: int, at: str, exact: str) -> None:
    plan = compiled(strategy(), COUNTED).plan
    policy = next(iter(plan.policies.values()))
    constraint = next(one for one in policy.constraints if one.name == rule)
    leaves: dict[int, Exact | float] = {leaf: D(now) if describe(plan.graph, leaf) == name else D(1) for leaf in policy.leaves}
    flip = next(one for one in flips(plan.graph, constraint.node, leaves) if one.input == name)
    change = D(at) - now
    assert (flip.value, flip.at, flip.exact, flip.change) == (str(now), at, exact, f"{change:+}")
    assert flip.inside != flip.outside
