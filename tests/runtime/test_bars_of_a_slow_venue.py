"""Bars of a venue that answers slowly, or about some instruments and not about others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from running_fakes import Running, running
from small_projects import START, bars, compiled, flat, market, strategy

from tb.core.records import Latch, Order
from tb.core.time import HOUR
from tb.replay.data import Market
from tb.runtime.ports.exchange import Candle, NoAnswer, Quoted
from tb.runtime.running.inputs import Close, read_inputs
from tb.runtime.running.loop import Waits
from tb.runtime.running.venue_feed import VenueFeed

NAMES = ("ADA-USD", "BTC-USD", "ETH-USD", "SOL-USD")
RULES = strategy(members=", ".join(NAMES), more=("hold at most 2h",))
SECOND = 1_000


def hour(number: int) -> int:
    return START + number * HOUR


def rising(count: int) -> Market:
    return market(*(bars(name, [flat(100.0 + at, 1) for at in range(count)]) for name in NAMES))


class SlowVenue:
    """Recorded bars as a venue that takes `takes` ms for each answer; `asked` is called at each question."""

    name = "slow"

    def __init__(self, run: Running, data: Market, takes: int) -> None:
        self.run, self.data, self.takes = run, data, takes
        self.asked: Callable[[str, int], None] = lambda symbol, first: None
        self.fails: Callable[[str, int], bool] = lambda symbol, first: False

    def candles(self, symbol: str, period: int, first: int, last: int) -> tuple[Candle, ...] | NoAnswer:
        self.asked(symbol, first)
        self.run.clock.wait(self.takes)
        if self.fails(symbol, first):
            return NoAnswer("status 503")
        found = self.data.bars[symbol]
        rows = [row for row, start in enumerate(found.time) if first <= start < last]
        prices = ("open", "high", "low", "close", "volume")
        return tuple(
            Candle(int(found.time[row]), *(Decimal(str(getattr(found, name)[row])) for name in prices)) for row in rows
        )

    def quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...]:
        price, now = Decimal(100), self.run.clock.now()
        return tuple(Quoted(name, price, price, now, now) for name in instruments)

    def clock(self) -> NoAnswer:
        return NoAnswer("not asked")


def slow(tmp_path: Path, takes: int, count: int = 6) -> tuple[Running, SlowVenue]:
    data = rising(count)
    run = running(compiled(RULES), data, tmp_path)
    venue = SlowVenue(run, data, takes)
    run.loop.feed = VenueFeed(venue)  # type: ignore[arg-type]
    run.loop.waits = Waits(look=200, grace=60 * SECOND)
    return run, venue


def closes(tmp_path: Path) -> dict[int, Close]:
    return {given.at: given for given in read_inputs(tmp_path / "inputs.jsonl") if isinstance(given, Close)}


def test_the_operator_and_the_venue_are_heard_between_the_bars_of_two_instruments(tmp_path: Path) -> None:
    run, venue = slow(tmp_path, 5 * SECOND)
    inbox, attended, asked = run.loop.inbox, list[int](), list[str]()
    assert inbox is not None
    attend = run.loop.stepper.sending.venue.attend
    run.loop.stepper.sending.venue.attend = lambda: (attended.append(run.clock.passed), attend())[1]  # type: ignore[method-assign, func-returns-value]

    def ask(symbol: str, first: int) -> None:
        if first != hour(2):
            return
        asked.append(symbol)
        if len(asked) == 1:
            attended.clear()
            inbox.put("halt", at=0, by="ana", reason="looking")
        if len(asked) == 3:
            assert run.memory.of(Latch)

    venue.asked = ask
    run.loop.run()
    assert asked == list(NAMES)
    gaps = [later - before for before, later in itertools.pairwise(attended)]
    assert max(gaps) <= 2 * 5 * SECOND
    assert not [order.at for order in run.memory.of(Order) if order.kind == "entry" and order.at >= hour(3)]


def test_history_of_many_instruments_is_asked_for_with_the_operator_heard_in_between(tmp_path: Path) -> None:
    run, venue = slow(tmp_path, 5 * SECOND)
    run.clock.start = run.loop.time._anchor = hour(3) + 1
    inbox, asked = run.loop.inbox, list[str]()
    assert inbox is not None

    def ask(symbol: str, first: int) -> None:
        asked.append(symbol)
        if len(asked) == 1:
            inbox.put("halt", at=0, by="ana", reason="looking")
        if len(asked) == 3:
            assert run.memory.of(Latch)

    venue.asked = ask
    run.loop.run()
    assert asked[:4] == list(NAMES)


def test_a_session_that_is_stopped_asks_for_no_more_bars(tmp_path: Path) -> None:
    run, venue = slow(tmp_path, 5 * SECOND)
    asked: list[str] = []

    def ask(symbol: str, first: int) -> None:
        if first == hour(2):
            asked.append(symbol)
            run.loop.stop("stopped by SIGTERM")

    venue.asked = ask
    run.loop.run()
    assert asked == ["ADA-USD"]
    assert max(closes(tmp_path)) == hour(2)


@pytest.mark.parametrize("unanswered", [("ETH-USD",), ("ETH-USD", "SOL-USD"), NAMES])
def test_an_instrument_of_which_the_venue_did_not_answer_is_no_gap_in_trading(
    tmp_path: Path, unanswered: tuple[str, ...]
) -> None:
    run, venue = slow(tmp_path, 0)
    run.loop.waits = Waits(look=200, grace=0)  # one question for each
    venue.fails = lambda symbol, first: first == hour(3) and symbol in unanswered
    run.loop.run()
    found = closes(tmp_path)
    assert found[hour(4)].held == f"no bar of {', '.join(unanswered)} at 2024-01-01T04:00Z (status 503)"
    assert set(found[hour(4)].bars) == set(NAMES) - set(unanswered)
    assert {close.held for at, close in found.items() if at != hour(4)} == {""}
    entered = [order.at for order in run.memory.of(Order) if order.kind == "entry"]
    assert hour(4) not in entered
    assert entered


def test_an_answer_that_nobody_traded_takes_the_place_of_none(tmp_path: Path) -> None:
    run, venue = slow(tmp_path, 0)
    venue.data.bars["ETH-USD"] = market(bars("ETH-USD", [flat(100.0, 1)] * 3)).bars["ETH-USD"]
    times: list[int] = []

    def fails(symbol: str, first: int) -> bool:
        if first == hour(3) and symbol == "ETH-USD":
            times.append(first)
            return len(times) < 3
        return False

    venue.fails = fails
    run.loop.run()
    assert len(times) > 3
    assert closes(tmp_path)[hour(4)].held == ""


def test_history_that_was_not_answered_after_a_pause_risks_nothing_new_at_that_close(tmp_path: Path) -> None:
    run, venue = slow(tmp_path, 0, count=10)
    tell = run.loop.tell

    def sleep(cycle) -> None:  # type: ignore[no-untyped-def]
        tell(cycle)
        if cycle.at == hour(2):
            run.clock.passed += 3 * HOUR

    run.loop.tell = sleep
    venue.fails = lambda symbol, first: first == hour(2)
    run.loop.run()
    found = closes(tmp_path)
    assert sorted(found) == [hour(n) for n in (1, 2, 5, 6, 7, 8, 9, 10)]
    assert found[hour(5)].held == "no history: status 503"
    assert {found[hour(n)].held for n in (6, 7, 8)} == {""}
