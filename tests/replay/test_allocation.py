"""Allocation by Kelly: the share follows from a strategy's own closed trades, and binds what is alike together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_capital import half_a_year, with_capital
from small_projects import Replayed, bars, compiled, flat, market, run, strategy

from tb.core.records import Likeness, Trade
from tb.core.time import HOUR
from tb.engine.derived import allocation, kelly
from tb.gate.explain import html, text
from tb.gate.explain.reproduce import facts_of
from tb.runtime.policy import gates_of

D = Decimal
RATIOS = st.integers(1, 400).map(lambda n: D(n) / 1000)


def test_the_share_that_grows_fastest() -> None:
    assert kelly(D(10), D(6), D("0.02"), D("0.02")) == D("0.2")  # even payoff: 2 W - 1
    assert kelly(D(10), D(5), D("0.04"), D("0.02")) == D("0.25")
    assert kelly(D(10), D(5), D("0.02"), D("0.02")) == 0
    assert kelly(D(10), D(3), D("0.02"), D("0.02")) == D("-0.4")
    assert kelly(D(10), D(10), D("0.02"), D(0)) == 1
    assert kelly(D(10), D(0), D(0), D("0.02")) < 0
    assert kelly(D(10), D(0), D(0), D(0)) < 0  # nothing won, nothing lost
    assert kelly(D(10), D(10), D(0), D("0.02")) < 0  # asked by explanations: more wins, all else as it was


@given(st.integers(1, 60), st.integers(0, 60), RATIOS, RATIOS, st.integers(1, 60))
def test_an_allocation_is_never_negative_nor_beyond_its_cap(trades: int, wins: int, gain: D, loss: D, needed: int) -> None:
    wins = min(wins, trades)
    given_ = (D(trades), D(needed), D(wins), gain if wins else D(0), loss if wins < trades else D(0))
    found = allocation(*given_, D("0.25"), D("0.15"))
    assert 0 <= found <= D("0.15")
    if trades < needed:
        assert found == D("0.15")
    else:
        assert found <= allocation(*given_, D("0.5"), D("0.15"))
        better = allocation(D(trades), D(needed), D(min(wins + 1, trades)), gain, given_[4], D("0.25"), D("0.15"))
        assert better >= found


POLICY = "allocate kelly fraction 0.5 over 2 trades, at most 8% each{}\n"
PAIR = strategy("volume > 0", size="10% of equity", stop="50% below entry", members="BTC-USD, ETH-USD")


def both(data_of_eth: list[tuple[float, ...]], more: str) -> Replayed:
    """The last of 102 bars proposes in both instruments."""
    prices = [100.0 + (at * 7 % 5) for at in range(102)]
    btc = [flat(price, 1.0 if at == 101 else 0.0) for at, price in enumerate(prices)]
    return run(compiled(PAIR, POLICY.format(more)), market(bars("BTC-USD", btc), bars("ETH-USD", data_of_eth)))


def test_a_refusal_after_nothing_but_losses_is_explained() -> None:
    rules = strategy("volume > 0", size="5% of equity", stop="50% below entry", more=("hold at most 1 bar",))
    done = run(compiled(rules, POLICY.format("")), market(bars("BTC-USD", [flat(100.0 - at, 1.0) for at in range(12)])))
    refused = [decision for decision in done.decisions if "allocate" in decision.deciding]
    assert len(refused) > 3
    for decision in done.decisions:
        assert done.explained(decision).reproduced


def alike(count: int = 102) -> list[tuple[float, ...]]:
    return [flat(10.0 + (at * 7 % 5) / 10, 1.0 if at == count - 1 else 0.0) for at in range(count)]


def opposite() -> list[tuple[float, ...]]:
    return [flat(20.0 - (at * 7 % 5) / 10, 1.0 if at == 101 else 0.0) for at in range(102)]


def unknown() -> list[tuple[float, ...]]:
    rows = opposite()
    rows[50] = (19.0, 19.0, 19.0, float("nan"), 0.0)
    return rows


@pytest.mark.parametrize(
    ("rows", "more", "approved"),
    [
        (alike(), ", correlation above 0.8 counts as one", ["BTC-USD"]),
        (alike(), "", ["BTC-USD", "ETH-USD"]),
        (opposite(), ", correlation above 0.8 counts as one", ["BTC-USD", "ETH-USD"]),
        (unknown(), ", correlation above 0.8 counts as one", ["BTC-USD"]),
    ],
    ids=["alike", "nothing said", "opposite", "unknown"],
)
def test_what_is_alike_shares_one_allocation_and_so_does_what_is_not_known_to_differ(
    rows: list[tuple[float, ...]], more: str, approved: list[str]
) -> None:
    done = both(rows, more)
    assert [d.instrument for d in done.decisions if d.approved] == approved
    for decision in done.decisions:
        found = done.explained(decision)
        assert found.reproduced, found.differences
        if not decision.approved:
            assert "allocate" in decision.deciding
            assert any("shared with BTC-USD (correlation" in line for line in found.combined)


def test_trades_that_cannot_be_counted_deny_and_are_named() -> None:
    done = both(opposite(), "")
    gate, first = gates_of(done.compiled.plan)[HOUR], done.decisions[0]
    place = gate.leaf("kelly.gain")
    facts = tuple(None if at == place else fact for at, fact in enumerate(first.facts))
    changed = msgspec.structs.replace(first, facts=facts)
    judged = gate.decide(facts_of(done.compiled.plan.graph, gate, changed), True, first.proposed, D("0.001"))
    assert (judged.verdict, judged.deciding) == ("reject", ("allocate",))
    decision = msgspec.structs.replace(
        changed, verdict="reject", deciding=("allocate",), approved=D(0), failed=judged.failed, unknown=judged.unknown
    )
    found = done.explained(decision)
    assert found.reproduced, found.differences
    assert found.missing == ("mean gain",)
    assert found.combined == ("allocate   unknown: mean gain",)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: {"likeness": ()},
        lambda d: {"likeness": (*d.likeness, Likeness(instrument="SOL-USD", correlation=None))},
        lambda d: {"likeness": (Likeness(instrument="ETH-USD", correlation=7.0),)},
    ],
)
def test_a_changed_likeness_is_a_difference(change) -> None:  # type: ignore[no-untyped-def]
    done = both(alike(), ", correlation above 0.8 counts as one")
    decision = done.decisions[0]
    assert not done.explained(msgspec.structs.replace(decision, **change(decision))).reproduced


def test_on_recorded_markets_the_share_follows_from_the_trades_closed_before(root: Path, recorded_data: Path) -> None:
    policy = "allocate kelly fraction 0.5 over 8 trades, at most 3% each, correlation above 0.6 counts as one\n"
    done = with_capital(root, half_a_year(recorded_data), policy)
    entries = [d for d in done.decisions if d.kind == "enter"]
    refused = [d for d in entries if "allocate" in d.deciding and not d.approved]
    assert len(refused) > 5
    assert any(d.verdict == "shrink" and "allocate" in d.deciding for d in entries)
    closed = [trade for trade in done.records.of(Trade) if trade.exit_at is not None]
    compared = 0
    for decision in entries:
        if any(trade.exit_at == decision.at for trade in closed):
            continue  # what fills at the open of the next bar carries the same instant
        found = done.explained(decision, deep=False)
        assert found.reproduced, found.differences
        read = {reading.name: D(reading.exact) for reading in found.readings if reading.source == "account" and reading.exact}
        before = [t for t in closed if t.strategy == decision.strategy and t.exit_at < decision.at][-8:]
        returns = [t.profit / (t.entry_price * t.quantity) for t in before]
        gains, losses = [r for r in returns if r > 0], [-r for r in returns if r < 0]
        assert (read["trades that count"], read["trades won"]) == (len(before), len(gains))
        assert abs(read["mean gain"] - (sum(gains) / len(gains) if gains else 0)) < D("1e-20")
        assert abs(read["mean loss"] - (sum(losses) / len(losses) if losses else 0)) < D("1e-20")
        compared += len(before) == 8
    assert compared > 20
    shown = done.explained(refused[-1])
    assert "allocate   " in text(shown)
    assert "Kelly" in html(shown)
