"""A running session where the feed, the disk, the clock or the operator come at a bad time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from running_fakes import Running, running
from running_sessions import fed
from small_projects import START, bars, compiled, flat, market, strategy

from tb.core.diagnostics import Refused
from tb.core.records import Cancel, Latch, Order
from tb.core.time import HOUR
from tb.gate.gate import Approved
from tb.replay.data import Market
from tb.runtime.operator import Inbox
from tb.runtime.ports.exchange import NoAnswer
from tb.runtime.ports.feed import Bar, Meanwhile, go_on
from tb.runtime.running.inputs import Close, Journal, Stop, read_inputs
from tb.runtime.running.sessions import opened

ALWAYS = strategy(more=("cool down 1h after exit", "hold at most 2h"))
SLOW = strategy("close > sma(close, 4)", more=("hold at most 2h",))


def hour(number: int) -> int:
    return START + number * HOUR


def rising(count: int, *symbols: str) -> Market:
    return market(*(bars(symbol, [flat(100.0 + at, 1) for at in range(count)]) for symbol in symbols or ("BTC-USD",)))


def begun_at(run: Running, at: int) -> Running:
    run.clock.start = run.loop.time._anchor = at
    return run


def unanswered(run: Running, times: int) -> list[int]:
    """History that does not come so many times; the instants at which it was asked for."""
    ask, asked = run.feed.history, list[int]()

    def history(
        names: Sequence[str], period: int, first: int, last: int, meanwhile: Meanwhile = go_on
    ) -> Mapping[str, Sequence[Bar]] | NoAnswer:
        asked.append(run.loop.time.now())
        return NoAnswer("status 503") if len(asked) <= times else ask(names, period, first, last)

    run.feed.history = history  # type: ignore[method-assign]
    return asked


# --- history ---------------------------------------------------------------------------------------------------------


def test_history_that_does_not_come_is_asked_for_until_it_does(tmp_path: Path) -> None:
    run = begun_at(running(compiled(SLOW), rising(12), tmp_path), hour(6) + 1)
    asked = unanswered(run, 3)
    run.loop.run()
    assert len(asked) == 4
    assert [cycle.at for cycle in run.cycles] == [hour(n) for n in range(7, 13)]
    assert run.loop.market.first == hour(1)
    assert next(order.at for order in run.memory.of(Order) if order.kind == "entry") == hour(7)
    assert run.told.words("data") == [
        "no history: status 503: nothing is decided until it is there",
        *run.told.words("data")[1:],
    ]
    assert run.told.words("data")[1].startswith("over: ")


def test_closes_that_pass_while_history_does_not_come_are_history_themselves(tmp_path: Path) -> None:
    run = begun_at(running(compiled(SLOW), rising(12), tmp_path), hour(6) + 1)
    unanswered(run, 400)
    run.loop.run()
    first = run.cycles[0].at
    assert first > hour(7)
    assert [cycle.at for cycle in run.cycles] == list(range(first, hour(12) + 1, HOUR))
    assert run.loop.market.bars["BTC-USD"].time.tolist() == [hour(n) for n in range(12)]


def test_a_session_that_has_bars_lets_positions_leave_where_history_stays_away(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(12), tmp_path)
    run.loop.ends = hour(3)
    run.loop.run()
    unanswered(run, 10_000)
    run.clock.passed += HOUR
    run.loop.ends = hour(8)
    run.loop.run()
    assert [cycle.at for cycle in run.cycles][3:] == [hour(n) for n in range(5, 9)]
    assert any(order.kind == "exit" and order.at >= hour(5) for order in run.memory.of(Order))


def test_without_history_nothing_is_decided_once(tmp_path: Path) -> None:
    run = begun_at(running(compiled(SLOW), rising(12), tmp_path), hour(6) + 1)
    unanswered(run, 10_000)
    with pytest.raises(Refused) as refused:
        run.loop.run(once=True)
    assert refused.value.findings[0].code == "TB867"
    assert run.cycles == []
    assert run.loop.market.last is None  # the next time asks for all of it


def test_a_halt_is_heard_while_history_does_not_come(tmp_path: Path) -> None:
    run = begun_at(running(compiled(SLOW), rising(12), tmp_path), hour(6) + 1)
    unanswered(run, 10_000)
    assert run.loop.inbox is not None
    run.loop.inbox.put("halt", at=0, by="ana", reason="looking")
    waited = run.clock.wait

    def wait(span: int) -> None:
        waited(span)
        if run.memory.of(Latch):
            run.loop.stop("enough")

    run.clock.wait = wait  # type: ignore[method-assign]
    run.loop.run()
    assert [latch.by for latch in run.memory.of(Latch)] == ["ana"]


# --- closes ----------------------------------------------------------------------------------------------------------


def test_a_clock_that_was_put_back_while_nobody_ran_decides_no_close_twice(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(12), tmp_path)
    run.loop.ends = hour(5)
    run.loop.run()
    begun_at(run, hour(5) - 10_000 - run.clock.passed)
    run.loop.ends = hour(8)
    run.loop.run()
    assert [cycle.at for cycle in run.cycles] == [hour(n) for n in range(1, 9)]
    assert any("was seen already" in words for words in run.told.words("clock"))


def test_a_stop_while_bars_are_waited_for_makes_no_gap(tmp_path: Path) -> None:
    run = running(compiled(strategy(members="BTC-USD, ETH-USD")), rising(6, "BTC-USD", "ETH-USD"), tmp_path)
    run.feed.missing = {("ETH-USD", hour(3))}
    wait = run.clock.wait

    def waiting(span: int) -> None:
        wait(span)
        if run.clock.now() > hour(3):
            run.loop.stop("stopped by SIGTERM")

    run.clock.wait = waiting  # type: ignore[method-assign]
    run.loop.run()
    given = list(read_inputs(tmp_path / "inputs.jsonl"))
    assert [one.at for one in given if isinstance(one, Close)] == [hour(1), hour(2)]
    assert isinstance(given[-1], Stop)


# --- people ----------------------------------------------------------------------------------------------------------


def test_an_order_stays_where_it_is_until_what_came_of_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = running(compiled(ALWAYS), rising(8), tmp_path)
    inbox, write, waiting = run.loop.inbox, os.pwrite, dict[int, list[str]]()
    assert inbox is not None
    tell = run.loop.tell

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    def telling(cycle) -> None:  # type: ignore[no-untyped-def]
        tell(cycle)
        waiting[cycle.at] = [word.kind for word in inbox.waiting()]
        if cycle.at == hour(2):
            monkeypatch.setattr(os, "pwrite", full)
            inbox.put("flatten", at=0, by="ana", reason="leaving")
        if cycle.at == hour(5):
            monkeypatch.setattr(os, "pwrite", write)

    run.loop.tell = telling
    run.loop.run()
    assert [kinds for at, kinds in sorted(waiting.items()) if hour(2) < at <= hour(5)] == [["flatten"]] * 3
    assert waiting[hour(7)] == []
    assert sum(latch.reason == "flatten: leaving" for latch in run.memory.of(Latch)) == 1


def test_an_order_that_came_while_bars_were_waited_for_is_heard_before_the_step(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(4), tmp_path)
    inbox, closed = run.loop.inbox, run.feed.closed
    assert inbox is not None

    def slow(names: Sequence[str], period: int, start: int, meanwhile: Meanwhile = go_on) -> Mapping[str, Bar] | NoAnswer:
        if start + period == hour(1):
            inbox.put("halt", at=0, by="ana", reason="looking")
        return closed(names, period, start)

    run.feed.closed = slow  # type: ignore[method-assign]
    run.loop.run()
    assert not run.memory.of(Order)


def test_a_last_line_that_is_damaged_is_cut_off_and_does_not_damage_what_follows(tmp_path: Path) -> None:
    run = running(compiled(ALWAYS), rising(3), tmp_path)
    run.loop.run()
    path = tmp_path / "inputs.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b'"cause"', b'"cAuse"'))
    journal = Journal(tmp_path)
    journal.open()
    assert journal.write(Stop(at=hour(4), cause="again"))
    journal.close()
    assert list(read_inputs(path))[-1] == Stop(at=hour(4), cause="again")
    assert len(list(read_inputs(path))) == len(lines)


def test_an_order_that_another_session_takes_while_it_is_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox, other = Inbox(tmp_path), Inbox(tmp_path)
    word = inbox.put("resume", at=0, by="ana", reason="looked")
    inbox.put("halt", at=0, by="ana", reason="looking")
    files, left = Inbox._files, [word]

    def listed(self: Inbox, folder: Path) -> list[Path]:
        found = files(self, folder)
        while left:
            other.taken(left.pop())
        return found

    monkeypatch.setattr(Inbox, "_files", listed)
    assert [one.kind for one in inbox.waiting()] == ["halt"]


@pytest.mark.parametrize("kind", ["halt", "flatten", "kill file"])
def test_what_is_stopped_while_the_orders_of_a_step_go_out_does_not_go_out(tmp_path: Path, kind: str) -> None:
    run = running(compiled(strategy(members="BTC-USD, ETH-USD, SOL-USD")), rising(6, "BTC-USD", "ETH-USD", "SOL-USD"), tmp_path)
    inbox, sending, sent = run.loop.inbox, run.loop.stepper.sending, list[str]()
    assert inbox is not None
    submit = sending.venue.submit

    def slow(approved: Approved, order: Order) -> None:
        sent.append(order.instrument)
        submit(approved, order)
        if len(sent) == 1 and kind == "kill file":
            (tmp_path / "KILL").touch()
        elif len(sent) == 1:
            inbox.put(kind, at=0, by="ana", reason="leaving")  # type: ignore[arg-type]

    sending.venue.submit = slow  # type: ignore[method-assign]
    run.loop.run()
    assert sent[0] == "BTC-USD"
    assert {"ETH-USD", "SOL-USD"} & set(sent) == set()
    ended = {one.instrument: one.cause for one in run.memory.of(Cancel)}
    assert {ended["ETH-USD"], ended["SOL-USD"]} == {"halted" if kind == "kill file" else kind}
    assert not run.loop.stepper.session.waiting
    held = next(cycle.held for cycle in run.cycles if cycle.at == hour(1))
    assert held == ("halted" if kind == "kill file" else kind)
    opening, inputs = opened(tmp_path)
    _, again = fed(compiled(strategy(members="BTC-USD, ETH-USD, SOL-USD")), opening, inputs)
    assert again.records == run.memory.records  # taken again it is the same
