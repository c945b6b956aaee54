"""Books over recorded markets: each keeps to its capital, and every decision is explained from its record."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from recorded_capital import half_a_year, with_capital
from small_projects import Replayed

from tb.gate.explain import text

POLICY = """book steady  80% of capital  strategies continuation, breakouts
book dips    2% of capital   strategies bounces, leverage at most 2

limit book_loss  loss(today) of book <= 1% of equity at day_start of book  otherwise halt until tomorrow
"""


@pytest.fixture(scope="module")
def done(root: Path, recorded_data: Path) -> Replayed:
    return with_capital(root, half_a_year(recorded_data), POLICY)


def facts(done: Replayed, seq: int) -> dict[str, str]:
    found = done.explained(done.decisions[seq - 1], deep=False)
    return {reading.name: reading.exact for reading in found.readings}


def test_a_book_sizes_by_its_own_equity_and_holds_no_more_than_it_may(done: Replayed) -> None:
    entries = [decision for decision in done.decisions if decision.kind == "enter"]
    assert len(entries) > 50
    for decision in entries[:: len(entries) // 25]:
        found = done.explained(decision, deep=False)
        assert found.reproduced, found.differences
        read = facts(done, decision.seq)
        book, equity = read["order.book"], Decimal(read["equity of book"])
        assert book == ("dips" if decision.strategy == "bounces" else "steady")
        assert f"of equity of book {book}" in found.size.words
        assert decision.price is not None
        assert decision.proposed * decision.price <= Decimal("0.05") * equity
        if decision.approved:
            others = Decimal(read["all other positions, worst case of book"])
            assert others + decision.approved * decision.price <= equity * (2 if book == "dips" else 1)


def test_halts_are_those_of_a_book(done: Replayed) -> None:
    halts = [latch for latch in done.latches if latch.rule == "book_loss" and not latch.lifted]
    assert {latch.book for latch in halts} == {"steady", "dips"}
    for halt in halts:
        while_halted = [
            d for d in done.decisions if halt.at <= d.at < (halt.until or 0) and d.kind == "enter" and d.at > halt.at
        ]
        for decision in while_halted:
            if facts(done, decision.seq)["order.book"] == halt.book:
                assert "not_halted" in decision.deciding
    others = [
        d for d in done.decisions if d.approved and any(h.at < d.at < (h.until or 0) for h in halts) and d.kind == "enter"
    ]
    assert others  # the other book goes on


def test_the_explanation_says_which_book(done: Replayed) -> None:
    decision = next(d for d in done.decisions if d.strategy == "bounces" and d.kind == "enter")
    shown = text(done.explained(decision))
    assert "of equity of book dips" in shown
    assert "limit dips leverage" in shown
    assert "explanation reproduced: yes" in shown
