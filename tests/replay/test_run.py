"""Whole runs: skipping changes nothing, the same inputs give the same records, and the books add up."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from small_projects import START, Collected, bars, between, compiled, cut, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects
from stepping import equity_of, stepped

from tb.core.records import Cancel, Decision, Fill, Latch, Mark, Order, Quiet, Trade
from tb.core.time import DAY, HOUR, show_instant
from tb.replay.data import Market, load_market
from tb.runtime.policy import Compiled, compile_project
from tb.runtime.project import load_project
from tb.runtime.session import Session

D = Decimal

TOLD = Decision | Order | Cancel | Fill | Trade | Latch


def told(records: Collected) -> list[object]:
    return [record for record in records.records if isinstance(record, TOLD)]


def quiets(records: Collected) -> set[tuple[str, str, int, int, int, bytes]]:
    return {(q.strategy, q.instrument, q.first, q.last, q.rows, zlib.decompress(q.states)) for q in records.of(Quiet)}


# --- skipping ----------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(projects(), markets())
def test_skipping_what_cannot_change_gives_the_records_of_a_run_that_steps_every_bar(written: Written, drawn: Drawn) -> None:
    project, data = written.compiled, drawn.market
    slow, fast = stepped(project, data), run(project, data).records
    assert told(fast) == told(slow)
    assert quiets(fast) == quiets(slow)
    # a day's mark is taken at the first instant of the day that is stepped; those of entries are the same
    assert [m for m in fast.of(Mark) if m.usage] == [m for m in slow.of(Mark) if m.usage]


@settings(max_examples=40)
@given(projects(), markets())
def test_equity_is_cash_and_positions_at_every_step_and_nothing_is_held_without_its_stop(
    written: Written, drawn: Drawn
) -> None:
    project, data = written.compiled, drawn.market
    initial = project.settings.account.equity

    def check(at: int, session: Session, records: Collected) -> None:
        assert session.account.equity() == equity_of(records.of(Fill), data, at, initial), show_instant(at)
        held = {key: position.sign * position.remaining for key, position in session.positions.items()}
        assert {key: holding.quantity for key, holding in session.account.holdings.items()} == held
        assert all(position.stop is not None for position in session.positions.values())
        assert set(session.account.working) == {order.id for order in session.waiting.values()}

    records = stepped(project, data, check)
    fills, trades = records.of(Fill), {trade.seq: trade for trade in records.of(Trade)}
    closed = [trade for trade in trades.values() if trade.profit is not None]
    by_order = {fill.order: fill for fill in fills}
    for trade in trades.values():
        order = next(o for o in records.of(Order) if o.decision == trade.decision)
        entry = by_order[order.id]
        assert (entry.at, entry.row, entry.price) == (trade.entry_at, trade.entry_row, trade.entry_price)
    # every fee and profit is in the cash, to the last digit
    final = run(project, data)
    if not final.outcome.open_positions:
        assert final.outcome.final_equity == initial + sum((t.profit for t in closed), D(0))
    assert sum((f.fee for f in fills), D(0)) == sum((t.fees for t in trades.values()), D(0))
    assert len(by_order) == len(fills)


@settings(max_examples=40)
@given(projects(), markets())
def test_each_position_is_entered_and_left_once(written: Written, drawn: Drawn) -> None:
    project, data = written.compiled, drawn.market
    done = run(project, data)
    entries = [fill for fill in done.fills if fill.cause == "entry"]
    exits = [fill for fill in done.fills if fill.cause != "entry"]
    assert len(entries) == len(done.trades) == done.outcome.counts["trades"]
    closed = [trade for trade in done.trades if trade.exit_at is not None]
    assert len(exits) == sum(len(trade.exits) or (trade.exit_at is not None) for trade in done.trades)
    assert len(entries) - len(closed) == done.outcome.open_positions
    for trade in done.trades:
        assert trade.exit_at is None or trade.exit_at >= trade.entry_at
    approved = {decision.seq for decision in done.decisions if decision.approved}
    assert {order.decision for order in done.orders} == approved
    assert all(d.at > 0 and d.approved <= d.proposed for d in done.decisions)


def test_a_window_that_looks_back_at_a_better_time_is_watched_while_nothing_is_held() -> None:
    # equity rises, then falls back; once flat, `loss(3h)` still grows as its window moves on to the better time
    rules = strategy(size="50% of equity", stop="1% below entry", more=["exit when close < close[1]"])
    policy = "limit lately loss(3h) <= 1% of equity otherwise halt\n"
    rows = [flat(100, 1), flat(100), flat(110), flat(120), flat(121), flat(117), flat(100)]
    later = [flat(100)] * 6 + [flat(100, 1), flat(100)]
    project, data = compiled(rules, policy, lifted_after="4h"), market(bars("BTC-USD", rows + later))
    assert told(run(project, data).records) == told(stepped(project, data))


def test_a_halt_is_set_again_for_as_long_as_its_reason_lasts() -> None:
    rules = strategy(size="50% of equity", stop="2% below entry")
    policy = "limit lately loss(10h) <= 1% of equity otherwise halt\n"
    rows = [
        flat(100, 1),
        flat(100),
        flat(90),
        *[flat(90)] * 4,
        flat(90, 1),
        *[flat(90)] * 5,
        flat(90, 1),
        flat(90),
        flat(90, 1),
        flat(90),
    ]
    project, data = compiled(rules, policy, lifted_after="3h"), market(bars("BTC-USD", rows))
    done = run(project, data)
    assert told(done.records) == told(stepped(project, data))
    # lost at hour 3; lifted every three hours, and set again as long as the loss lies within ten hours, last at hour 12
    assert [(x.lifted, (x.at - START) // HOUR) for x in done.latches[:4]] == [(False, 3), (True, 6), (False, 6), (True, 9)]
    assert [(d.verdict, (d.at - START) // HOUR) for d in done.decisions] == [
        ("approve", 1),
        ("halt", 8),
        ("halt", 14),
        ("approve", 16),
    ]


def test_a_coarse_bar_whose_last_hours_are_missing_still_ends_a_position() -> None:
    rules = strategy(period="4h", more=["hold at most 4h"], stop="50% below entry", members="BTC-USD, ETH-USD")
    rows = [flat(100)] * 3 + [flat(100, 1)] + [flat(100)] * 3 + [None] + [flat(105)] * 6
    data = market(bars("BTC-USD", rows))
    done = run(compiled(rules), data)
    assert [(d.kind, (d.at - START) // HOUR) for d in done.decisions] == [("enter", 4), ("exit", 8)]
    assert [(f.cause, (f.at - START) // HOUR) for f in done.fills] == [("entry", 4), ("hold", 8)]


# --- the same again ----------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(projects(), markets())
def test_chunks_of_any_size_and_a_second_run_give_the_same_hash(written: Written, drawn: Drawn) -> None:
    project, data = written.compiled, drawn.market
    hashes = {run(project, data, chunk=chunk).outcome.decision_log_hash for chunk in (1, 7, 500, 16_384)}
    assert hashes == {run(project, data).outcome.decision_log_hash}


@settings(max_examples=40)
@given(projects(), markets())
def test_cutting_the_data_changes_no_earlier_decision(written: Written, drawn: Drawn) -> None:
    project, data = written.compiled, drawn.market
    whole = run(project, data).decisions
    for instant in sorted({int(c) for one in data.bars.values() for c in one.closes})[::5]:
        shorter = run(project, cut(data, instant)).decisions
        assert shorter == [decision for decision in whole if decision.at <= instant]


HASHES = """
from pathlib import Path
from tb.replay.run import replay_market
from tb.replay.data import load_market
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project
import sys
compiled = compile_project(load_project(Path(sys.argv[1])))
market = load_market(Path(sys.argv[2]))
done = replay_market(run="r1", plan=compiled.plan, settings=compiled.settings, market=market, policy_hash="0" * 64)
print(done.decision_log_hash)
"""


def test_the_hash_does_not_depend_on_the_seed_of_pythons_own_hashes(root: Path, sample: Market, sample_folder: Path) -> None:
    found = set()
    for seed in ("0", "4711"):
        command = [sys.executable, "-c", HASHES, str(root), str(sample_folder)]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        found.add(done.stdout.strip())
    assert found == {run(default_project(root), sample).outcome.decision_log_hash}


def test_the_default_project_gives_the_same_hash_for_every_chunk(root: Path, sample: Market) -> None:
    project = default_project(root)
    hashes = {run(project, sample, chunk=chunk).outcome.decision_log_hash for chunk in (7, 500, 16_384)}
    assert len(hashes) == 1


# --- recorded markets --------------------------------------------------------------------------------------------------


def default_project(root: Path) -> Compiled:
    return compile_project(load_project(root))


@pytest.fixture(scope="module")
def crypto(recorded_data: Path) -> Market:
    """A year of six instruments by the hour, in which halts come and go."""
    whole = load_market(recorded_data / "crypto_1h")
    return between(whole, whole.first + 450 * DAY, whole.first + 730 * DAY)


def test_skipping_changes_nothing_on_recorded_markets(root: Path, crypto: Market) -> None:
    project, data = default_project(root), between(crypto, crypto.first, crypto.first + 120 * DAY)
    fast, slow = run(project, data).records, stepped(project, data, interpreted=False)
    assert len(fast.of(Decision)) > 100
    assert told(fast) == told(slow)
    assert quiets(fast) == quiets(slow)


def test_cutting_recorded_markets_changes_no_earlier_decision(root: Path, crypto: Market) -> None:
    """A few instants; `python tests/soak/truncation.py` does two hundred over the whole span."""
    project = default_project(root)
    whole = run(project, crypto).decisions
    assert len(whole) > 200
    for share in (0.13, 0.37, 0.61, 0.89):
        instant = crypto.first + int((crypto.last - crypto.first) * share) // HOUR * HOUR
        shorter = run(project, cut(crypto, instant)).decisions
        assert shorter == [decision for decision in whole if decision.at <= instant]


def test_money_adds_up_on_recorded_markets(root: Path, crypto: Market) -> None:
    done = run(default_project(root), crypto)
    initial = done.compiled.settings.account.equity
    assert done.outcome.final_equity == equity_of(done.fills, crypto, crypto.last, initial)
    for mark in done.marks[:: max(len(done.marks) // 60, 1)]:
        # a mark within the step precedes what fills at the same instant's open
        booked = [f for f in done.fills if f.at < mark.at or (f.at == mark.at and f.cause in {"stop", "target"})]
        exact = {
            equity_of(booked, crypto, mark.at, initial),
            equity_of([f for f in booked if f.at < mark.at], crypto, mark.at, initial),
        }
        assert mark.equity in exact
