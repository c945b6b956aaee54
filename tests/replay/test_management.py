"""Stops that move and parts that leave, in whole runs and by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import NAN, START, Collected, Replayed, Row, bars, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects
from stepping import stepped

from tb.core.records import Fill, Trade
from tb.core.time import HOUR
from tb.gate.takes import parts_of
from tb.runtime.session import Session

D = Decimal
SIGNAL = flat(100, 1)


def replayed(lines: list[str], rows: list[Row], *, direction: str = "long", stop: str = "", **settings: str) -> Replayed:
    rules = strategy(direction=direction, stop=stop, more=[f"  {line}" for line in lines])
    return run(compiled(rules, **settings), market(bars("BTC-USD", [SIGNAL, *rows])))


def told(done: Replayed) -> list[tuple[str, D, D, int]]:
    return [(f.cause, f.quantity, f.price, (f.at - START) // HOUR) for f in done.fills if f.cause != "entry"]


# --- properties of whole runs --------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(projects(), markets())
def test_a_stop_never_loosens_and_a_bar_is_watched_against_the_stop_known_before_it(written: Written, drawn: Drawn) -> None:
    known: dict[int, D] = {}
    seen = 0

    def check(at: int, session: Session, records: Collected) -> None:
        nonlocal seen
        for fill in records.of(Fill)[seen:]:
            seq = int(fill.order.rpartition(" of t")[2]) if " of t" in fill.order else 0
            if fill.cause in {"stop", "trailing stop"} and seq in known:
                assert fill.price <= known[seq] if fill.side == "sell" else fill.price >= known[seq]
        seen = len(records.of(Fill))
        for position in session.positions.values():
            assert position.stop is not None
            before = known.get(position.seq, position.initial_stop)
            assert before is not None
            assert position.sign * (position.stop - before) >= 0
            known[position.seq] = position.stop

    records = stepped(written.compiled, drawn.market, check)
    for trade in records.of(Trade):
        assert (trade.last_stop is None) == (not trade.moved_by)
        if trade.last_stop is not None and trade.stop is not None:
            assert (trade.last_stop > trade.stop) == (trade.side == "long")
        assert trade.cause != "trailing stop" or trade.moved_by == "trailing"


@settings(max_examples=60)
@given(projects(), markets())
def test_parts_add_up_to_the_position_and_their_money_to_its_profit(written: Written, drawn: Drawn) -> None:
    done = run(written.compiled, drawn.market)
    lot = D("0.001")
    for trade in done.trades:
        gone = sum((part.quantity for part in trade.exits), D(0))
        assert all(part.quantity > 0 and part.quantity % lot == 0 for part in trade.exits)
        assert [part.at for part in trade.exits[:-1]] == sorted(part.at for part in trade.exits[:-1])
        if trade.profit is None:
            assert gone < trade.quantity
            continue
        if trade.exits:
            assert gone == trade.quantity
            sign = 1 if trade.side == "long" else -1
            moved = sum((sign * part.quantity * (part.price - trade.entry_price) for part in trade.exits), D(0))
            assert trade.profit == moved - trade.fees
            last = trade.exits[-1]
            assert (last.at, last.price, last.cause) == (trade.exit_at, trade.exit_price, trade.cause)
    for decision in done.decisions:
        assert done.explained(decision, deep=False).differences == ()


@given(st.lists(st.integers(1, 100), min_size=1, max_size=5), st.integers(1, 10_000))
def test_parts_are_on_the_lot_grid_and_the_whole_leaves_nothing_over(percents: list[int], lots: int) -> None:
    lot, quantity = D("0.01"), lots * D("0.01")
    total = sum(percents)
    shares = [D(percent) / 500 for percent in percents]
    parts = parts_of(shares, quantity, lot)
    assert all(part >= 0 and part % lot == 0 for part in parts)
    assert sum(parts) <= quantity * total / 500 < sum(parts) + lot
    rest = 1 - sum(shares, D(0))
    assert sum(parts_of([*shares, rest], quantity, lot)) == quantity


# --- by hand -------------------------------------------------------------------------------------------------------------


def test_break_even_moves_at_a_close_with_that_profit_exactly_and_not_before() -> None:
    rows: list[Row] = [(100, 120, 100, 109.99), (110, 110, 99, 110), (110, 110, 100, 101)]
    # the high of 120 moves nothing, nor does a close a cent short; the low of 99 meets the stop of 90
    done = replayed(["stop to entry after 1R"], rows, stop="10% below entry")
    assert told(done) == [("stop", D(10), D(100), 4)]
    assert (done.trades[0].stop, done.trades[0].last_stop, done.trades[0].moved_by) == (D(90), D(100), "break-even")
    assert done.trades[0].r == 0


def test_a_trailing_stop_is_measured_from_closes_and_rounded_toward_less_risk() -> None:
    rows: list[Row] = [(100, 200, 100, 101.01), (101, 102, 98, 101)]
    done = replayed(["stop trailing 3%"], rows)
    # 97 from the entry; 101.01 * 0.97 = 97.9797, up to 97.98; the close of 101 would be 97.97
    assert done.trades[0].stop == D(97)
    assert (done.trades[0].last_stop, done.outcome.open_positions) == (D("97.98"), 1)
    short = replayed(["stop trailing 3%"], [(100, 100, 50, 99.01), (99, 99, 99, 99)], direction="short")
    # 99.01 * 1.03 = 101.9803, down to 101.98; from 99 it is 101.97
    assert (short.trades[0].stop, short.trades[0].last_stop) == (D(103), D("101.97"))


def test_a_trailing_stop_that_was_reached_trails_on_below_its_profit() -> None:
    rows: list[Row] = [flat(100), flat(105), flat(104), (104, 104, 102.9, 103)]
    done = replayed(["stop trailing 2% after 5%"], rows, stop="10% below entry")
    assert told(done) == [("trailing stop", D(10), D("102.9"), 5)]
    early = replayed(["stop trailing 2% after 5%"], [flat(100), flat(104.99), flat(96)], stop="10% below entry")
    assert (early.trades[0].last_stop, early.outcome.open_positions) == (None, 1)


@pytest.mark.parametrize("distance", ["high - low", "close - low"])
def test_an_unknown_or_empty_distance_leaves_the_stop_where_it_is(distance: str) -> None:
    rows: list[Row] = [(100, 105, 100, 104), (104, NAN, NAN, 120), flat(120), (120, 120, 99.5, 100)]
    rules = strategy(stop="", more=[f"  stop trailing {distance}"])
    data = market(bars("BTC-USD", [(100, 101, 96, 100, 1), *rows]))
    done = run(compiled(rules), data)
    # 104 - 5 = 99 and 104 - 4 = 100; the bar at 120 has no range, the one before an unknown one
    expected = D(99) if distance == "high - low" else D(100)
    assert done.trades[0].last_stop == expected


def test_the_stop_closes_what_takes_left_and_r_is_of_the_whole_position() -> None:
    rows: list[Row] = [(100, 110, 100, 108), (108, 108, 90, 95)]
    done = replayed(["take 40% at 1R"], rows, stop="10% below entry")
    assert told(done) == [("take", D(4), D(110), 2), ("stop", D(6), D(90), 3)]
    trade = done.trades[0]
    assert (trade.profit, trade.r, trade.cause) == (D(-20), D("-0.2"), "stop")
    assert [(part.quantity, part.price, part.cause) for part in trade.exits] == [(D(4), D(110), "take"), (D(6), D(90), "stop")]
    assert done.outcome.final_equity == D(9980)


def test_after_a_part_has_left_exposure_and_cash_are_those_of_the_rest() -> None:
    done = replayed(["take 40% at 1R"], [(100, 110, 100, 108), flat(108)], stop="10% below entry")
    assert done.outcome.final_equity == D(10_000) + 40 + 6 * 8
    assert done.trades[0].profit is None
    assert [part.quantity for part in done.trades[0].exits] == [D(4)]
    last = [mark for mark in done.marks if not mark.usage][-1]
    assert last.exposure == 6 * 108


def test_a_part_smaller_than_a_lot_stays() -> None:
    done = replayed(
        ["take 4% at 1R", "take 4% at 1R"],
        [(100, 115, 100, 110)],
        stop="10% below entry",
        instruments="default: {tick: 0.01, lot: 1, minimum: 1 USD}",
    )
    # 0.4 of 10 is none, 0.8 of 10 is none
    assert told(done) == []
    assert done.outcome.open_positions == 1


@pytest.mark.parametrize("take", ["take 50% at low", "take 50% at close[2]"])
def test_a_take_on_the_losing_side_or_unknown_is_no_order(take: str) -> None:
    done = replayed([take], [flat(100)], stop="10% below entry")
    assert done.decisions[0].verdict == "reject"
    assert done.decisions[0].deciding[-1] == "complete_order"
    explanation = done.explained(done.decisions[0])
    assert explanation.missing[0] == "take"
    assert explanation.reproduced
    assert ("close[2]" in explanation.missing) == ("[2]" in take)


def test_a_loss_and_a_win_in_parts_count_as_one_trade_for_the_streak() -> None:
    policy = "pause streak for 9h after 1 loss in a row\n"
    rules = strategy(stop="10% below entry", more=["  take 10% at 1R"])
    rows: list[Row] = [SIGNAL, (100, 110, 100, 100), (100, 100, 90, 90, 1), flat(90)]
    done = run(compiled(rules, policy), market(bars("BTC-USD", rows)))
    assert [d.verdict for d in done.decisions] == ["approve", "pause"]
    assert len(done.trades) == 1
