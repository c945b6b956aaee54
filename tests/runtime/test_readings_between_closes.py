"""Whoever watches a session sees how it stands at each close, and between two as soon as something has changed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from gateway_world import POLICY, world
from running_fakes import running
from small_projects import compiled, strategy
from test_running_loop import rising

from tb.core.records import Latch
from tb.core.time import HOUR
from tb.runtime.ports.measures import AtVenue, Readings, Uncounted
from tb.runtime.running.live import LiveVenue
from tb.runtime.running.reading import Reading


class Seen(Uncounted):
    def __init__(self) -> None:
        self.readings: list[Readings] = []

    def read(self, readings: Readings) -> None:
        self.readings.append(readings)


def test_entries_and_what_protects_are_counted_apart(tmp_path: Path) -> None:
    made = world(tmp_path)
    venue = LiveVenue(made.gateway, made.recovery)
    assert venue.counted(made.session) == AtVenue()
    made.step(1, "BTC-USD", "ETH-USD")
    assert venue.counted(made.session) == AtVenue(protective=2)
    made.turn(after=HOUR)
    made.truth.fault("place", "lost")
    made.truth.fault("find", *["lost"] * 3)
    made.step(2, "SOL-USD")
    assert venue.counted(made.session) == AtVenue(unknown=1, working=1, protective=2)
    made.gateway.trip("the venue has more than was bought")
    assert venue.counted(made.session).breaker == "open"


def test_what_changes_between_two_closes_is_seen_at_the_next_turn(tmp_path: Path) -> None:
    run, seen = running(compiled(strategy(), POLICY), rising(3), tmp_path), Seen()
    run.loop._reading = reading = Reading(run.loop.stepper, seen)
    run.loop.run()
    assert seen.readings[-1].headroom["gross"] is not None
    assert seen.readings[-1].equity == run.cycles[-1].equity
    before = len(seen.readings)
    reading.turned()
    assert len(seen.readings) == before  # nothing has changed
    latches = run.loop.stepper.session.latches
    latches.active["deep"] = Latch(at=1, rule="deep", verdict="halt", until=None, lifted=False, by="policy", reason="deep")
    reading.turned()
    assert [one.halted for one in seen.readings[before:]] == [True]
    assert seen.readings[-1].equity == run.cycles[-1].equity


def test_a_bracket_that_stands_after_the_close_is_seen_before_the_next_one() -> None:
    stands, seen = [AtVenue()], Seen()
    session = SimpleNamespace(latches=SimpleNamespace(words=lambda _: None), positions={})
    venue = SimpleNamespace(counted=lambda _: stands[0])
    reading = Reading(SimpleNamespace(session=session, sending=SimpleNamespace(venue=venue)), seen)  # type: ignore[arg-type]
    reading.turned()
    stands[0] = AtVenue(protective=1)
    reading.turned()
    assert [one.protective_orders for one in seen.readings] == [1]
