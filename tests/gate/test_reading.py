"""What is read once and kept is what would be read anew, and what is judged from it is what is judged of exact inputs."""

from __future__ import annotations

import math
import struct
import sys
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moments import EVERYTHING, Life

sys.path.append(str(Path(__file__).resolve().parent.parent / "engine"))
import policies
import programs

from tb.engine.instant import exact
from tb.engine.program import rounded
from tb.gate import reading
from tb.gate.gate import Gate
from tb.gate.leaves_source import NUMBERS, OF_ACCOUNT, OF_THE_DAY, QUICKLY, SHARED, WHOLE, WORDS
from tb.gate.reading import texts_of
from tb.vocabulary.facts import FACTS

LOT = Decimal("0.01")


FILLERS = [
    pytest.param(None, id="plain"),
    pytest.param(
        reading.filling,
        id="compiled",
        marks=pytest.mark.skipif(reading.filling is None, reason="filling.c is not compiled for this Python"),
    ),
]


@pytest.mark.parametrize("filling", FILLERS)
@given(data=st.data())
@programs.examples(60)
def test_a_gate_that_keeps_what_it_read_judges_as_of_exact_inputs(filling: Any, data: st.DataObject) -> None:
    with patch.object(reading, "filling", filling):
        judges_as_of_exact_inputs(data)


def judges_as_of_exact_inputs(data: st.DataObject) -> None:
    lines = data.draw(st.just(EVERYTHING) | policies.constraints() | policies.constraints())
    plan = policies.plan_of(lines)
    gate = Gate(plan.graph, policies.policy_of(plan))
    life = Life(Random(data.draw(st.integers(0, 10**9))))
    for _ in range(15):
        life.live()
        moment, market = life.moment(), life.market()
        inputs = gate.inputs(moment, market)
        found = gate.judge(moment, market, LOT)
        assert list(map(repr, found.inputs)) == list(map(repr, inputs))
        assert found.texts == tuple(None if value is None else str(value) for value in inputs)
        assert found == gate.decide(inputs, moment.proposal.adds_risk, moment.proposal.quantity, LOT), "\n".join(lines)


def test_the_policy_above_reads_every_fact_that_is_kept() -> None:
    plan = policies.plan_of(EVERYTHING)
    gate = Gate(plan.graph, policies.policy_of(plan))
    kept = {leaf[0] for leaf in gate._leaves if not isinstance(leaf, int)} & SHARED
    assert SHARED - kept == set(
        "order.tick order.lot order.fee_rate order.margin_rate margin_free reserved working_orders".split()
    )


def test_facts_are_read_in_one_way_each() -> None:
    ways = [set(NUMBERS), set(WORDS), set(WHOLE), set(SHARED)]
    assert sum(map(len, ways)) == len(set().union(*ways))
    assert set().union(*ways) <= {name for name, spec in FACTS.items() if not spec.is_derived}


def test_what_is_read_quickly_is_a_fact_that_follows_from_the_account() -> None:
    of_account = {leaf for leaf in QUICKLY if not isinstance(leaf, int)}
    assert {name for name, _ in of_account} <= OF_ACCOUNT | OF_THE_DAY
    assert {argument for name, argument in of_account if name in OF_THE_DAY} == {"today"}


@pytest.mark.parametrize("changed", ["groups", "restricted", "minimum", "maximum", "instrument", "account"])
def test_what_a_session_never_changes_is_looked_at_all_the_same(changed: str) -> None:
    plan = policies.plan_of(EVERYTHING)
    gate = Gate(plan.graph, policies.policy_of(plan))
    life = Life(Random(7))
    for _ in range(40):
        moment, market = life.moment(), life.market()
        gate.judge(moment, market, LOT)
        match changed:
            case "groups":
                life.groups = {"coins": life.source.choice((("BTC-USD",), ("ETH-USD", "SOL-USD"))), "pairs": ()}
            case "restricted":
                life.restricted = life.source.choice(((), ("BTC-USD",), ("ETH-USD", "SOL-USD")))
            case "account":
                life = Life(life.source)
                life.live()
        again = life.moment()
        assert gate.judge(again, market, LOT).inputs == tuple(gate.inputs(again, market))


def test_a_gate_that_is_asked_by_another_thread_meanwhile_answers_too() -> None:
    plan = policies.plan_of(EVERYTHING)
    gate = Gate(plan.graph, policies.policy_of(plan))
    life = Life(Random(3))
    moment, market = life.moment(), life.market()
    expected, others = gate.decide(gate.inputs(moment, market), True, moment.proposal.quantity, LOT), []

    def meanwhile(leaf: int) -> float | None:
        if not others:
            others.append(None)
            thread = threading.Thread(target=lambda: others.append(gate.judge(moment, market, LOT)))
            thread.start()
            thread.join()
        return market(leaf)

    assert gate.judge(moment, meanwhile, LOT).inputs == expected.inputs
    assert others[1].inputs == expected.inputs


