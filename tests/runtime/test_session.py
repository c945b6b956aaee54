"""One step of a session: order of proposals, sizes, cool-downs, times held, and that nothing unknown is traded."""

from __future__ import annotations

import zlib
from decimal import Decimal

import pytest
from small_projects import NAN, START, Replayed, bars, compiled, flat, market, run, strategy

from tb.core.records import Decision, Latch
from tb.core.time import DAY, HOUR
from tb.gate.explain import Explanation
from tb.replay.run import markets_of
from tb.replay.venue import SimulatedVenue
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import BUSY, COOLING
from tb.runtime.latches import Latches
from tb.runtime.policy import gates_of
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.view import RecordedView, columns_of

D = Decimal

SIX = tuple(f"{name}-USD" for name in ("FFF", "EEE", "DDD", "CCC", "BBB", "AAA"))


def hour(decision: Decision) -> int:
    return (decision.at - START) // HOUR


def entries(done: Replayed) -> list[Decision]:
    return [decision for decision in done.decisions if decision.kind == "enter"]


# --- several proposals at one instant ----------------------------------------------------------------------------------


def six_at_once(policy: str, confidence: str = "confidence 0.1..0.9 as close / open goes 1..1.1") -> Replayed:
    """Six instruments, each with another confidence: AAA the least, FFF the most."""
    trigger = f"trigger up\n  when volume > 0\n  {confidence}\n\n"
    rules = trigger + strategy("up", members=", ".join(SIX), size="4% of equity")
    rows = {name: [(100, 110, 90, 100 + 2 * ("FEDCBA"[::-1].index(name[0])), 1), flat(100)] for name in SIX}
    return run(compiled(rules, policy), market(*(bars(name, found) for name, found in rows.items())))


def test_proposals_are_judged_most_confident_first_in_the_light_of_those_before() -> None:
    done = six_at_once("limit hourly entries(1h) < 4\n")
    assert [d.instrument[0] for d in done.decisions] == ["F", "E", "D", "C", "B", "A"]
    assert [d.verdict for d in done.decisions] == ["approve"] * 4 + ["reject"] * 2
    assert done.decisions[4].deciding == ("hourly",)
    assert [f.instrument[0] for f in done.fills] == ["C", "D", "E", "F"]


def test_equal_confidence_is_ordered_by_strategy_then_by_instrument() -> None:
    done = six_at_once("limit gross after.gross <= 1000% of equity\n", "confidence 0.5")
    assert [d.instrument[0] for d in done.decisions] == ["A", "B", "C", "D", "E", "F"]
    second = strategy(name="a", universe=False, members="")
    done = run(compiled(strategy(name="z") + "\n" + second), market(bars("BTC-USD", [flat(100, 1)])))
    assert [d.strategy for d in done.decisions] == ["a", "z"]


def test_without_confidence_comes_last() -> None:
    trigger = "trigger up\n  when volume > 0\n  confidence 0.2\n\n"
    rules = trigger + strategy(name="a") + "\n" + strategy("up", name="z", universe=False)
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1)])))
    assert [(d.strategy, d.confidence) for d in done.decisions] == [("z", 0.2), ("a", None)]


def test_a_group_limit_is_shared_and_the_last_one_is_shrunk_to_what_is_left() -> None:
    policy = "group some: AAA-USD, CCC-USD, EEE-USD\n"
    policy += "limit cluster after.exposure(group of order.instrument) <= 10% of equity otherwise shrink\n"
    done = six_at_once(policy)
    approved = {d.instrument[0]: d.approved * (d.price or D(0)) for d in done.decisions}
    assert [d.instrument[0] for d in done.decisions if d.verdict == "shrink"] == ["A"]
    inside = approved["A"] + approved["C"] + approved["E"]
    assert D(999) < inside <= D(1000)
    # one lot more would not have fitted
    last = done.decisions[-1]
    assert inside + D("0.001") * (last.price or D(0)) > D(1000)


def test_two_entries_of_one_strategy_make_one_proposal_and_the_other_is_told_apart_from_cooling() -> None:
    rules = (
        "universe u on venue\n  tier t BTC-USD\n\nstrategy s on u every 1h\n"
        "  enter short when volume > 0\n    size 0.01% of equity\n    stop 5% above entry\n"
        "  enter long when close > 0\n    size 10% of equity\n    stop 5% below entry\n"
    )
    # the first is refused (the venue takes no order below 100 USD), and the second is not tried at the same bar
    instruments = "default: {tick: 0.01, lot: 0.001, minimum: 100 USD}"
    done = run(compiled(rules, instruments=instruments), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    assert [(d.enter, d.verdict) for d in done.decisions] == [(0, "reject"), (1, "approve")]
    states = zlib.decompress(done.quiet[0].states)
    assert list(states) == [1, 0, BUSY, 1]


# --- exits, times and cool-downs ----------------------------------------------------------------------------------------


def test_exits_are_decided_before_entries() -> None:
    rules = strategy(name="b", more=["exit when close > open"]) + "\n" + strategy("close > open", name="a", universe=False)
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1), (100, 101, 100, 101), flat(101)])))
    assert [(d.kind, d.strategy, hour(d)) for d in done.decisions] == [("enter", "b", 1), ("exit", "b", 2), ("enter", "a", 2)]


