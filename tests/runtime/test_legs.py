"""Legs: one decision, one instant, and never one alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import HOUR, NAN, START, Replayed, bars, compiled, cut, flat, market, run
from small_runs import Drawn, markets
from stepping import stepped

from tb.core.records import Decision, Fill
from tb.core.settings import InstrumentSpec
from tb.engine.baskets import LegPlan
from tb.engine.feeds import FeedRows
from tb.engine.funding import Funding
from tb.gate.account import Account, Working
from tb.gate.explain import text
from tb.gate.legs import Amount, Place, common_step, hedged, net_share, shrunk
from tb.gate.net import net_sides
from tb.replay.data import load_market
from tb.runtime.session import Session

D = Decimal
UNIVERSE = "universe u on exchange\n  tier spot BTC-USD\n  tier perp BTC-PERP\n"
CARRY = """strategy carry on u every 1h
  enter when volume > 0
    leg buy spot 10% of equity
    leg sell perp same quantity
  exit when close < open
"""
SMALL = (
    "universe u on exchange\n  tier all AAA-USD, BBB-USD, CCC-USD\n"
    "strategy s on u every {period}\n  enter when {when}\n    leg buy AAA-USD 10% of equity\n"
    "    leg sell BBB-USD {size}\n  exit when {leave}\n  hold at most 5h\n  cool down 2h after loss\n"
    "strategy lone on u every 1h\n  enter long when volume > 0\n    size 5% of equity\n    stop 3% below entry\n"
)
POLICY = (
    "limit position  after.exposure(order.instrument) <= 9% of equity  otherwise shrink\n"
    "limit net       after.net <= 12% of equity\nlimit rate  orders(2h) <= 6  on every order\n"
    "limit loss      drawdown <= 3%  otherwise halt\nlimit lately  entries(4h) < 3\n"
)


def held_alone(done: Replayed, strategy: str, symbols: tuple[str, ...]) -> list[int]:
    """The instants after which some legs were held and others not."""
    owners = {order.id: order.strategy for order in done.orders}
    held: dict[str, D] = dict.fromkeys(symbols, D(0))
    found = []
    fills = [fill for fill in done.fills if owners.get(fill.order) == strategy]
    for at in sorted({fill.at for fill in fills}):
        for fill in fills:
            if fill.at == at:
                held[fill.instrument] += fill.quantity if fill.side == "buy" else -fill.quantity
        if len({quantity == 0 for quantity in held.values()}) > 1:
            found.append(at)
    return found


def drawn(period: str, when: str, size: str, leave: str) -> str:
    return SMALL.format(period=period, when=when, size=size, leave=leave)


@settings(max_examples=25)
@given(
    markets(),
    st.sampled_from(("1h", "2h")),
    st.sampled_from(("volume > 0", "close of BBB-USD > close[1] of BBB-USD", "close > 0")),
    st.sampled_from(("same quantity", "same money", "3% of equity")),
    st.sampled_from(("close < open", "close of BBB-USD > 1.02 * open of BBB-USD")),
)
def test_legs_are_held_together_and_replay_jumps_as_if_it_stepped(
    made: Drawn, period: str, when: str, size: str, leave: str
) -> None:
    project = compiled(
        drawn(period, when, size, leave), POLICY, venue="{fee: 20bps, slippage: 7bps, spread: 0%, depth: 1B USD}"
    )
    done = run(project, made.market)
    assert held_alone(done, "s", ("AAA-USD", "BBB-USD")) == []
    again = stepped(project, made.market)
    assert again.of(Decision) == done.decisions
    assert again.of(Fill) == done.fills
    for decision in done.decisions:
        assert done.explained(decision, deep=False).differences == ()
    middle = made.market.first + (made.market.last - made.market.first) // 2
    early = [d for d in done.decisions if d.at <= middle]
    shorter = cut(made.market, middle)
    assert not shorter.bars or [d for d in run(project, shorter).decisions if d.at <= middle] == early


def pair(spot: list, perp: list, policy: str = "limit gross after.gross <= 100% of equity\n", rules: str = CARRY) -> Replayed:  # type: ignore[type-arg]
    return run(compiled(UNIVERSE + rules, policy), market(bars("BTC-USD", spot), bars("BTC-PERP", perp)))


def test_a_changed_record_of_a_leg_is_not_reproduced() -> None:
    import msgspec

    done = pair(
        [flat(100, 1)] * 3, [flat(103)] * 3, "limit one after.exposure(order.instrument) <= 9% of equity otherwise shrink\n"
    )
    decision = done.decisions[1]
    note = decision.together
    assert note is not None
    assert done.explained(decision).reproduced
    first, second = note.rounds
    change = msgspec.structs.replace
    changed = (
        change(decision, approved=decision.approved * 2),
        change(decision, together=None),
        change(decision, together=change(note, rounds=(first,))),
        change(
            decision,
            together=change(note, rounds=(change(first, allowed=(D(1), D(1))), second)),
        ),
        change(decision, together=change(note, rounds=(first, change(second, facts=first.facts)))),
        change(decision, together=change(note, place=0)),
        change(decision, together=change(note, legs=note.legs[::-1])),
        change(
            decision,
            together=change(note, legs=(change(note.legs[0], price=D(50)), note.legs[1])),
        ),
    )
    for other in changed:
        assert not done.explained(other).reproduced, other


@pytest.mark.parametrize(
    ("perp", "missing"), [([flat(103), (103, 103, 103, NAN), flat(103)], "price"), ([flat(103), None, flat(103)], "price")]
)
def test_without_the_price_of_one_leg_none_enters(perp: list, missing: str) -> None:  # type: ignore[type-arg]
    done = pair([flat(100), flat(100, 1), flat(100)], perp)
    assert [(d.instrument, d.verdict) for d in done.decisions] == [("BTC-USD", "reject"), ("BTC-PERP", "reject")]
    assert done.orders == []
    assert missing in done.explained(done.decisions[1]).missing


def test_an_unknown_condition_enters_nothing() -> None:
    rules = CARRY.replace("volume > 0", "funding_rate > 0.01%")
    assert pair([flat(100, 1)] * 4, [flat(103)] * 4, rules=rules).decisions == []


def test_where_one_leg_is_gone_the_other_is_closed() -> None:
    gone: list[int] = []

    def take_one_away(at: int, session: Session, _: object) -> None:
        position = session.positions.get(("carry", "BTC-PERP"))
        if at == START + 3 * HOUR and position is not None:
            gone.append(at)
            fill = position.entry
            liquidated = Fill(
                order="liquidated",
                at=at,
                row=2,
                instrument="BTC-PERP",
                side="buy",
                quantity=fill.quantity,
                price=D(110),
                fee=D(0),
                slippage=D(0),
                cause="stop",
            )
            session.settling.exited(position, liquidated)

    project = compiled(UNIVERSE + CARRY.replace("volume > 0", "hour == 1"))
    data = market(bars("BTC-USD", [flat(100, 1), *[flat(100)] * 5]), bars("BTC-PERP", [flat(103)] * 6))
    records = stepped(project, data, take_one_away)
    assert gone
    last = records.of(Fill)[-1]
    assert (last.instrument, last.side, last.cause, last.at) == ("BTC-USD", "sell", "leg gone", START + 4 * HOUR)
    exit_ = records.of(Decision)[-1]
    assert (exit_.kind, exit_.reason) == ("exit", "another leg of it is gone")


def test_legs_lose_once_and_count_as_one_entry() -> None:
    policy = (
        "pause streak for 24h after 2 losses in a row\nlimit few entries(today) <= 3\n"
        "limit rate orders(today) <= 12 on every order\n"
    )
    falling = [(price, price, price - 1, price - 1, 1) for price in range(100, 91, -1)]
    done = pair(falling, [flat(103)] * 9, policy, CARRY.replace("exit when close < open", "hold at most 1h"))
    refused = [d for d in done.decisions if d.kind == "enter" and not d.approved]
    assert len([t for t in done.trades if t.exit_at]) == 4  # two groups of two legs, then the pause
    assert {d.deciding for d in refused} <= {("not_paused",), ("few", "not_paused"), ("streak",)}
    assert refused
    assert {trade.together for trade in done.trades} == {1, done.trades[2].decision}


# --- arithmetic ---------------------------------------------------------------------------------------------------------


def test_the_common_step_is_a_whole_number_of_every_lot() -> None:
    assert common_step([D("0.001"), D("0.0015")]) == D("0.003")
    assert common_step([D("0.1")]) == D("0.1")
    assert common_step([D(10), D("0.25")]) == D(10)


def test_all_legs_shrink_in_the_proportion_of_the_one_that_may_keep_least() -> None:
    legs = [LegPlan(symbol, same, None) for symbol, same in (("A", None), ("B", "quantity"), ("C", "money"), ("D", None))]  # type: ignore[arg-type]
    places = [Place(D(price), InstrumentSpec(D(1), D(lot))) for price, lot in ((10, 1), (10, 4), (20, 1), (5, 3))]
    found = shrunk(legs, places, (D(100), D(100), D(50), D(60)), (D(100), D(100), D(31), D(60)))
    assert found == (D(60), D(60), D(30), D(36))  # 62 down to whole fours; 30 as much money; 37.2 down to threes


@given(st.integers(1, 500), st.integers(1, 400), st.integers(1, 499))
def test_what_shrinks_is_less_and_stays_the_same(first: int, price: int, kept: int) -> None:
    legs = [LegPlan("A", None, None), LegPlan("B", "quantity", None), LegPlan("C", "money", None)]  # type: ignore[arg-type]
    places = [Place(D(7), InstrumentSpec(D(1), D("0.5"))), Place(D(7), InstrumentSpec(D(1), D("0.75")))]
    places.append(Place(D(price), InstrumentSpec(D(1), D("0.1"))))
    quantity = D(first) * D("1.5")
    worth = (quantity * 7 / price // D("0.1")) * D("0.1")
    if not worth:
        return
    allowed = min(quantity, D(kept) * D("0.5"))
    found = shrunk(legs, places, (quantity, quantity, worth), (quantity, allowed, worth))
    assert found[0] == found[1] <= allowed
    assert found[0] % D("1.5") == 0
    assert found[2] * price <= found[0] * 7


def test_a_leg_is_hedged_by_what_others_hold_of_its_asset() -> None:
    spot, perp = Amount("BTC-USD", 1, D(2), D(100)), Amount("BTC-PERP", -1, D(1), D(103))
    assert hedged((spot, perp), 0) == D("0.5")
    assert hedged((spot, perp), 1) == 1
    assert hedged((spot, Amount("ETH-USD", -1, D(99), D(3))), 0) == 0
    # the euros that selling BTC-EUR brings are sold by the third leg
    triangle = (Amount("BTC-USD", 1, D(1), D(120)), Amount("BTC-EUR", -1, D(1), D(100)), Amount("EUR_USD", -1, D(80), D("1.2")))
    assert [hedged(triangle, at) for at in range(3)] == [1, 1, 1]
    assert hedged((spot, Amount("EUR-BTC", 1, D(1), None)), 0) is None


def test_net_counts_legs_as_one_sum() -> None:
    spot, perp = Amount("BTC-USD", 1, D(2), D(100)), Amount("BTC-PERP", -1, D(2), D(103))
    assert net_share((spot, perp), 0) == D("-0.03")
    account = Account("USD", D(1000))
    account.working["a"] = Working("a", "BTC-USD", 1, D(2), D(100), "carry", "carry BTC")
    account.working["b"] = Working("b", "BTC-PERP", -1, D(2), D(103), "carry", "carry BTC")
    account.working["c"] = Working("c", "BTC-USD", 1, D(1), D(100), "x")
    assert net_sides(account, "") == (D(100), D(-6))
    assert net_sides(account, "carry BTC") == (D(100), D(0))


# --- funding ------------------------------------------------------------------------------------------------------------


def funded(rates: dict[int, float], spot: list, perp: list, rules: str = CARRY) -> Replayed:  # type: ignore[type-arg]
    """A run with funding of the perpetual at these hours."""
    instants = np.array([START + hour * HOUR for hour in rates], dtype=np.int64)
    values = np.array(list(rates.values()))
    rows = FeedRows(instants, values, values, np.arange(len(rates)), "BTC-PERP.funding.csv")
    whole = market(bars("BTC-USD", spot), bars("BTC-PERP", perp))
    return run(compiled(UNIVERSE + rules), replace(whole, funding={"BTC-PERP": Funding(rows, 2 * HOUR)}))


def test_a_short_perpetual_gets_funding_at_each_instant_it_is_held_through() -> None:
    rules = CARRY.replace("volume > 0", "annualised(funding_rate) > 20%").replace("exit when close < open", "hold at most 4h")
    rates = {1: 0.01, 3: 0.02, 5: NAN, 7: 0.03}
    done = funded(rates, [flat(100)] * 8, [flat(200)] * 8, rules)
    spot, perp = done.trades[:2]
    # entered at 1h, out at 5h: 2% of 10 x 200 at 3h; what was due at 5h is not known, and 1h was before
    assert (perp.quantity, perp.funding, perp.unfunded, perp.profit) == (D(10), D(40), 1, D(40))
    assert (spot.funding, spot.unfunded, spot.profit) == (0, 0, 0)
    assert done.outcome.final_equity == D(10_040)
    assert all(done.explained(decision).reproduced for decision in done.decisions)


def test_carry_on_recorded_funding(recorded_data: Path, tmp_path: Path) -> None:
    """The rates are recorded; no prices of that time are, and flat ones stand in for them: what is earned is funding."""
    from tb.replay.funding import load_funding

    name = "BTC-PERP.funding_8h.parquet"
    (tmp_path / name).write_bytes((recorded_data / "series" / name).read_bytes())
    found, problems = load_funding([tmp_path], ["BTC-PERP"])
    assert problems == []
    rates = found["BTC-PERP"]
    start = int(rates.rows.known[0]) - 8 * HOUR
    series = [bars(symbol, [flat(100)] * 1600, start=start) for symbol in ("BTC-USD", "BTC-PERP")]
    rules = CARRY.replace("every 1h", "every 8h").replace("volume > 0", "annualised(funding_rate) > 5%")
    rules = rules.replace("close < open", "annualised(funding_rate) < 0%")
    done = run(compiled(UNIVERSE + rules), replace(market(*series), funding={"BTC-PERP": rates}))
    closed = [trade for trade in done.trades if trade.exit_at is not None and trade.instrument == "BTC-PERP"]
    assert closed
    assert all(trade.profit == trade.funding for trade in closed)
    one = closed[0]
    held = [
        r for t, r in zip(rates.rows.known.tolist(), rates.rows.values.tolist(), strict=True) if one.entry_at < t <= one.exit_at
    ]
    assert one.funding == sum((D(repr(rate)) * one.quantity * 100 for rate in held), D(0))
    assert "annualised(funding_rate)" in text(done.explained(done.decisions[0]))


# --- recorded markets ---------------------------------------------------------------------------------------------------


def test_a_pair_on_recorded_hours_enters_leaves_and_explains_itself(recorded_data: Path) -> None:
    rules = """universe pairs on exchange
  tier coins BTC-USD, ETH-USD
