"""A line that is back soon is a quiet note, many of these are one warning with a count, and one that stays away is critical."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_exchange import Truth
from gateway_world import world

from tb.runtime.guarded import Guarded
from tb.runtime.ports.exchange import Event, Heartbeat, Lost
from tb.runtime.running.line import Line
from tb.runtime.running.live import LiveVenue

Told = list[tuple[str, str]]
AWAY, BACK = Lost("orders", "the connection was closed", 0, "away"), Lost("orders", "told from here on", 0, "back")


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def line(told: Told) -> Line:
    return Line(lambda severity, words: told.append((severity, words)), away=10_000, window=300_000)


def test_the_first_word_of_a_session_is_no_news(line: Line, told: Told) -> None:
    line.heard([BACK, Heartbeat(0)], 0)
    line.due(400_000)
    assert told == []


def test_a_line_that_is_back_soon_is_a_quiet_note(line: Line, told: Told) -> None:
    line.heard([AWAY], 1_000)
    line.due(9_000)
    line.heard([BACK], 4_500)
    line.due(100_000)
    assert told == [("info", "news of orders did not come for 3s: the connection was closed; what was missed is asked for")]
    line.due(900_000)
    line.close()
    assert len(told) == 1


def test_many_in_a_short_time_are_one_warning_with_their_count(line: Line, told: Told) -> None:
    for number in range(21):
        line.heard([AWAY], number * 5_000)
        line.due(number * 5_000)
        line.heard([BACK], number * 5_000 + 1_000)
        line.due(number * 5_000 + 1_000)
    assert [severity for severity, _ in told] == ["info"]
    line.due(301_000)
    assert [severity for severity, _ in told] == ["info", "warning"]
    assert told[1][1].startswith(
        "the line was interrupted 20 times more within 5m, at last news of orders did not come for 1s: "
    )
    line.heard([Lost("orders", "3 messages are missing", 0)], 310_000)
    line.close()
    assert told[2][1].startswith(
        "the line was interrupted once more within 5m, at last news of orders did not come: 3 messages"
    )


def test_a_line_that_stays_away_is_critical_once_and_its_end_is_told(line: Line, told: Told) -> None:
    line.heard([AWAY], 0)
    for now in range(0, 60_000, 250):
        line.heard([Lost("orders", "no connection (OSError)", 0, "away")], now)
        line.due(now)
    assert told == [
        ("critical", "no news of orders for 10s: no connection (OSError); orders are asked for one by one until it is back")
    ]
    line.heard([BACK], 75_000)
    line.due(75_000)
    assert told[1:] == [("info", "news of orders come again, after 75s: what was missed is asked for")]


def test_both_channels_are_watched_each_for_itself(line: Line, told: Told) -> None:
    from decimal import Decimal

    from tb.runtime.ports.exchange import Quoted

    line.heard([AWAY, Lost("market", "nothing was heard for 5 s", 0, "away")], 0)
    line.heard([BACK], 2_000)
    line.due(10_000)
    assert [severity for severity, _ in told] == ["info", "critical"]
    assert told[1][1] == "no prices for 10s: nothing was heard for 5 s; prices grow old, and limits that read them deny"
    line.heard([Quoted("BTC-USD", Decimal(1), Decimal(2), 0, 0)], 20_000)
    assert told[2] == ("info", "prices come again, after 20s: what was missed is asked for")


def test_an_adapter_that_fails_is_away_until_it_answers(line: Line, told: Told) -> None:
    class Flaky(Truth):
        broken = True

        def events(self) -> tuple[Event, ...]:
            if self.broken:
                raise KeyError
            return ()

    inner = Flaky(0)
    inner.name = "venue"  # type: ignore[attr-defined]
    guarded = Guarded(inner, now=lambda: 0, told=lambda words: None)  # type: ignore[arg-type]
    line.heard(guarded.events(), 0)
    line.due(10_000)
    assert [severity for severity, _ in told] == ["critical", "critical"]
    inner.broken = False
    line.heard(guarded.events(), 11_000)
    assert [severity for severity, _ in told] == ["critical", "critical", "info", "info"]
    assert guarded.events() == ()


def test_a_live_session_watches_its_line_at_every_turn(tmp_path: Path) -> None:
    made, told = world(tmp_path), list[tuple[str, str]]()
    line = Line(lambda severity, words: told.append((severity, words)), away=10_000)
    venue = LiveVenue(made.gateway, made.recovery, line)
    made.truth.told = [AWAY]
    for _ in range(50):
        venue.attend()
        made.truth.time += 250
    assert [severity for severity, _ in told] == ["critical"]