def test_an_exit_answers_only_to_constraints_on_every_order() -> None:
    rules = strategy(more=["exit when close < open"])
    policy = "limit none entries(today) < 2\nforbid all when close < open\nlimit rate orders(3h) < 1 on every order\n"
    rows = [flat(100, 1), (100, 100, 99, 99), (99, 99, 98, 98), (98, 98, 97, 97), flat(97)]
    done = run(compiled(rules, policy), market(bars("BTC-USD", rows)))
    # denied twice by the rate, asked again at the next bar each time
    exits = [(hour(d), d.verdict, d.deciding) for d in done.decisions if d.kind == "exit"]
    assert exits == [(2, "reject", ("rate",)), (3, "reject", ("rate",)), (4, "approve", ())]


@pytest.mark.parametrize(
    ("after", "free_at"),
    [
        ("cool down 3h after exit", 6),
        ("cool down 5h after loss", 8),
        ("cool down 3h after stop", 3),
        ("cool down 2 bars after exit", 5),
    ],
)
def test_a_strategy_cools_down_after_an_exit_a_loss_or_a_stop(after: str, free_at: int) -> None:
    rules = strategy(more=["exit when close < open", after])
    rows = [flat(100, 1), (100, 100, 99, 99), flat(98, 1), *[flat(98, 1)] * 9]
    done = run(compiled(rules), market(bars("BTC-USD", rows)))
    # decided at 2, filled at the open of hour 2 (not a stop), at a loss
    assert [hour(d) for d in entries(done)][:2] == [1, max(free_at - 1, 3)]
    states = list(zlib.decompress(done.quiet[0].states))
    assert states[2 : free_at - 2] == [COOLING] * (free_at - 4 if free_at > 4 else 0)


def test_a_stop_cools_down_and_a_target_does_not() -> None:
    rules = strategy(stop="5% below entry", target="5% above entry", more=["cool down 4h after stop"])
    down = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1), (100, 100, 90, 91), *[flat(91, 1)] * 8])))
    assert [hour(d) for d in entries(down)][:2] == [1, 6]
    up = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1), (100, 110, 100, 109), *[flat(109, 1)] * 8])))
    assert [hour(d) for d in entries(up)][:2] == [1, 3]


def test_the_shorter_of_the_tiers_and_the_strategys_time_counts() -> None:
    rules = (
        "universe u on venue\n  tier core BTC-USD\n  tier edge ETH-USD hold at most 2h\n\n"
        "strategy s on u every 1h\n  enter long when volume > 0\n    size 10% of equity\n    stop 50% below entry\n"
        "  hold at most 4h\n"
    )
    data = market(*(bars(name, [flat(100, 1), *[flat(100)] * 7]) for name in ("BTC-USD", "ETH-USD")))
    done = run(compiled(rules), data)
    assert [(d.instrument, hour(d), d.enter) for d in done.decisions if d.kind == "exit"] == [
        ("ETH-USD", 3, -1),
        ("BTC-USD", 5, -1),
    ]


def test_sizes_follow_the_tier() -> None:
    rules = (
        "universe u on venue\n  tier core BTC-USD\n  tier edge ETH-USD\n\n"
        "strategy s on u every 1h\n  enter long when volume > 0\n"
        "    size 5% of equity if tier is core\n      1% of equity otherwise\n"
        "    stop 8% below entry\n    target 15% above entry\n"
    )
    done = run(compiled(rules), market(*(bars(name, [flat(100, 1)]) for name in ("BTC-USD", "ETH-USD"))))
    assert {d.instrument: d.proposed for d in done.decisions} == {"BTC-USD": D(5), "ETH-USD": D(1)}


@pytest.mark.parametrize("direction", ["long", "short"])
def test_a_size_that_risks_a_share_loses_that_share_at_the_stop(direction: str) -> None:
    side = "below" if direction == "long" else "above"
    rules = strategy(direction=direction, size="risking 1% of equity", stop=f"4% {side} entry", target="2R")
    sign = 1 if direction == "long" else -1
    wick = (100, 101, 95, 100) if direction == "long" else (100, 105, 99, 100)
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1), flat(100), wick])))
    decision, trade = done.decisions[0], done.trades[0]
    assert decision.proposed == D(25)
    assert (trade.stop, trade.target) == (D(100) - sign * 4, D(100) + sign * 8)
    assert (trade.cause, trade.profit, trade.r) == ("stop", D(-100), D(-1))


