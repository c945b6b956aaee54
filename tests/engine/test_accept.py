"""The function that is asked first says yes only where the decision function finds nothing, and misses little."""

from __future__ import annotations

from decimal import Decimal

import policies
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.engine.accept import accept_of, accept_source
from tb.engine.decide import generate
from tb.engine.interpret import judge
from tb.gate.gate import Gate

D = Decimal


@given(st.data())
@programs.examples(150)
def test_what_is_accepted_passes_every_constraint(data: st.DataObject) -> None:
    lines = data.draw(policies.constraints())
    plan = policies.plan_of(lines)
    policy = policies.policy_of(plan)
    accept = accept_of(plan.graph, policy)
    for _ in range(6):
        inputs = data.draw(policies.vectors(plan.graph, policy))
        passes = judge(plan.graph, policy, inputs) == (0, 0)
        if accept(inputs):
            assert passes, "\n".join([*lines, accept_source(plan.graph, policy)[0]])  # type: ignore[index]
        elif passes:
            assert None in inputs, "\n".join([*lines, accept_source(plan.graph, policy)[0]])  # type: ignore[index]


@given(st.data())
@programs.examples(60)
def test_an_input_that_is_not_known_is_never_accepted_where_it_decides(data: st.DataObject) -> None:
    plan = policies.plan_of(data.draw(policies.constraints()))
    policy = policies.policy_of(plan)
    accept, decide = accept_of(plan.graph, policy), generate(plan.graph, policy).judge
    inputs = data.draw(policies.vectors(plan.graph, policy))
    for place in range(len(inputs)):
        without = [*inputs[:place], None, *inputs[place + 1 :]]
        assert not accept(without) or decide(without) == (0, 0)


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["limit a entries(today) < 5", "limit b entries(today) < 3", "limit c entries(today) < 9"], ["< k"]),
        (["limit a drawdown <= 5%", "limit b drawdown <= 9%", "limit c drawdown < 7%"], ["< k", "<= k"]),
    ],
    ids=["one kind", "two kinds"],
)
def test_of_limits_on_one_value_the_tightest_stands_for_all(lines: list[str], kept: list[str]) -> None:
    plan = policies.plan_of(lines)
    written = accept_source(plan.graph, policies.policy_of(plan))
    assert written is not None
    source, names = written
    name = "drawdown" if "drawdown" in lines[0] else "entries"
    leaf = next(n.id for n in plan.graph.nodes if n.op == "fact" and n.consts[0] == name)
    compared = [line.split() for line in source.splitlines() if line.strip().startswith(f"if not (v{leaf} ")]
    assert sorted(f"{words[3]} {words[4][0]}" for words in compared) == kept
    bounds = {names[words[4].rstrip("):")] for words in compared}
    assert bounds == ({D(3)} if name == "entries" else {D("0.05"), D("0.07")})


def test_a_policy_whose_results_may_be_beyond_every_number_is_decided_in_full() -> None:
    squares = [f"let s{at + 1} = s{at} * s{at}" for at in range(14)]
    for count, is_sure in ((5, True), (14, False)):
        plan = policies.plan_of(["let s0 = drawdown", *squares[:count], f"limit big s{count} <= 5%"])
        policy = policies.policy_of(plan)
        assert (accept_source(plan.graph, policy) is not None) is is_sure
    assert not accept_of(plan.graph, policy)([None] * len(policy.leaves))


def test_what_a_market_value_is_made_of_does_not_count() -> None:
    plan = policies.plan_of(["limit far ema(close, 9) / ema(close, 5) <= 5"])
    assert accept_source(plan.graph, policies.policy_of(plan)) is not None


def test_a_gate_says_the_same_whether_or_not_it_accepts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = policies.plan_of(["limit a order.notional <= 500 USD", "warn b when drawdown > 1%"])
    (policy,) = plan.policies.values()
    first = Gate(plan.graph, policy)
    monkeypatch.setattr("tb.gate.gate.accept_of", lambda graph, policy: lambda inputs: False)
    never = Gate(plan.graph, policy)
    drawn = policies.vectors(plan.graph, policy)

    @given(drawn)
    @programs.examples(100)
    def same(inputs: list[object]) -> None:
        asked = (True, D(3), D("0.001"))
        assert first.decide(inputs, *asked) == never.decide(inputs, *asked)  # type: ignore[arg-type]

    same()
