"""The loop around the session: what it takes, what it refuses to risk, and what it says."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from running_fakes import Running, running
from running_sessions import fed, opening_of, whole
from small_projects import START, bars, compiled, flat, market, strategy

from tb.core.diagnostics import Refused, error
from tb.core.records import Cancel, Decision, Fill, Latch, Order, Trade
from tb.core.span import whole_file
from tb.core.time import HOUR
from tb.gate.explain import explain
from tb.replay.data import Market
from tb.runtime.policy import gates_of
from tb.runtime.ports.feed import Bar
from tb.runtime.running.cycle import Cycle
from tb.runtime.running.inputs import Close, History, Stop, read_inputs

ALWAYS = strategy(more=("cool down 1h after exit", "hold at most 2h"))  # enters whenever it may, and leaves again
TWO = strategy(members="BTC-USD, ETH-USD", more=("hold at most 2h",))


def hour(number: int) -> int:
    """The close of a bar, from 1."""
    return START + number * HOUR


def rising(count: int, *symbols: str) -> Market:
    return market(*(bars(symbol, [flat(100.0 + at, 1) for at in range(count)]) for symbol in symbols or ("BTC-USD",)))


def at(run: Running, close: int):  # type: ignore[no-untyped-def]
    return next(cycle for cycle in run.cycles if cycle.at == close)


def entries(run: Running) -> list[int]:
    return [order.at for order in run.memory.of(Order) if order.kind == "entry"]


def test_a_session_that_runs_decides_what_one_fed_by_hand_does(tmp_path: Path) -> None:
    data = rising(12)
    run = running(compiled(ALWAYS), data, tmp_path)
    run.loop.run()
    _, expected = fed(compiled(ALWAYS), opening_of(data), whole(data))
    assert run.memory.of(Decision) == expected.of(Decision)
    assert [cycle.at for cycle in run.cycles] == [hour(n) for n in range(1, 13)]
    assert run.memory.of(Decision)


def test_a_bar_that_was_not_there_when_its_close_was_decided_is_a_gap_for_good(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(12), tmp_path)
    run.feed.silent = {hour(5)}

    def hang(cycle: Cycle) -> None:  # the machine is slow, and history is asked for
        run.cycles.append(cycle)
        run.clock.passed += 3 * HOUR if cycle.at == hour(5) else 0

    run.loop.tell = hang
    run.loop.run()
    assert [cycle.at for cycle in run.cycles][4:6] == [hour(5), hour(8)]
    taken = [
        bar.start
        for given in read_inputs(tmp_path / "inputs.jsonl")
        if isinstance(given, History)
        for bar in given.bars["BTC-USD"]
    ]
    assert taken == [hour(5), hour(6)]


def test_inputs_are_on_disk_as_they_came(tmp_path: Path) -> None:
    data = rising(4)
    run = running(compiled(ALWAYS), data, tmp_path)
    run.loop.run()
    written = list(read_inputs(tmp_path / "inputs.jsonl"))
    assert [given.at for given in written if isinstance(given, Close)] == [hour(n) for n in range(1, 5)]
    assert isinstance(written[-1], Stop)
    _, again = fed(compiled(ALWAYS), opening_of(data), written[1:])
    assert again.records == run.memory.records


def test_history_warms_up_and_nothing_is_decided_on_it(tmp_path: Path) -> None:
    data = rising(12)
    run = running(compiled(ALWAYS), data, tmp_path)
    run.clock.start = hour(5)
    run.loop.time._anchor = hour(5)
    run.loop.run()
    assert [cycle.at for cycle in run.cycles] == [hour(n) for n in range(6, 13)]
    assert run.loop.market.first == hour(1)
    assert min(entries(run)) == hour(6)


def test_once_decides_on_the_newest_close_and_leaves_orders_on_their_way(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(12), tmp_path)
    run.clock.start = run.loop.time._anchor = hour(5) + HOUR // 2
    run.loop.run(once=True)
    assert [cycle.at for cycle in run.cycles] == [hour(5)]
    assert entries(run) == [hour(5)]
    assert run.loop.stepper.session.waiting
    run.loop.run(once=True)
    assert [cycle.at for cycle in run.cycles] == [hour(5)]  # nothing is decided twice


# --- what does not come, or comes wrong ------------------------------------------------------------------------------


def test_a_feed_that_goes_silent_risks_nothing_new_and_lets_positions_leave(tmp_path: Path) -> None:
    run = running(compiled(TWO), rising(12, "BTC-USD", "ETH-USD"), tmp_path)
    run.feed.silent = {hour(5), hour(6)}
    run.loop.run()
    assert not {hour(5), hour(6)} & set(entries(run))
    assert at(run, hour(5)).no_trade_reason.code == "held_back"
    assert "the line is dead" in at(run, hour(5)).held
    assert run.told.words("data")[0].startswith("no bar of BTC-USD, ETH-USD at 2024-01-01T05:00Z (the line is dead)")
    assert run.told.words("data")[-1].startswith("over: ")
    assert [alert.severity for alert in run.told.alerts if alert.what == "data"] == ["critical", "critical", "info"]
    assert any(order.kind == "exit" and order.at > hour(6) for order in run.memory.of(Order))


def test_a_bar_that_is_missing_is_unknown_for_its_instrument_alone(tmp_path: Path) -> None:
    run = running(compiled(TWO), rising(6, "BTC-USD", "ETH-USD"), tmp_path)
    run.feed.missing = {("BTC-USD", hour(1))}
    run.loop.run()
    first = [order for order in run.memory.of(Order) if order.at == hour(1)]
    assert [order.instrument for order in first] == ["ETH-USD"]
    assert at(run, hour(1)).missing == ("BTC-USD",)
    assert [alert.severity for alert in run.told.alerts if alert.what == "data"] == ["warning", "info"]
    bars_of_btc = run.loop.market.bars["BTC-USD"]
    assert bars_of_btc.time.tolist() == [hour(n) for n in range(1, 6)]  # the gap stays a gap


def test_bars_that_come_a_little_late_are_waited_for(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(4), tmp_path)
    run.feed.delays = {hour(2): 5_000}
    run.loop.run()
    assert at(run, hour(2)).bars == 1
    assert 5_000 <= at(run, hour(2)).came - hour(2) < 10_000
    assert not at(run, hour(2)).held


def test_a_bar_of_another_time_is_no_bar(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(4), tmp_path)
    run.feed.wrong = {("BTC-USD", hour(3)): Bar(hour(1), 1.0, 1.0, 1.0, 1.0, 1.0)}
    run.loop.run()
    assert at(run, hour(3)).bars == 0
    assert at(run, hour(3)).held
    assert run.loop.market.bars["BTC-USD"].close.tolist() == [100.0, 101.0, 103.0]


@pytest.mark.parametrize(
    "bar",
    [
        Bar(hour(2), 102.0, 90.0, 102.0, 102.0, 1.0),
        Bar(hour(2), 102.0, 102.0, 102.0, -1.0, 1.0),
        Bar(hour(2), 102.0, float("inf"), 102.0, 102.0, 1.0),
    ],
    ids=["a high under its close", "a negative price", "an infinite price"],
)
def test_a_bar_that_cannot_be_has_no_price(tmp_path: Path, bar: Bar) -> None:
    run = running(compiled(ALWAYS), rising(4), tmp_path)
    run.feed.wrong = {("BTC-USD", hour(3)): bar}
    run.loop.run()
    assert run.loop.market.close("BTC-USD", hour(3)) is None
    assert hour(3) not in entries(run)


def test_a_missed_close_is_history_and_the_venue_tells_of_it(tmp_path: Path) -> None:
    """The machine slept from hour 3 to hour 7: a stop that was touched meanwhile has filled."""
    rows = [flat(100, 1), flat(100, 1), flat(100, 1), (100, 100, 80, 85, 1), *[flat(85, 1)] * 8]
    run = running(compiled(strategy(more=("cool down 48h after stop",))), market(bars("BTC-USD", rows)), tmp_path)
    tell = run.loop.tell

    def sleep(cycle) -> None:  # type: ignore[no-untyped-def]
        tell(cycle)
        if cycle.at == hour(3):
            run.clock.passed += 4 * HOUR

    run.loop.tell = sleep
    run.loop.run()
    assert [cycle.at for cycle in run.cycles] == [hour(n) for n in (1, 2, 3, 7, 8, 9, 10, 11, 12)]
    stop = next(fill for fill in run.memory.of(Fill) if fill.cause == "stop")
    assert stop.at == hour(4)
    written = list(read_inputs(tmp_path / "inputs.jsonl"))
    assert sum(isinstance(given, History) for given in written) == 1


def test_an_entry_that_filled_in_a_long_pause_has_the_levels_that_it_was_decided_with(tmp_path: Path) -> None:
    rules = strategy(stop="at low[1] * 0.9", more=("cool down 400h after exit",))
    run = running(compiled(rules), rising(300), tmp_path)
    tell = run.loop.tell

    def sleep(cycle) -> None:  # type: ignore[no-untyped-def]
        tell(cycle)
        if cycle.at == hour(2):
            run.clock.passed += 200 * HOUR

    run.loop.tell = sleep
    run.loop.run()
    entry = next(order for order in run.memory.of(Order) if order.kind == "entry")
    filled = next(trade for trade in run.memory.of(Trade) if trade.decision == entry.decision)
    assert filled.stop == entry.stop


# --- the clock -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [6 * HOUR, -6 * HOUR], ids=["forward", "back"])
def test_a_clock_that_jumps_risks_nothing_new_and_closes_still_come(tmp_path: Path, turn: int) -> None:
    run = running(compiled(ALWAYS), rising(12), tmp_path)
    run.clock.turns = {5 * HOUR + HOUR // 2: turn, 8 * HOUR + HOUR // 2: -turn}
    run.loop.run()
    assert [cycle.at for cycle in run.cycles] == [hour(n) for n in range(1, 13)]
    assert {n for n in range(1, 13) if at(run, hour(n)).held} == {6, 7, 8, 9}
    assert "the clock jumped" in at(run, hour(6)).held
    assert not {hour(n) for n in (6, 7, 8, 9)} & set(entries(run))
    alert = next(alert for alert in run.told.alerts if alert.what == "clock")
    assert alert.severity == "critical"
    assert "6h" in alert.words


def test_a_clock_that_the_feed_agrees_with_is_taken_on(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(20), tmp_path)
    run.clock.turns = {5 * HOUR + HOUR // 2: 3 * HOUR}
    waited = run.clock.wait

    def wait(span: int) -> None:
        waited(span)
        run.feed.theirs = run.clock.now() if run.clock.turned else None

    run.clock.wait = wait  # type: ignore[method-assign]
    run.loop.run()
    assert [cycle.at for cycle in run.cycles][:6] == [hour(n) for n in range(1, 7)]
    assert run.loop.time.now() == run.clock.now()


def test_a_feed_with_another_time_risks_nothing_new(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(3), tmp_path)
    run.feed.theirs = START
    run.loop.run()
    assert not entries(run)
    assert "from that of the feed" in at(run, hour(3)).held


# --- disk and ledger -------------------------------------------------------------------------------------------------


def _locked() -> Refused:
    return Refused([error("TB705", "the ledger is locked by another writer", whole_file("ledger"), "wait")])


def _between(run: Running, first: int, last: int, begin, end) -> None:  # type: ignore[no-untyped-def]
    """Something goes wrong after one close, and is mended after another."""
    tell = run.loop.tell

    def telling(cycle) -> None:  # type: ignore[no-untyped-def]
        tell(cycle)
        if cycle.at == first:
            begin()
        if cycle.at == last:
            end()

    run.loop.tell = telling


def test_a_locked_ledger_withholds_entries_and_loses_nothing(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(16), tmp_path)
    never = running(compiled(ALWAYS), rising(16), tmp_path / "never")
    never.loop.run()
    _between(
        run, hour(4), hour(8), lambda: setattr(run.memory, "refusal", _locked()), lambda: setattr(run.memory, "refusal", None)
    )
    run.loop.run()
    held = {n for n in range(1, 17) if at(run, hour(n)).held}
    assert held <= {5, 6, 7, 8, 9}
    assert held
    fills = {fill.order: fill.at for fill in run.memory.of(Fill)}
    for order in run.memory.of(Order):
        if order.kind == "entry" and hour(4) < order.at <= hour(8):
            assert order.id not in fills
    words = run.told.words("disk")
    assert "locked by another writer" in words[0]
    assert "no new risk" in words[0]
    assert next(alert for alert in run.told.alerts if alert.what == "disk").severity == "critical"
    assert words[-1].startswith("over: ")
    written = list(read_inputs(tmp_path / "inputs.jsonl"))
    _, again = fed(compiled(ALWAYS), opening_of(rising(16)), written[1:])
    assert again.records == run.memory.records


def test_positions_can_leave_while_the_ledger_is_locked(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(8), tmp_path)
    _between(
        run, hour(2), hour(6), lambda: setattr(run.memory, "refusal", _locked()), lambda: setattr(run.memory, "refusal", None)
    )
    run.loop.run()
    (left, *_) = [trade for trade in run.memory.of(Trade) if trade.exit_at is not None]
    assert hour(2) < left.exit_at <= hour(6)
    assert left.cause == "hold"


def test_a_full_disk_risks_nothing_new_and_inputs_are_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    run = running(compiled(ALWAYS), rising(10), tmp_path)
    write = os.pwrite

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    _between(
        run, hour(3), hour(6), lambda: monkeypatch.setattr(os, "pwrite", full), lambda: monkeypatch.setattr(os, "pwrite", write)
    )
    run.loop.run()
    assert not {hour(4), hour(5), hour(6)} & set(entries(run))
    assert "no space left on device" in at(run, hour(4)).held
    assert any("no space left" in words for words in run.told.words("disk"))
    written = list(read_inputs(tmp_path / "inputs.jsonl"))
    assert [given.at for given in written if isinstance(given, Close)] == [hour(n) for n in range(1, 11)]
    _, again = fed(compiled(ALWAYS), opening_of(rising(10)), written[1:])
    assert again.records == run.memory.records


# --- people ----------------------------------------------------------------------------------------------------------


def test_the_kill_file_halts_at_once_and_a_resume_lifts_it(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(14), tmp_path)
    kill = run.loop.kill
    assert kill is not None
    assert run.loop.inbox is not None

    def lift() -> None:
        kill.remove()
        run.loop.inbox.put("resume", at=0, by="ana", reason="looked at it")  # type: ignore[union-attr]

    _between(run, hour(3), hour(7), lambda: kill.put(0, "ben", "odd fills"), lift)
    run.loop.run()
    assert not [at_ for at_ in entries(run) if hour(3) < at_ <= hour(7)]
    assert [at_ for at_ in entries(run) if at_ > hour(7)]
    latches = run.memory.of(Latch)
    assert [(latch.rule, latch.lifted, latch.by) for latch in latches] == [
        ("operator", False, "kill file"),
        ("operator", True, "ana"),
    ]
    assert at(run, hour(5)).no_trade_reason.code in {"halted", "busy"}


def test_a_graceful_stop_takes_entries_back_and_keeps_positions(tmp_path: Path) -> None:
    run = running(compiled(TWO), rising(12, "BTC-USD", "ETH-USD"), tmp_path)
    run.feed.missing = {("ETH-USD", hour(n)) for n in (1, 2)}
    tell = run.loop.tell

    def stop(cycle) -> None:  # type: ignore[no-untyped-def]
        tell(cycle)
        if cycle.at == hour(3):
            run.loop.stop("stopped by SIGTERM")

    run.loop.tell = stop
    run.loop.run()
    session = run.loop.stepper.session
    assert not session.waiting
    assert len(session.positions) == 1
    assert run.memory.of(Cancel)[-1].cause == "stopped by SIGTERM"
    assert list(read_inputs(tmp_path / "inputs.jsonl"))[-1] == Stop(at=hour(3), cause="stopped by SIGTERM")


def test_a_line_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(3), tmp_path)
    run.loop.run()
    path = tmp_path / "inputs.jsonl"
    whole_ = path.read_bytes()
    path.write_bytes(whole_[:-5])
    assert len(list(read_inputs(path))) == whole_.count(b"\n") - 1
    broken = whole_.replace(b'"close"', b'"clOse"', 1)
    path.write_bytes(broken)
    with pytest.raises(Refused) as refused:
        list(read_inputs(path))
    assert refused.value.findings[0].code == "TB860"


def test_flatten_closes_everything_through_the_gate_and_enters_nothing(tmp_path: Path) -> None:
    project = compiled(strategy(members="BTC-USD, ETH-USD"))
    run = running(project, rising(10, "BTC-USD", "ETH-USD"), tmp_path)
    assert run.loop.inbox is not None
    inbox = run.loop.inbox
    _between(run, hour(3), hour(8), lambda: inbox.put("flatten", at=0, by="ana", reason="leaving"), lambda: None)
    run.loop.run()
    exits = [decision for decision in run.memory.of(Decision) if decision.kind == "exit"]
    assert [(one.at, one.reason) for one in exits] == [(hour(4), "the operator closes everything")] * 2
    assert {(fill.cause, fill.at) for fill in run.memory.of(Fill) if fill.at >= hour(4)} == {("flatten", hour(4))}
    assert not run.loop.stepper.session.positions
    assert not [at_ for at_ in entries(run) if at_ > hour(3)]
    gate = gates_of(project.plan)[HOUR]
    for decision in exits:
        told = explain(project.plan, gate, project.settings, decision, policy_hash="0" * 64)
        assert told.reproduced


@pytest.mark.parametrize("first", [hour(3), 0])
def test_a_resume_beside_an_unheard_flatten_lifts_nothing_while_something_is_held(tmp_path: Path, first: int) -> None:
    run = running(compiled(strategy(members="BTC-USD")), rising(10, "BTC-USD"), tmp_path)
    inbox = run.loop.inbox
    assert inbox is not None

    def both() -> None:
        inbox.put("flatten", at=0, by="ana", reason="leaving")
        inbox.put("resume", at=0, by="bob", reason="looked")

    if first:
        _between(run, first, hour(8), both, lambda: None)
    else:
        both()  # nothing is held: it is done as soon as it is heard
    run.loop.run()
    assert inbox.waiting() == []
    assert ("flatten" in {fill.cause for fill in run.memory.of(Fill)}) == bool(first)
    assert bool(run.loop.stepper.session.positions) == (not first)
    assert (run.loop.stepper.session.latches.words("halt") is not None) == bool(first)


def test_an_order_that_the_disk_does_not_let_put_aside_is_carried_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = running(compiled(strategy(members="BTC-USD")), rising(10, "BTC-USD"), tmp_path)
    inbox, replace, refused = run.loop.inbox, os.replace, list[str]()
    assert inbox is not None

    def full(source: object, aim: object) -> None:
        if "taken" in str(aim) and len(refused) < 9:
            refused.append(str(aim))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, aim)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", full)
    inbox.put("halt", at=0, by="ana", reason="looking")
    inbox.put("resume", at=0, by="ana", reason="looked")
    run.loop.run()
    assert len(refused) == 9
    assert inbox.waiting() == []
    assert [(latch.verdict, latch.lifted) for latch in run.memory.of(Latch)] == [("halt", False), ("halt", True)]
    assert any("no space left on device" in words for words in run.told.words("session"))
    assert entries(run)