def test_stops_at_a_price_and_at_a_distance() -> None:
    rows = [(100, 104, 95, 100, 1), flat(101)]
    done = run(compiled(strategy(stop="at low", target="3R")), market(bars("BTC-USD", rows)))
    assert (done.decisions[0].stop, done.decisions[0].target) == (D(95), D(115))
    assert (done.trades[0].stop, done.trades[0].target) == (D(95), D(119))  # 3R of what the entry at 101 risks
    done = run(compiled(strategy(stop="0.5 * (high - low) below entry")), market(bars("BTC-USD", rows)))
    assert (done.decisions[0].stop, done.trades[0].stop) == (D("95.5"), D("96.5"))


def test_a_coarser_period_decides_at_its_own_closes_and_is_filled_at_the_next_fine_open() -> None:
    rows = [flat(100), flat(100), flat(100), flat(100, 1), (107, 108, 106, 107), flat(107), flat(90), flat(90), flat(90)]
    done = run(compiled(strategy(period="4h")), market(bars("BTC-USD", rows)))
    assert [hour(d) for d in done.decisions] == [4]
    assert [(f.cause, f.price, (f.at - START) // HOUR) for f in done.fills] == [("entry", D(107), 4), ("stop", D(90), 6)]


# --- nothing unknown is traded ------------------------------------------------------------------------------------------

STOPPED = strategy(members="BTC-USD, ETH-USD")


def refused(done: Replayed, at: int) -> Explanation:
    """The explanation of the only entry asked for at that hour, which must have been denied and reproduced."""
    found = [d for d in entries(done) if hour(d) == at]
    assert len(found) == 1
    assert found[0].approved == 0
    assert not [order for order in done.orders if order.decision == found[0].seq]
    explanation = done.explained(found[0])
    assert explanation.reproduced, explanation.differences
    return explanation


def test_an_unknown_close_of_what_is_held_makes_the_loss_of_the_day_unknown_and_denies() -> None:
    policy = "limit daily loss(today) <= 3% of equity at day_start otherwise halt until tomorrow\n"
    data = market(
        bars("BTC-USD", [flat(100, 1), flat(100), (100, 100, 100, NAN), flat(100)]),
        bars("ETH-USD", [flat(10), flat(10), flat(10, 1), flat(10, 1)]),
    )
    done = run(compiled(STOPPED, policy), data)
    explanation = refused(done, 3)
    assert {"loss(today)", "equity"} <= set(explanation.missing)
    assert {"daily", "complete_order"} <= set(explanation.decided_by)
    # known again one bar later
    assert [d.verdict for d in entries(done) if hour(d) == 4] == ["approve"]


def test_a_halt_does_not_hide_what_is_missing() -> None:
    policy = "limit deep drawdown <= 1% otherwise halt\nforbid wide when spread > 1%\n"
    rows = [flat(100, 1), flat(100), flat(80), flat(80, 1)]
    venue = "{fee: 0%, slippage: 0%}"
    done = run(
        compiled(
            strategy(size="50% of equity"),
            policy.replace("forbid wide when spread > 1%\n", "forbid wide when entries(today) > 0 and spread > 1%\n"),
            venue=venue,
        ),
        market(bars("BTC-USD", rows)),
    )
    explanation = refused(done, 4)
    assert explanation.verdict == "halt"
    assert explanation.missing == ("spread",)


@pytest.mark.parametrize("hole", [(100, 100, 100, NAN, 1)])
def test_an_unknown_close_at_the_deciding_bar_denies(hole: tuple[float, ...]) -> None:
    done = run(compiled(STOPPED), market(bars("BTC-USD", [flat(100), hole])))
    explanation = refused(done, 2)
    assert {"price", "order.price"} <= set(explanation.missing)


def test_a_condition_over_an_unknown_close_proposes_nothing() -> None:
    rules = strategy("close > 0 and volume > 0")
    assert run(compiled(rules), market(bars("BTC-USD", [flat(100), (100, 100, 100, NAN, 1)]))).decisions == []


def test_unknown_quotes_deny_though_the_close_is_known() -> None:
    data = market(bars("BTC-USD", [flat(100, 1)], quotes=[(NAN, 101)]))
    assert {"price", "order.price"} <= set(refused(run(compiled(STOPPED), data), 1).missing)


def test_data_older_than_allowed_denies() -> None:
    # the last three fine bars of the second coarse one are missing
    rows = [flat(100)] * 4 + [flat(100, 1), None, None, None, flat(100)]
    done = run(compiled(strategy(period="4h"), "require fresh data_age <= 2h\n"), market(bars("BTC-USD", rows)))
    explanation = refused(done, 8)
    assert explanation.decided_by == ("fresh",)
    rule = next(rule for rule in explanation.rules if rule.name == "fresh")
    assert (rule.condition.value, rule.condition.threshold, rule.condition.distance) == ("3h", "2h", "1h")
    assert (
        run(compiled(strategy(period="4h"), "require fresh data_age <= 3h\n"), market(bars("BTC-USD", rows)))
        .decisions[0]
        .approved
    )


def test_an_age_counts_from_the_newest_price_that_is_known() -> None:
    rows = [flat(100), (100, 100, 100, NAN), (100, 100, 100, NAN, 1)]
    done = run(compiled(strategy(), "require fresh data_age <= 1h\n"), market(bars("BTC-USD", rows)))
    assert "fresh" in refused(done, 3).decided_by


@pytest.mark.parametrize(
    ("policy", "input_"),
    [("forbid wide when spread > 60bps\n", "spread"), ("forbid thin when depth(10bps) < 2 * order.notional\n", "depth(0.1%)")],
)
def test_a_spread_or_depth_that_nobody_recorded_or_stated_denies(policy: str, input_: str) -> None:
    done = run(compiled(STOPPED, policy, venue="{fee: 0%, slippage: 0%}"), market(bars("BTC-USD", [flat(100, 1)])))
    explanation = refused(done, 1)
    assert explanation.missing == (input_,)
    assert len(explanation.decided_by) == 1


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ({"stop": "atr(14) below entry"}, {"stop", "atr(14)"}),
        ({"stop": "at lowest(low, 9)"}, {"stop", "lowest(low, 9)"}),
        ({"target": "at highest(high, 9)"}, {"target", "highest(high, 9)"}),
        ({"size": "5% of equity if rsi(close, 14) < 30\n      1% of equity otherwise"}, {"size", "rsi(close, 14)"}),
        ({"size": "5% of equity if close < 1 * low / 2"}, {"size"}),
    ],
)
def test_a_stop_target_or_size_that_cannot_be_computed_denies(line: dict[str, str], names: set[str]) -> None:
    done = run(compiled(strategy(**line)), market(bars("BTC-USD", [flat(100, 1)])))
    explanation = refused(done, 1)
    assert names <= set(explanation.missing)
    assert "complete_order" in explanation.decided_by


