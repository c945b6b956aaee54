"""`level warn` and `shadow`: a constraint on trial judges, and never acts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from test_gate import gate_of, judged, order, said

from tb.gate.explain.build import _otherwise

FAILING = (
    "limit x order.notional <= 50 USD",
    "limit x order.notional <= 50 USD otherwise shrink",
    "limit x order.notional <= 50 USD otherwise halt",
    "require x order.notional <= 50 USD otherwise pause for 1h",
    "forbid x when order.notional > 50 USD otherwise halt until tomorrow",
    "pause x for 1h when order.notional > 50 USD",
)


@pytest.mark.parametrize("line", FAILING)
def test_at_level_warn_it_warns_in_place_of_its_verdict(line: str) -> None:
    assert judged(gate_of(line)).verdict not in {"approve", "warn"}
    found = judged(gate_of(f"{line}  level warn"))
    assert said(found) == ("warn", ("x",), Decimal(1))
    assert found.latches == ()
    assert found.shadowed == ()


@pytest.mark.parametrize("line", FAILING)
def test_in_shadow_it_is_noted_and_nothing_more(line: str) -> None:
    found = judged(gate_of(f"{line}  shadow"))
    assert said(found) == ("approve", (), Decimal(1))
    assert found.shadowed == ("x",)
    assert (found.failed, found.unknown, found.latches) == (0, 0, ())
    assert judged(gate_of(f"{line}  shadow"), order("0.5")).shadowed == ()


def test_what_cannot_be_known_warns_at_level_warn_and_is_noted_in_shadow() -> None:
    assert said(judged(gate_of("limit x order.confidence >= 0.5 level warn"))) == ("warn", ("x",), Decimal(1))
    found = judged(gate_of("limit x order.confidence >= 0.5 shadow"))
    assert said(found) == ("approve", (), Decimal(1))
    assert found.shadowed == ("x",)


def test_a_trial_beside_a_hard_limit_changes_neither_verdict_nor_size() -> None:
    hard = "limit hard order.notional <= 80 USD otherwise shrink"
    alone = said(judged(gate_of(hard)))
    assert alone == ("shrink", ("hard",), Decimal("0.8"))
    for level in ("level warn", "shadow"):
        found = judged(gate_of(hard, f"limit trial order.notional <= 20 USD otherwise shrink {level}"))
        assert said(found) == alone


def test_a_reducing_order_answers_to_a_shadow_only_on_every_order() -> None:
    closing = order("1", sign=-1, stop=None, target=None, adds_risk=False)
    assert judged(gate_of("limit x order.notional <= 50 USD shadow"), closing).shadowed == ()
    assert judged(gate_of("limit x order.notional <= 50 USD on every order shadow"), closing).shadowed == ("x",)


def test_an_account_limit_on_trial_is_not_watched() -> None:
    lines = ("limit fall drawdown <= 10% otherwise halt level warn", "limit deep drawdown <= 20% otherwise halt shadow")
    assert gate_of(*lines).watched.constraints == ()


def test_explanations_say_the_verdict_it_would_have_had() -> None:
    gate = gate_of(
        "limit a order.notional <= 5 USD otherwise pause for 1h level warn",
        "limit b order.notional <= 5 USD otherwise halt until tomorrow shadow",
    )
    told = {c.name: _otherwise(c) for c in gate.policy.constraints}
    assert (told["a"], told["b"]) == ("pause for 1h, level warn", "halt until tomorrow, shadow")
