"""An exit that the venue turned away is tried again as soon as it may take it, and never sends more than is held."""

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fake_exchange import Truth
from gateway_world import LONG, START, World, world

from tb.core.time import HOUR
from tb.runtime.ports.exchange import Refusal
from tb.runtime.running.leaving import FIRST, LONGEST, _Again
from tb.runtime.running.live import LiveVenue

D = Decimal
HELD = LONG + "  hold at most 2h\n"
BTC = "BTC-USD"


class Loop:
    """A session behind `LiveVenue`, turned by hand."""

    def __init__(self, made: World) -> None:
        self.made, self.venue = made, LiveVenue(made.gateway, made.recovery)
        made.session.venue = self.venue

    def turns(self, count: int, after: int = 250) -> None:
        for _ in range(count):
            self.made.truth.time += after
            self.venue.attend()


def held(folder: Path, **given: Any) -> Loop:
    """A position whose time is over at the next step."""
    made = world(folder, rules=HELD, **given)
    loop = Loop(made)
    made.step(1, BTC)
    loop.turns(1, after=3 * HOUR)
    assert made.held == {BTC: D(10)}
    return loop


@pytest.mark.parametrize("how", ["refused", "turned away"])
def test_an_exit_that_was_turned_away_once_is_out_within_seconds(tmp_path: Path, how: str) -> None:
    loop = held(tmp_path)
    made = loop.made
    made.truth.fault("place", how)
    made.step(4)
    assert made.held == {BTC: D(10)}
    loop.turns(2)
    assert made.truth.protected(BTC) == D(10)  # meanwhile it has its stop
    loop.turns(14)
    assert made.held == made.positions == {}
    assert made.truth.working() == []
    assert (made.trades[-1].cause, made.fills[-1].cause) == ("hold", "hold")
    assert [what for what, words in made.notices if "turned the exit of 10 BTC-USD away" in words] == ["order"]
    sold = [one for one in made.truth.orders.values() if one.side == "sell" and one.filled]
    assert [one.filled for one in sold] == [D(10)]


def test_while_the_venue_goes_on_refusing_tries_become_rare_and_the_stop_stands_between_them(tmp_path: Path) -> None:
    truth, tries = Truth(START + HOUR), list[int]()

    def refusing(method: str, *given: Any) -> Any:
        if method == "place" and given[0].form == "market" and given[0].side == "sell":
            tries.append(truth.time)
            return Refusal("REJECTED", "the venue says no")
        return truth.call(method, *given)

    loop = held(tmp_path, truth=truth, call=refusing)
    loop.made.step(4)
    bare = 0
    for _ in range(600):  # ten minutes
        loop.turns(1, after=1_000)
        bare += truth.protected(BTC) != D(10)
    waits = [later - one for one, later in itertools.pairwise(tries)]
    assert waits == sorted(waits)
    assert 10 <= len(tries) <= 16
    assert bare <= len(tries)
    assert loop.made.held == loop.made.positions == {BTC: D(10)}


def test_what_the_strategy_decides_at_its_next_close_counts_instead(tmp_path: Path) -> None:
    loop = held(tmp_path)
    made = loop.made
    made.truth.fault("place", "refused")
    made.step(4)
    loop.turns(1)
    assert loop.venue.leaving._again
    loop.venue.leaving.closed(made.truth.time // HOUR * HOUR)
    assert not loop.venue.leaving._again
    loop.turns(20)
    assert made.held == {BTC: D(10)}


@pytest.mark.parametrize("stopped", ["kill", "breaker"])
def test_nothing_is_tried_while_a_person_or_the_breaker_wants_nothing_sent(tmp_path: Path, stopped: str) -> None:
    loop = held(tmp_path)
    made = loop.made
    made.truth.fault("place", "refused")
    made.step(4)
    loop.turns(1)
    if stopped == "kill":
        made.kill = True
    else:
        made.gateway.trip("the venue has more than was bought")
    loop.turns(40)
    assert made.held == {BTC: D(10)}
    made.kill = False
    if stopped == "kill":
        loop.turns(2)
        assert made.held == {}


def test_a_try_whose_answer_is_lost_is_not_sent_again_and_nothing_else_is(tmp_path: Path) -> None:
    loop = held(tmp_path)
    made = loop.made
    made.truth.fault("place", "refused", "fine", "dropped")
    made.truth.fault("find", *["fine"] * 2, *["lost"] * 30)
    made.step(4)
    loop.turns(8)
    made.session.step(made.truth.time // HOUR * HOUR, [])  # its strategy sees that an order is on its way
    loop.turns(200)
    assert made.held == made.positions == {}
    sold = [one for one in made.truth.orders.values() if one.side == "sell" and one.filled]
    assert [one.filled for one in sold] == [D(10)]
    assert made.truth.duplicates == []


def test_the_longest_pause_is_a_minute() -> None:
    again = _Again("hold", 0, FIRST)
    for _ in range(20):
        again.later(0)
    assert again.wait == again.due == LONGEST
