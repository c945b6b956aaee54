"""What is said for certain is what the decision function says, whatever the inputs, and little is left unsaid."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import policies
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.units import Kind
from tb.engine.decide import generate
from tb.engine.instant import Exact
from tb.engine.interpret import judge
from tb.engine.surely import Growing, Rest, Surely

D = Decimal


@given(st.data())
@programs.examples(150)
def test_what_is_certain_is_what_the_interpreter_says(data: st.DataObject) -> None:
    lines = data.draw(policies.constraints())
    plan = policies.plan_of(lines)
    policy = policies.policy_of(plan)
    surely, rest = Surely(plan.graph, policy, policy.leaves, ()), Rest(plan.graph, policy, generate(plan.graph, policy).judge)
    order, some = data.draw(st.permutations(policy.leaves)), data.draw(st.sets(st.sampled_from(policy.leaves)))
    vague = Surely(plan.graph, policy, order, some)
    parted = Surely(plan.graph, policy, order, (), data.draw(st.sets(st.sampled_from(policy.leaves))))
    waiting = Surely(plan.graph, policy, order, (), data.draw(st.sets(st.sampled_from(policy.leaves))), patience=3)
    for _ in range(6):
        inputs = data.draw(policies.vectors(plan.graph, policy))
        for asked in (surely, vague, parted, waiting):
            asked.give(inputs)
            failed, unknown, still_open = told = asked.masks()
            expected = judge(plan.graph, policy, inputs)
            known = tuple(mask & ~still_open for mask in expected)
            assert (failed, unknown) == known, "\n".join([*lines, repr(inputs)])
            assert rest.masks(told, inputs) == expected


def test_a_kernel_that_is_still_to_be_compiled_takes_over_when_enough_was_asked() -> None:
    plan = policies.plan_of(["limit one order.notional <= 5 USD", "limit two drawdown <= 10%"])
    policy = policies.policy_of(plan)
    seldom = [leaf for leaf in policy.leaves if plan.graph[leaf].consts[0] == "drawdown"]
    surely = Surely(plan.graph, policy, policy.leaves, (), seldom, patience=2)
    ordinary = {"drawdown": D("0.2"), "order.quantity": D(2), "order.price": D(2)}
    inputs = [ordinary.get(str(plan.graph[leaf].consts[0])) for leaf in policy.leaves]
    surely.give(inputs)
    every = (1 << len(policy.constraints)) - 1
    assert [surely.masks() for _ in range(3)] == [(0, 0, every)] * 3  # what is fixed was not settled yet
    surely.give(inputs)
    failed, _, still_open = surely.masks()
    assert failed
    assert not still_open


ORDINARY = {"order.quantity": D("2.4417"), "order.price": D("1003.2213"), "equity": D("160000.5"), "drawdown": D("0.031")}


def asked(line: str, **changed: Exact) -> tuple[int, int, int]:
    """What is certain of one limit; every leaf that is not changed is ordinary."""
    plan = policies.plan_of([line])
    policy = policies.policy_of(plan)
    surely = Surely(plan.graph, policy, policy.leaves, ())
    known = ORDINARY | changed
    inputs = []
    for leaf in policy.leaves:
        name = str(plan.graph[leaf].consts[0])
        is_number = plan.graph[leaf].unit.kind not in {Kind.TEXT, Kind.INSTRUMENT, Kind.LIST}
        inputs.append(known[name] if name in known else D(1) if is_number else "BTC-USD")
    surely.give(inputs)
    bit = next(bit for bit, c in enumerate(policy.constraints) if c.name == "one")
    failed, unknown, still_open = (mask >> bit & 1 for mask in surely.masks())
    return failed, unknown, still_open


@pytest.mark.parametrize(
    ("line", "changed", "expected"),
    [
        ("limit one drawdown <= 10%", {}, (0, 0, 0)),
        ("limit one drawdown <= 3%", {}, (1, 0, 0)),
        ("limit one drawdown <= 10%", {"drawdown": None}, (0, 1, 0)),
        ("limit one drawdown <= 10%", {"drawdown": D("0.1")}, (0, 0, 1)),  # at the limit, in tenths: exactly, please
        ("limit one drawdown <= 50%", {"drawdown": D("0.5")}, (0, 0, 1)),  # not whole
        ("limit one losses_in_a_row <= 3", {"losses_in_a_row": D(3)}, (0, 0, 0)),  # whole: float64 has it
        ("limit one losses_in_a_row < 3", {"losses_in_a_row": D(3)}, (1, 0, 0)),
        ("limit one losses_in_a_row < 3", {"losses_in_a_row": D("2.9999999999999999999999999")}, (0, 0, 1)),
        ("limit one losses_in_a_row + open_positions <= 4", {"losses_in_a_row": D(3)}, (0, 0, 0)),
        ("limit one losses_in_a_row * open_positions < 3", {"losses_in_a_row": D(3)}, (1, 0, 0)),
        ("limit one order.notional / equity <= 5%", {}, (0, 0, 0)),
        ("limit one order.notional / equity <= 5%", {"equity": D(0)}, (0, 1, 0)),  # a division by zero is not known
        ("limit one order.notional / equity <= 5%", {"equity": D("1E-400")}, (0, 0, 1)),
        ("limit one order.notional / cash <= 5%", {"cash": D("NaN")}, (0, 0, 1)),
        ("forbid one when drawdown > 5%", {}, (0, 0, 0)),
        ("forbid one when drawdown >= 3%", {}, (1, 0, 0)),
        ("forbid one when drawdown < 3% or drawdown > 9%", {}, (0, 0, 0)),
        ("forbid one when losses_in_a_row == 3", {"losses_in_a_row": D(3)}, (1, 0, 0)),
        ("forbid one when losses_in_a_row == 3", {"losses_in_a_row": D(4)}, (0, 0, 0)),
        ("forbid one when drawdown > 5%", {"drawdown": None}, (0, 1, 0)),
        ("limit one order.notional * 1 <= 5 USD", {"order.quantity": D("1E+310")}, (0, 0, 1)),
        ("forbid one when order.stop is not set", {"order.stop": None}, (1, 0, 0)),
        ("forbid one when order.stop is not set", {}, (0, 0, 0)),
        ("forbid one when order.instrument in restricted", {}, (1, 0, 0)),
        ("require one drawdown < 5% or order.stop < mid", {"order.stop": None}, (0, 0, 0)),  # true wins over unknown
        ("require one drawdown > 5% and order.stop < mid", {"order.stop": None}, (1, 0, 0)),  # and false
        ("require one drawdown < 5% and order.stop < mid", {"order.stop": None}, (0, 1, 0)),
    ],
)
def test_what_is_certain(line: str, changed: dict[str, Exact], expected: tuple[int, int, int]) -> None:
    assert asked(line, **changed) == expected


def test_ordinary_inputs_leave_nothing_open() -> None:
    lines = ["limit a after.exposure(order.instrument) <= 60% of equity", "limit b abs(order.price / mid - 1) <= 10%"]
    plan = policies.plan_of([*lines, "limit c reward_risk / (drawdown + spread) >= 2"])
    policy, source = policies.policy_of(plan), Random(1)
    surely = Surely(plan.graph, policy, policy.leaves, policy.leaves)
    for _ in range(300):
        inputs = [D(f"{source.uniform(-(10 ** source.randint(0, 6)), 10**6):.7f}") for _ in policy.leaves]
        surely.give([None if plan.graph[at].unit.kind is Kind.TEXT else x for at, x in zip(policy.leaves, inputs, strict=True)])
        assert surely.masks()[2] == 0


@given(st.data())
@programs.examples(60)
def test_the_largest_size_is_that_of_an_exact_search(data: st.DataObject) -> None:
    lines = data.draw(policies.constraints())
    plan = policies.plan_of([*lines, "limit most order.notional <= 30% of equity  otherwise shrink"])
    policy = policies.policy_of(plan)
    inputs = data.draw(policies.vectors(plan.graph, policy))
    at = next(at for at, leaf in enumerate(policy.leaves) if plan.graph[leaf].consts[:1] == ("order.quantity",))

    def sized(lots: int) -> list[Exact]:
        return [*inputs[:at], lots * D("0.001"), *inputs[at + 1 :]]

    lots = data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
    with Growing(plan.graph, policy, at).asked(sized, D("0.001")) as passes:
        assert list(map(passes, lots)) == [judge(plan.graph, policy, sized(each)) == (0, 0) for each in lots]


def test_what_changes_seldom_is_judged_when_it_does() -> None:
    plan = policies.plan_of(
        ["limit a drawdown <= 10%", "limit b order.notional <= 5% of equity", "forbid c when gross > 9 USD"]
    )
    policy = policies.policy_of(plan)
    names = [str(plan.graph[leaf].consts[0]) for leaf in policy.leaves]
    seldom = [leaf for leaf, name in zip(policy.leaves, names, strict=True) if name in {"drawdown", "equity", "gross"}]
    surely = Surely(plan.graph, policy, policy.leaves, (), seldom)
    bit = {constraint.name: 1 << at for at, constraint in enumerate(policy.constraints)}

    def judged(**known: Decimal) -> int:
        surely.give([known.get(name.removeprefix("order."), D(1)) for name in names])
        return surely.masks()[0] & (bit["a"] | bit["b"] | bit["c"])

    assert judged(drawdown=D("0.2"), equity=D(1_000), quantity=D(10)) == bit["a"]
    assert judged(drawdown=D("0.02"), equity=D(1_000), quantity=D(90)) == bit["b"]
    assert judged(drawdown=D("0.02"), equity=D(1_000), quantity=D(9), gross=D(10)) == bit["c"]
