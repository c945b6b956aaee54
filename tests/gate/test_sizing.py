"""Sizes and levels: on the grid, exact, and rounded toward less risk."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_projects import compiled, strategy

from tb.core.settings import InstrumentSpec
from tb.gate.levels import levels, to_grid
from tb.gate.sizing import Sized, expected_price, size

D = Decimal

STEPS = st.sampled_from([D("0.01"), D("0.001"), D("1"), D("0.00000001"), D("0.3"), D("0.25"), D("5"), D("0.07")])
VALUES = st.decimals(min_value=D("-1e9"), max_value=D("1e9"), places=10).map(lambda value: value + 0)
PRICES = st.decimals(min_value=D("0.01"), max_value=D("99999"), places=2)
SPEC = InstrumentSpec(tick=D("0.01"), lot=D("0.001"))


@given(VALUES, STEPS, st.booleans())
def test_the_grid_is_the_nearest_multiple_beyond(value: D, step: D, up: bool) -> None:
    found = Fraction(to_grid(value, step, up=up))
    assert (found / Fraction(step)).denominator == 1
    distance = found - Fraction(value) if up else Fraction(value) - found
    assert 0 <= distance < Fraction(step)


def test_28_digits_that_almost_reach_a_step_do_not_reach_it() -> None:
    assert to_grid(D("0.8999999999999999999999999999"), D("0.3"), up=False) == D("0.6")
    assert to_grid(D("0.9000000000000000000000000001"), D("0.3"), up=True) == D("1.2")


def test_the_ambient_precision_of_the_program_that_calls_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        assert to_grid(D("12345.678"), D("0.01"), up=True) == D("12345.68")


def test_what_an_order_is_expected_to_pay() -> None:
    quote = (D("99.5"), D("100.5"))
    assert expected_price(1, quote, D("0.001"), D("0.01")) == D("100.61")  # 100.6005 up
    assert expected_price(-1, quote, D("0.001"), D("0.01")) == D("99.40")  # 99.4005 down
    assert expected_price(1, quote, D(0), D("0.01")) == D("100.5")


def sized(rules: str, price: D, equity: D | None, values: dict[str, float] | None = None, spec: InstrumentSpec = SPEC) -> Sized:
    plan = compiled(rules).plan
    known = values or {}

    def read(node: int) -> float | None:
        return known.get(str(plan.graph[node].consts[0])) if plan.graph[node].op == "field" else None

    return size(plan.graph, plan.strategies[0].enters[0], price, equity, spec, read)


LONG_R = strategy(size="risking 2% of equity", stop="7% below entry", target="2.5R")
SHORT_R = strategy(direction="short", size="risking 2% of equity", stop="7% above entry", target="2.5R")


@given(PRICES, st.decimals(min_value=D(1), max_value=D("1e7"), places=2), st.sampled_from([LONG_R, SHORT_R]))
def test_risking_never_loses_more_than_its_share_at_the_stop_and_one_lot_more_would(price: D, equity: D, rules: str) -> None:
    found = sized(rules, price, equity)
    if found.missing:
        # one tick is too coarse for this price
        assert found.quantity == 0
        return
    assert found.stop is not None
    assert found.target is not None
    sign = 1 if rules is LONG_R else -1
    distance, share = abs(price - found.stop), Fraction(equity) * Fraction(2, 100)
    assert Fraction(found.quantity) * Fraction(distance) <= share
    assert Fraction(found.quantity + SPEC.lot) * Fraction(distance) > share
    # levels lie on the tick that is nearer to the entry
    assert 0 <= sign * (Fraction(found.stop) - Fraction(price) * (1 - sign * Fraction(7, 100))) < Fraction(1, 100)
    assert (
        0 <= sign * (Fraction(price) + sign * Fraction(5, 2) * Fraction(distance) - Fraction(found.target)) < Fraction(1, 100)
    )


@given(PRICES, st.decimals(min_value=D(1), max_value=D("1e7"), places=2))
def test_a_share_is_never_exceeded_and_one_lot_more_would(price: D, equity: D) -> None:
    found = sized(strategy(size="3% of equity"), price, equity)
    share = Fraction(equity) * Fraction(3, 100)
    assert Fraction(found.quantity) * Fraction(price) <= share < Fraction(found.quantity + SPEC.lot) * Fraction(price)
    assert found.intended == equity * D("0.03")


CASES = "1% of equity if close > open\n      2% of equity if high > low\n      3% of equity if low > 0"


@pytest.mark.parametrize(
    ("values", "share", "missing"),
    [
        ({"close": 2.0, "open": 1.0}, "1", ()),
        ({"close": 1.0, "open": 1.0, "high": 2.0, "low": 1.0}, "2", ()),
        ({"close": 1.0, "open": 1.0, "high": 1.0, "low": 1.0}, "3", ()),
        ({"close": 1.0, "open": 1.0, "high": 0.0, "low": 0.0}, None, ("size",)),  # no case holds
        ({"close": 1.0, "high": 2.0, "low": 1.0}, None, ("size",)),  # an earlier one cannot be known
    ],
)
def test_the_first_case_that_holds_and_nothing_behind_an_unknown_one(
    values: dict[str, float], share: str | None, missing: tuple[str, ...]
) -> None:
    # conditions are leaves here: what they are is computed from the fields given
    plan = compiled(strategy(size=CASES, stop="5% below entry")).plan

    def read(node: int) -> float | None:
        here = plan.graph[node]
        if here.op == "field":
            return values.get(str(here.consts[0]))
        if here.op == "gt":
            left, right = (float(plan.graph[a].consts[0] or 0) if plan.graph[a].op == "const" else read(a) for a in here.args)
            return None if left is None or right is None else float(left > right)
        return None

    found = size(plan.graph, plan.strategies[0].enters[0], D(10), D(1000), SPEC, read)
    assert found.missing == missing
    assert found.intended == (None if share is None else D(share) * 10)


def test_what_cannot_be_computed_is_named_and_nothing_is_ordered_in_its_place() -> None:
    assert sized(strategy(stop="at low"), D(100), D(1000)).missing == ("stop",)
    assert sized(strategy(stop="at low", size="risking 1% of equity", target="2R"), D(100), D(1000)).missing == (
        "stop",
        "target",
    )
    assert sized(strategy(), D(100), None).missing == ("equity",)
    assert sized(strategy(stop="at low"), D(100), None).missing == ("stop", "equity")
    # rounded to the tick nearer to the entry, the stop is the entry: nothing is at risk, so no quantity follows
    coarse = InstrumentSpec(tick=D(10), lot=D("0.001"))
    assert sized(strategy(size="risking 1% of equity", stop="5% below entry"), D(100), D(1000), None, coarse).missing == (
        "stop",
    )
    assert sized(strategy(), D(100), D(-5)).quantity == 0


def test_a_level_that_is_no_price_is_missing() -> None:
    plan = compiled(strategy(stop="2 * close below entry")).plan
    enter = plan.strategies[0].enters[0]
    assert levels(plan.graph, enter, D(3), D("0.01"), lambda node: 4.0) == (None, None, ("stop",))