def test_a_reader_that_fails_leaves_nothing_behind_that_a_later_order_is_judged_by() -> None:
    plan = policies.plan_of(["limit a after.exposure(order.instrument) <= 60% of equity"])
    gate = Gate(plan.graph, policies.policy_of(plan))
    life = Life(Random(5))
    life.account.fill("trend", "BTC-USD", Decimal(3), Decimal(100), Decimal(0))
    moment, market = life.moment(), life.market()
    gate.judge(moment, market, LOT)
    life.account.cash = "nothing to add to"  # type: ignore[assignment]
    life.account.mark("BTC-USD", Decimal(1))
    with pytest.raises(TypeError):
        gate.judge(moment, market, LOT)
    life.account.cash = Decimal(500)
    life.account.mark("BTC-USD", Decimal(2))
    expected = tuple(gate.inputs(moment, market))
    assert Decimal(506) in expected
    assert gate.judge(moment, market, LOT).inputs == expected


@given(
    st.lists(
        st.floats() | st.none() | st.sampled_from([1e16, 1e-6, 9.9e-7, 1e-7, -0.0, 1e22, 5e-324, 0.0000012]),
        min_size=1,
        max_size=6,
    )
)
@programs.examples(400)
def test_market_values_have_the_text_of_their_exact_value(values: list[float | None]) -> None:
    expected = [None if value is None else str(value) for value in map(exact, values)]
    assert texts_of(tuple(values)) == expected


@pytest.mark.parametrize("value", [np.float64(1.5), np.float64(np.nan), np.float32(0.1), 3, 0, True])
def test_whatever_a_view_takes_for_a_float_has_the_text_of_its_exact_value(value: float) -> None:
    assert texts_of((2.5, value, None)) == ["2.5", None if math.isnan(value) else str(exact(value)), None]
    assert texts_of((value,)) == [None if math.isnan(value) else str(exact(value))]


def test_and_so_have_floats_of_any_bits() -> None:
    source = Random(1)
    for _ in range(5_000):
        values = tuple(struct.unpack("d", struct.pack("Q", source.getrandbits(64)))[0] for _ in range(4))
        plain = tuple(source.uniform(-1, 1) * 10.0 ** source.randint(-6, 16) for _ in range(4))
        for drawn in (values, plain):
            assert texts_of(drawn) == [None if value is None else str(value) for value in map(exact, drawn)]


@pytest.mark.parametrize("text", ["5", "5.0", "5.00000000000000000000001", "0", "1E-400", "4503599627370497", "-3", "2.5"])
def test_only_whole_numbers_are_taken_to_be_whole(text: str) -> None:
    number, near = Decimal(text), rounded(Decimal(text))
    assert (near.is_integer() and abs(near) < 2**52) == (number == int(number) and abs(number) < 2**52)


NEARLY = "5.00000000000000000000001"  # the float of 5


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("limit one order.target <= order.price", {"target": NEARLY, "price": "5"}),
        ("limit one order.price >= order.target", {"target": NEARLY, "price": "5"}),
        ("require one order.price == order.target", {"target": NEARLY, "price": "5"}),
        ("require one order.stop >= order.price", {"stop": "4.99999999999999999999999", "price": "5"}),
        ("limit one order.intended - order.intended * 1 + cash <= 5 USD", {"cash": NEARLY}),
        ("limit one equity <= 5 USD", {"cash": NEARLY}),
    ],
)
def test_numbers_that_are_apart_by_less_than_floats_can_tell_are_told_apart(line: str, changed: dict[str, str]) -> None:
    plan = policies.plan_of([line])
    policy = policies.policy_of(plan)
    gate, life = Gate(plan.graph, policy), Life(Random(1))
    numbers = {name: Decimal(text) for name, text in changed.items()}
    if "cash" in numbers:
        life.account.cash = numbers.pop("cash")
        life.account.kept.is_summed = False
    moment = life.moment()
    moment = replace(moment, proposal=replace(moment.proposal, intended=Decimal(3), missing=None, adds_risk=True, **numbers))
    bit = next(bit for bit, c in enumerate(policy.constraints) if c.name == "one")
    found = gate.judge(moment, life.market(), LOT)
    assert (found.failed >> bit & 1, found.unknown >> bit & 1) == (1, 0)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "-Infinity", "NaN123", "1E+400"])
def test_of_what_is_no_number_nothing_is_known(text: str) -> None:
    assert math.isinf(rounded(Decimal(text)))