let ratio = close of BTC-USD / close of ETH-USD
strategy pair on pairs every 4h
  enter when zscore(ratio, 60) > 2
    leg sell BTC-USD 10% of equity
    leg buy ETH-USD same money
    because "ratio {zscore(ratio, 60):+.1f} deviations away"
  exit when zscore(ratio, 60) < 0
  hold at most 5d
"""
    policy = (
        "limit net  after.net <= 1% of equity\n"
        "limit position  after.exposure(order.instrument) <= 8% of equity  otherwise shrink\n"
    )
    venue = "{fee: 5bps, slippage: 2bps, spread: 2bps, depth: 1M USD}"
    whole = load_market(recorded_data / "crypto_1h", instruments=["BTC-USD", "ETH-USD"])
    done = run(compiled(rules, policy, venue=venue), cut(whole, whole.first + 120 * 24 * HOUR))
    assert len([trade for trade in done.trades if trade.exit_at]) >= 8
    assert held_alone(done, "pair", ("BTC-USD", "ETH-USD")) == []
    for decision in done.decisions:
        assert done.explained(decision, deep=False).differences == ()
    shown = done.explained(done.decisions[0])
    assert [leg.instrument for leg in shown.legs] == ["BTC-USD", "ETH-USD"]
    assert shown.verdict == "shrink"
