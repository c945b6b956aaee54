"""The simulated venue's conventions on bars made by hand: every price, fee and profit to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from small_projects import NAN, START, Replayed, bars, compiled, flat, market, run, strategy

from tb.core.records import Cancel, Fill, Trade
from tb.core.time import HOUR
from tb.gate.gate import closing
from tb.replay.venue import SimulatedVenue
from tb.runtime.rates import Rates

D = Decimal

COSTS = "{fee: 10bps, slippage: 20bps, spread: 0%, depth: 1B USD}"
LONG = strategy(stop="10% below entry", target="20% above entry")
SHORT = strategy(direction="short", stop="10% above entry", target="20% below entry")
SIGNAL = flat(100, 1)  # at its close the entry condition holds


def replayed(rules: str, rows: list[tuple[float, ...] | None], **settings: str) -> Replayed:
    return run(compiled(rules, **settings), market(bars("BTC-USD", [SIGNAL, *rows])))


def only_trade(done: Replayed) -> Trade:
    assert len(done.trades) == 1
    return done.trades[0]


def exit_fill(done: Replayed) -> Fill:
    assert done.fills[0].cause == "entry"
    assert len(done.fills) == 2
    return done.fills[1]


def closed_at(done: Replayed) -> tuple[str | None, D | None, int]:
    """Cause, price and hours after the start of the data."""
    trade = only_trade(done)
    assert trade.exit_at is not None
    return trade.cause, trade.exit_price, (trade.exit_at - START) // HOUR


def test_a_decision_at_a_close_fills_at_the_next_open_with_slippage_and_fee() -> None:
    done = replayed(LONG, [(103.5, 104, 103, 104)], venue=COSTS)
    decision, fill = done.decisions[0], done.fills[0]
    # expected: 100 * 1.002 = 100.2; 1,000 USD / 100.2 = 9.98003..., down to the lot
    assert (decision.at, decision.price, decision.proposed) == (START + HOUR, D("100.2"), D("9.98"))
    assert (decision.stop, decision.target) == (D("90.18"), D("120.24"))
    # 103.5 * 1.002 = 103.707, up to the tick
    assert (fill.at, fill.row, fill.price, fill.slippage) == (START + HOUR, 1, D("103.71"), D("0.21"))
    assert fill.fee == D("9.98") * D("103.71") * D("0.001")
    trade = only_trade(done)
    # from the price that was paid: 93.339 up, 124.452 down, both nearer to the entry
    assert (trade.stop, trade.target, trade.exit_at) == (D("93.34"), D("124.45"), None)
    assert done.outcome.open_positions == 1
    assert done.outcome.final_equity == D(10_000) - D("9.98") * D("103.71") - fill.fee + D("9.98") * 104


def test_a_short_entry_is_rounded_down_and_its_levels_are_mirrored() -> None:
    done = replayed(SHORT, [(103.5, 104, 103, 104)], venue=COSTS)
    assert done.decisions[0].price == D("99.80")
    assert (done.decisions[0].stop, done.decisions[0].target) == (D("109.78"), D("79.84"))
    fill = done.fills[0]
    # 103.5 * 0.998 = 103.293
    assert (fill.price, fill.slippage) == (D("103.29"), D("0.21"))
    trade = only_trade(done)
    # 113.619 down, 82.632 up
    assert (trade.side, trade.stop, trade.target) == ("short", D("113.61"), D("82.64"))


def test_the_stated_spread_is_half_on_each_side_and_exact() -> None:
    tick = "default: {tick: 0.000001, lot: 0.001, minimum: 1 USD}"
    venue = "{fee: 0%, slippage: 0%, spread: 10bps, depth: 1B USD}"
    for price, ask in (("1.1", "1.10055"), ("8592.33", "8596.626165"), ("0.07", "0.070035"), ("3.3", "3.30165")):
        row = flat(float(price), 1)
        done = run(compiled(LONG, instruments=tick, venue=venue), market(bars("BTC-USD", [row])))
        assert done.decisions[0].price == D(ask), price


def test_recorded_quotes_give_the_expected_price_and_win_over_the_stated_spread() -> None:
    data = market(bars("BTC-USD", [SIGNAL], quotes=[(99.5, 100.7)]))
    assert run(compiled(LONG), data).decisions[0].price == D("100.7")
    assert run(compiled(SHORT), data).decisions[0].price == D("99.5")


def test_an_instruments_own_spread_fee_and_slippage_count() -> None:
    instruments = "default: {tick: 0.01, lot: 0.001, minimum: 1 USD}\nBTC-USD: {spread: 2%, fee: 1%, slippage: 0%}"
    policy = "limit gross  after.gross <= 1000% of equity\nforbid wide when spread > 1%\n"
    done = run(compiled(LONG, policy, instruments=instruments), market(bars("BTC-USD", [SIGNAL, flat(100)])))
    assert (done.decisions[0].price, done.decisions[0].deciding) == (D("101"), ("wide",))
    done = run(compiled(LONG, instruments=instruments), market(bars("BTC-USD", [SIGNAL, flat(100)])))
    assert done.fills[0].fee == done.fills[0].quantity * 1


@pytest.mark.parametrize(
    ("rules", "rows", "expected"),
    [
        # long: stop 90, target 120 around an entry at 100
        (LONG, [(100, 101, 90, 95)], ("stop", D("90"), 2)),  # touched exactly, in the bar of the entry
        (LONG, [(100, 101, 90.01, 95), (95, 96, 89, 95)], ("stop", D("90"), 3)),
        (LONG, [(100, 120, 99, 119)], ("target", D("120"), 2)),
        (LONG, [(100, 119.99, 99, 119), (119, 121, 119, 120)], ("target", D("120"), 3)),
        (LONG, [(100, 125, 85, 100)], ("stop", D("90"), 2)),  # both: the stop first
        (LONG, [flat(100), (88, 130, 87, 125)], ("stop", D("88"), 2)),  # a gap through the stop, at the open
        (LONG, [flat(100), (90, 91, 89, 90)], ("stop", D("90"), 2)),  # opens exactly at it
        (LONG, [flat(100), (123, 124, 85, 90)], ("stop", D("90"), 3)),  # the open gives the target, the stop still counts first
        (LONG, [flat(100), (123, 124, 110, 111)], ("target", D("123"), 2)),
        # short: stop 110, target 80
        (SHORT, [(100, 110, 99, 105)], ("stop", D("110"), 2)),
        (SHORT, [(100, 101, 80, 85)], ("target", D("80"), 2)),
        (SHORT, [(100, 115, 75, 100)], ("stop", D("110"), 2)),
        (SHORT, [flat(100), (113, 114, 70, 75)], ("stop", D("113"), 2)),
        (SHORT, [flat(100), (77, 90, 76, 85)], ("target", D("77"), 2)),
    ],
)
def test_where_a_position_ends(rules: str, rows: list[tuple[float, ...]], expected: tuple[str, D, int]) -> None:
    # what happens at an open carries the open's instant, what happens inside a bar that of its close
    assert closed_at(replayed(rules, rows)) == expected


def test_a_bar_that_opens_beyond_the_target_and_falls_to_the_stop_is_a_stop() -> None:
    done = replayed(LONG, [flat(100), (123, 124, 85, 90)])
    assert only_trade(done).cause == "stop"


def test_stops_pay_slippage_and_targets_do_not() -> None:
    done = replayed(LONG, [flat(100), (95, 96, 85, 86)], venue=COSTS)
    trade, fill = only_trade(done), exit_fill(done)
    assert (trade.entry_price, trade.stop) == (D("100.2"), D("90.18"))
    # 90.18 * 0.998 = 89.99964, down
    assert (fill.price, fill.slippage, fill.side) == (D("89.99"), D("0.19"), "sell")
    done = replayed(LONG, [flat(100), (100, 130, 100, 125)], venue=COSTS)
    fill = exit_fill(done)
    assert (fill.price, fill.slippage, fill.fee) == (D("120.24"), 0, D("9.98") * D("120.24") * D("0.001"))
    done = replayed(SHORT, [flat(100), (105, 120, 104, 110)], venue=COSTS)
    # entry 99.80, stop 109.78, bought back at 109.78 * 1.002 = 109.99956, up
    assert exit_fill(done).price == D("110.00")


def test_a_fill_beyond_a_target_lies_on_the_tick_that_is_worse_and_never_worse_than_the_target() -> None:
    done = replayed(LONG, [flat(100), (123.4567, 124, 123, 124)])
    assert exit_fill(done).price == D("123.45")
    done = replayed(SHORT, [flat(100), (77.1234, 78, 77, 78)])
    assert exit_fill(done).price == D("77.13")
    done = replayed(LONG, [flat(100), (120.001, 124, 120, 124)])
    assert exit_fill(done).price == D("120.00")


def test_the_profit_the_fees_and_r_follow_from_the_fills() -> None:
    done = replayed(LONG, [flat(100), (95, 96, 85, 86)], venue=COSTS)
    trade = only_trade(done)
    entry, leave = done.fills
    assert trade.fees == entry.fee + leave.fee
    assert trade.profit == trade.quantity * (leave.price - entry.price) - trade.fees
    assert trade.r == trade.profit / (trade.quantity * (entry.price - D("90.18")))
    assert done.outcome.final_equity == D(10_000) + trade.profit


def test_excursions_are_seen_up_to_the_exit_and_the_exit_counts() -> None:
    done = replayed(LONG, [(100, 112, 96, 105), (105, 118, 80, 81)])
    trade = only_trade(done)
    # the bar of the stop itself: nobody knows whether its high came before
    assert (trade.best, trade.worst) == (pytest.approx(0.12), pytest.approx(0.1))
    done = replayed(strategy(stop="50% below entry", more=["hold at most 1 bar"]), [(100, 101, 99, 100), (80, 85, 79, 82)])
    assert only_trade(done).worst == pytest.approx(0.2)


def test_exits_by_condition_and_by_time_fill_at_the_next_open() -> None:
    rows = [flat(100), (100, 101, 99, 99.5), (97, 98, 96, 97), flat(97)]
    done = replayed(strategy(more=["exit when close < close[1]"]), rows, venue=COSTS)
    assert closed_at(done) == ("exit when", D("96.80"), 3)
    assert done.decisions[1].at == START + 3 * HOUR
    done = replayed(strategy(more=["hold at most 2 bars"]), rows)
    # entered at hour 1: held two hours at the close of hour 3, gone at that open
    assert closed_at(done) == ("hold", D("97"), 3)
    assert done.decisions[1].reason == "held as long as allowed"


def test_an_exit_order_and_a_stop_in_the_same_bar_make_one_exit() -> None:
    rules = strategy(more=["exit when close < close[1]"])
    done = replayed(rules, [flat(100), flat(99), (85, 86, 80, 81), flat(81)])
    assert [fill.cause for fill in done.fills] == ["entry", "exit when"]
    assert closed_at(done) == ("exit when", D("85"), 3)
    # the open is unknown: the order waits, the stop does not
    done = replayed(rules, [flat(100), flat(99), (NAN, 86, 80, 81), flat(81), flat(80)])
    assert [fill.cause for fill in done.fills] == ["entry", "stop"]
    assert closed_at(done) == ("stop", D("90"), 4)
    assert done.outcome.final_equity == D(9_900)


def test_an_exit_order_whose_stop_was_faster_never_touches_the_next_position() -> None:
    rules = strategy(more=["exit when close < close[1]"])
    # the stop is hit while the exit order waits; the same bar signals again, and a new position begins
    rows = [flat(100), flat(99), (NAN, 86, 80, 81, 1), flat(82), flat(83)]
    done = replayed(rules, rows)
    assert [fill.cause for fill in done.fills] == ["entry", "stop", "entry"]
    assert done.outcome.open_positions == 1


def test_an_entry_at_market_waits_one_period_for_an_open_that_is_known() -> None:
    done = replayed(LONG, [(NAN, 101, 99, 100), (NAN, NAN, NAN, NAN), (102, 103, 101, 102)])
    assert done.fills == []
    assert [(record.cause, record.at) for record in done.records.records if isinstance(record, Cancel)] == [
        ("expired", START + 2 * HOUR)
    ]


def test_unknown_highs_and_lows_touch_nothing() -> None:
    done = replayed(LONG, [flat(100), (100, NAN, NAN, 100), (100, 125, 95, 121)])
    assert closed_at(done) == ("target", D("120"), 4)
    assert only_trade(done).worst == pytest.approx(0.0)


def test_where_the_low_is_unknown_the_known_prices_still_touch_the_stop() -> None:
    gapped = replayed(LONG, [flat(100), (50, 50.5, NAN, 50), flat(100)])
    assert closed_at(gapped) == ("stop", D("50"), 2)
    fallen = replayed(LONG, [flat(100), (100, 101, NAN, 85), flat(100)])
    assert closed_at(fallen) == ("stop", D("90"), 3)


def test_a_gap_in_the_bars_ends_what_waits_and_other_instruments_go_on() -> None:
    rules = strategy(members="BTC-USD, ETH-USD")
    data = market(
        bars("BTC-USD", [SIGNAL, None, None, (101, 102, 100, 101), flat(80)]),
        bars("ETH-USD", [flat(50), flat(50, 1), flat(51)]),
    )
    done = run(compiled(rules), data)
    assert [(f.instrument, (f.at - START) // HOUR, f.price) for f in done.fills] == [
        ("ETH-USD", 2, D("51")),
    ]
    # the data of ETH ends: what is held of it stays open, at its last price
    assert done.outcome.open_positions == 1
    assert done.outcome.final_equity == D(10_000) + sum((t.profit for t in done.trades if t.profit is not None), D(0))


def test_the_stop_the_strategy_declared_is_there_whatever_price_was_paid() -> None:
    # 2 USD below an entry expected at 2.5 is 0.5; a gap down to 1.5 leaves no such price
    rules = strategy(stop="2 * (high - low) below entry", size="1% of equity")
    data = market(bars("BTC-USD", [(2.5, 3, 2, 2.5, 1), (1.5, 1.6, 1.4, 1.5), (0.4, 0.5, 0.3, 0.4)]))
    done = run(compiled(rules), data)
    assert only_trade(done).stop == D("0.5")
    assert closed_at(done) == ("stop", D("0.4"), 2)
    # a target of a short that the price paid would put below zero
    rules = strategy(direction="short", stop="10% above entry", target="2 * (high - low) below entry", size="1% of equity")
    done = run(compiled(rules), market(bars("BTC-USD", [(2.5, 3, 2, 2.5, 1), (1.5, 1.6, 1.4, 1.5)])))
    assert only_trade(done).target == D("0.5")


def test_a_stop_at_a_price_that_the_entry_gaps_through_ends_the_position_at_once() -> None:
    rules = strategy(stop="at low", size="1% of equity")
    data = market(bars("BTC-USD", [(100, 101, 95, 100, 1), (90, 93, 89, 92)]))
    done = run(compiled(rules), data)
    assert [(fill.cause, fill.price) for fill in done.fills] == [("entry", D("90")), ("stop", D("90"))]


def test_a_venue_takes_only_the_quantity_that_was_approved() -> None:
    done = replayed(LONG, [flat(100)])
    venue = SimulatedVenue(done.compiled.settings, done.market.bars, Rates(done.compiled.settings, done.market.bars))
    with pytest.raises(ValueError, match="approved"):
        venue.submit(closing(D(1), held=D(1)), done.orders[0])