def test_an_instrument_without_tick_and_lot_is_never_ordered() -> None:
    done = run(compiled(STOPPED, instruments="ETH-USD: {tick: 0.01, lot: 0.001}"), market(bars("BTC-USD", [flat(100, 1)])))
    assert {"instrument", "order.price"} <= set(refused(done, 1).missing)


def test_a_restricted_instrument_and_one_too_small_are_refused() -> None:
    policy = "forbid listed when order.instrument in restricted\n"
    done = run(compiled(STOPPED, policy, restricted="[BTC-USD]"), market(bars("BTC-USD", [flat(100, 1)])))
    assert refused(done, 1).decided_by == ("listed",)
    done = run(compiled(strategy(size="0.0001% of equity")), market(bars("BTC-USD", [flat(100, 1)])))
    assert set(refused(done, 1).decided_by) == {"whole_order", "venue_minimum"}


# --- a restart ----------------------------------------------------------------------------------------------------------


def test_a_session_that_starts_with_restored_latches_keeps_the_halt() -> None:
    project, data = compiled(STOPPED), market(bars("BTC-USD", [flat(100, 1)]))
    halt = Latch(at=START - DAY, rule="daily", verdict="halt", until=None, lifted=False, by="policy", reason="x")
    markets = markets_of(project.plan, data, project.settings)
    view = RecordedView(
        project.plan.graph, markets, columns_of(project.plan, markets, chunk=100), Rates(project.settings, data.bars)
    )

    class Kept(list):  # type: ignore[type-arg]
        def record(self, records: list) -> None:  # type: ignore[type-arg]
            self.extend(records)

    kept, venue = Kept(), SimulatedVenue(project.settings, data.bars, Rates(project.settings, data.bars))
    session = Session(
        run="r2",
        plan=project.plan,
        settings=project.settings,
        view=view,
        venue=venue,
        recorder=kept,
        policy_hash="0" * 64,
        gates=gates_of(project.plan),
        latches=Latches.restore([halt]),
    )
    session.step(START + HOUR, [Ready(0, 0, "BTC-USD", 0)])
    decision = next(record for record in kept if isinstance(record, Decision))
    assert (decision.verdict, decision.deciding, venue.orders) == ("halt", ("not_halted",), {})
