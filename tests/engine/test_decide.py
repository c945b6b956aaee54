"""The generated decision function equals its interpretation, and its logic is Kleene's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from itertools import product

import policies
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.records import LATTICE
from tb.engine.decide import generate
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact, decision_value, exact, market_value
from tb.engine.interpret import from_leaves, judge
from tb.engine.plan import ConstraintPlan
from tb.engine.vector import pointwise
from tb.gate.gate import Gate

NAN = float("nan")


@given(st.data())
@programs.examples(60)
def test_the_generated_function_equals_the_interpreter(data: st.DataObject) -> None:
    lines = data.draw(policies.constraints())
    plan = policies.plan_of(lines)
    policy = policies.policy_of(plan)
    generated = generate(plan.graph, policy)
    for _ in range(3):
        inputs = data.draw(policies.vectors(plan.graph, policy))
        assert generated.judge(inputs) == judge(plan.graph, policy, inputs), "\n".join([*lines, generated.source])
        values = from_leaves(plan.graph, dict(zip(policy.leaves, inputs, strict=True)), [c.node for c in policy.constraints])
        assert generated.measure(inputs) == tuple(
            used(plan.graph, c, values) for c in policy.constraints if c.measure is not None
        )


def used(graph: RuleGraph, constraint: ConstraintPlan, values: Mapping[int, Exact | float]) -> tuple[object, object]:
    """The measured side of an upper limit, and the widest bound that it or an exception in force gives it."""
    assert constraint.measure is not None
    measured, bound = (values[arg] for arg in graph[constraint.measure].args)
    for exemption in constraint.loosened:
        other = values[graph[exemption.passes].args[1]]
        holds = exemption.applies is None or values[exemption.applies] is True
        if holds and isinstance(other, Decimal) and isinstance(bound, Decimal) and other > bound:
            bound = other
    return measured, bound


@given(st.data())
@programs.examples(60)
def test_exceptions_move_a_limit_one_way_only(data: st.DataObject) -> None:
    text = policies.excepted(data.draw)
    alone, whole = policies.plan_of([text.split("\n")[0]]), policies.plan_of([text])
    known: dict[str, Exact] = {}
    passed = []
    for plan in (alone, whole):
        policy = policies.policy_of(plan)
        for leaf in policy.leaves:
            if plan.graph[leaf].key not in known:
                known[plan.graph[leaf].key] = data.draw(policies.leaf_values(plan.graph[leaf]))
        inputs = [known[plan.graph[leaf].key] for leaf in policy.leaves]
        failed, unknown = judge(plan.graph, policy, inputs)
        passed.append({c.name: not (failed | unknown) >> bit & 1 for bit, c in enumerate(policy.constraints)})
        unknown_base = any(unknown >> bit & 1 and c.name == "base" for bit, c in enumerate(policy.constraints))
        passed[-1]["unknown"] = unknown_base
    if passed[0]["base"]:
        assert passed[1]["base"]  # what loosens takes nothing away; what tightens stands beside it
    if "loosens" not in text:
        assert passed[0]["base"] == passed[1]["base"]
    if not passed[0]["unknown"]:
        assert not passed[1]["unknown"]  # an exception makes nothing unknown that was known


@given(st.data())
@programs.examples(50)
def test_a_line_of_the_generated_source_names_the_rule_it_stands_for(data: st.DataObject) -> None:
    plan = policies.plan_of(data.draw(policies.constraints()))
    policy = policies.policy_of(plan)
    generated = generate(plan.graph, policy)
    lines = generated.source.splitlines()
    assert len(lines) == len(generated.lines)
    assert {c.span for c in policy.constraints} == {span for span in generated.lines if span is not None}


@given(st.data())
@programs.examples(60)
def test_what_cannot_be_known_is_never_approved(data: st.DataObject) -> None:
    plan = policies.plan_of(data.draw(policies.constraints()))
    policy = policies.policy_of(plan)
    gate = Gate(plan.graph, policy)
    inputs = data.draw(policies.vectors(plan.graph, policy))
    quantity = Decimal(5)
    inputs[gate.leaf("order.quantity")] = quantity
    judgement = gate.decide(inputs, True, quantity, Decimal("0.5"))
    failed, unknown = judge(plan.graph, policy, inputs)
    harmless = sum(1 << bit for bit, c in enumerate(policy.constraints) if c.acts in {None, "warn"})
    shrinking = sum(1 << bit for bit, c in enumerate(policy.constraints) if c.acts == "shrink")
    if unknown & ~harmless or failed & ~harmless & ~shrinking:
        assert judgement.approved is None
        assert judgement.verdict in LATTICE[LATTICE.index("reject") :]
    if judgement.approved is not None:
        inputs[gate.leaf("order.quantity")] = judgement.quantity
        then_failed, then_unknown = judge(plan.graph, policy, inputs)
        assert (then_failed | then_unknown) & ~harmless == 0
        assert 0 < judgement.quantity <= quantity


@given(st.data())
@programs.examples(60)
def test_what_is_known_without_an_input_is_so_for_each_of_its_values(data: st.DataObject) -> None:
    plan = policies.plan_of(data.draw(policies.constraints(has_words=False)))
    policy = policies.policy_of(plan)
    # the rules of every project ask whether an input is there; those are answers about the input itself
    own = sum(1 << bit for bit, c in enumerate(policy.constraints) if c.span.file == "policy/policy.tb")
    inputs = data.draw(policies.vectors(plan.graph, policy))
    position = data.draw(st.integers(0, len(inputs) - 1))
    failed, unknown = judge(plan.graph, policy, [*inputs[:position], None, *inputs[position + 1 :]])
    then_failed, then_unknown = judge(plan.graph, policy, inputs)
    known = own & ~unknown
    assert then_unknown & known == 0
    assert then_failed & known == failed & known


@given(st.data())
@programs.examples(50)
def test_a_shadow_changes_nothing_but_what_is_noted(data: st.DataObject) -> None:
    lines = data.draw(policies.constraints())
    bare = [line for line in lines if not line.endswith("  shadow")]
    known: dict[str, Exact] = {}
    judgements = []
    for plan in (policies.plan_of(lines), policies.plan_of(bare)):
        policy = policies.policy_of(plan)
        for leaf in policy.leaves:
            if plan.graph[leaf].key not in known:
                known[plan.graph[leaf].key] = data.draw(policies.leaf_values(plan.graph[leaf]))
        gate = Gate(plan.graph, policy)
        inputs = [known[plan.graph[leaf].key] for leaf in policy.leaves]
        inputs[gate.leaf("order.quantity")] = Decimal(4)
        judgements.append(gate.decide(inputs, True, Decimal(4), Decimal(1)))
        failed, unknown = judge(plan.graph, policy, inputs)
        struck = [c.name for bit, c in enumerate(policy.constraints) if (failed | unknown) >> bit & 1 and c.level == "shadow"]
        assert judgements[-1].shadowed == tuple(struck)
        assert all(c.level is None for c in judgements[-1].latches)
    one, other = judgements
    assert (one.verdict, one.deciding, one.quantity) == (other.verdict, other.deciding, other.quantity)
    assert [c.name for c in one.latches] == [c.name for c in other.latches]


@given(st.data())
@programs.examples(50)
def test_the_order_of_rules_and_files_changes_no_verdict(data: st.DataObject) -> None:
    lines = data.draw(policies.constraints())
    plans = [policies.plan_of(lines), policies.plan_of(data.draw(st.permutations(lines)))]
    judgements = []
    known: dict[str, Exact] = {}
    for plan in plans:
        policy = policies.policy_of(plan)
        for leaf in policy.leaves:
            key = plan.graph[leaf].key
            if key not in known:
                known[key] = data.draw(policies.leaf_values(plan.graph[leaf]))
        gate = Gate(plan.graph, policy)
        inputs = [known[plan.graph[leaf].key] for leaf in policy.leaves]
        inputs[gate.leaf("order.quantity")] = Decimal(4)
        judgements.append(gate.decide(inputs, True, Decimal(4), Decimal(1)))
    one, other = judgements
    assert (one.verdict, set(one.deciding), one.quantity) == (other.verdict, set(other.deciding), other.quantity)
    assert {c.name for c in one.latches} == {c.name for c in other.latches}


# --- the meaning of single operations ----------------------------------------------------------------------------------

TRUTHS: tuple[bool | None, ...] = (True, False, None)


def both(op: str, *values: bool | None) -> bool | None:
    """The same answer from both stages and the columns."""
    floats = [NAN if v is None else float(v) for v in values]
    found = decision_value(op, (), values)
    assert found is None or isinstance(found, bool)
    expected = NAN if found is None else float(found)
    assert programs.same_bits([market_value(op, (), floats)], [expected])
    assert programs.same_bits(pointwise(op, (), [programs.np.array([f]) for f in floats], 1), [expected])
    return found


@pytest.mark.parametrize(("a", "b", "c"), list(product(TRUTHS, repeat=3)))
def test_the_laws_of_three_valued_logic(a: bool | None, b: bool | None, c: bool | None) -> None:
    assert both("and", a, b) == both("and", b, a)
    assert both("or", a, b) == both("or", b, a)
    assert both("and", a, b, c) == both("and", both("and", a, b), c) == both("and", a, both("and", b, c))
    assert both("or", a, b, c) == both("or", both("or", a, b), c) == both("or", a, both("or", b, c))
    assert both("not", both("not", a)) == a
    assert both("not", both("and", a, b)) == both("or", both("not", a), both("not", b))
    assert both("and", a, both("or", b, c)) == both("or", both("and", a, b), both("and", a, c))
    assert both("and", a, a) == a == both("or", a, a)
    assert both("and", a, False) is False
    assert both("or", a, True) is True
    assert both("and", True, a) == a == both("or", False, a)


@pytest.mark.parametrize("op", ["lt", "le", "gt", "ge", "eq", "ne", "add", "sub", "mul", "div", "min", "max"])
def test_an_unknown_side_makes_the_result_unknown(op: str) -> None:
    assert decision_value(op, (), (Decimal(1), None)) is None
    assert decision_value(op, (), (None, Decimal(1))) is None
    assert programs.same_bits([market_value(op, (), (1.0, NAN)), market_value(op, (), (NAN, 1.0))], [NAN, NAN])


def test_impossible_arithmetic_is_unknown() -> None:
    zero, minus = Decimal(0), Decimal(-1)
    cases = [("div", (minus, zero)), ("div", (zero, zero)), ("log", (zero,)), ("log", (minus,)), ("sqrt", (minus,))]
    assert [decision_value(op, (), args) for op, args in cases] == [None] * len(cases)
    assert decision_value("exp", (), (Decimal("1E+9"),)) is None


def test_a_number_beyond_every_number_is_unknown_in_the_generated_function_too() -> None:
    huge = "exp(entries(today)) * exp(entries(today))"
    plan = policies.plan_of([f"require beyond {huge} > 1", f"forbid inside when {huge} <= 1"])
    policy = policies.policy_of(plan)
    inputs: list[Exact] = [
        Decimal(2_000_000) if plan.graph[leaf].consts[:1] == ("entries",) else Decimal(1) for leaf in policy.leaves
    ]
    bits = [1 << bit for bit, c in enumerate(policy.constraints) if c.name in {"beyond", "inside"}]
    for way in (generate(plan.graph, policy).judge, lambda values: judge(plan.graph, policy, values)):
        _, unknown = way(inputs)
        assert all(unknown & bit for bit in bits)


@given(st.floats())
def test_a_market_value_enters_exactly_as_it_is_written(value: float) -> None:
    found = exact(value)
    if not math.isfinite(value):
        assert found is None
    else:
        assert found == Decimal(repr(value))
        assert float(found) == value
    assert exact(None) is None


def test_decisions_are_computed_with_28_digits() -> None:
    assert EXACT.prec == 28
    assert decision_value("div", (), (Decimal(1), Decimal(3))) == Decimal("0.3333333333333333333333333333")
    assert decision_value("add", (), (Decimal("0.1"), Decimal("0.2"))) == Decimal("0.3")


def test_a_condition_on_the_market_is_true_or_false_in_policy() -> None:
    """Such a leaf holds 1 or 0, which must not be taken for a number that is neither."""
    lines = ["require calm (spread < 1% for 2 bars) and equity > 0 USD", "forbid wild when (close > open)@4h or equity < 0 USD"]
    plan = policies.plan_of(lines)
    policy = policies.policy_of(plan)
    bits = {c.name: 1 << bit for bit, c in enumerate(policy.constraints)}
    generated = generate(plan.graph, policy)

    def masks(calm: Exact, wild: Exact) -> tuple[int, int]:
        truths = {"every": calm, "at": wild}
        inputs = [truths.get(plan.graph[leaf].op, Decimal(1)) for leaf in policy.leaves]
        assert generated.judge(inputs) == judge(plan.graph, policy, inputs)
        failed, unknown = generated.judge(inputs)
        own = bits["calm"] | bits["wild"]
        return failed & own, unknown & own

    assert masks(Decimal(1), Decimal(0)) == (0, 0)
    assert masks(Decimal("0.0"), Decimal("0.0")) == (bits["calm"], 0)
    assert masks(Decimal("1.0"), Decimal("1.0")) == (bits["wild"], 0)
    assert masks(None, None) == (0, bits["calm"] | bits["wild"])
