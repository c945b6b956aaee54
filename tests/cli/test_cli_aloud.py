"""What a session says between two closes, on the terminal that it runs in."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from tb.cli import aloud
from tb.cli.aloud import Aloud
from tb.runtime.ports.alerts import Alert

AT = 1_704_067_200_000


class Elsewhere:
    def __init__(self) -> None:
        self.told: list[Alert] = []
        self.is_closed = False

    def send(self, alert: Alert) -> None:
        self.told.append(alert)

    def close(self) -> None:
        self.is_closed = True


def test_each_alert_is_a_line_and_goes_on_to_whoever_is_told_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    inner = Elsewhere()
    made = Aloud(inner)
    alerts = [
        Alert("stop", "warning", "sell 1 BTC-USD at 90 (stop, order o)", AT + 61_500),
        Alert("halt", "critical", "deep", AT),
    ]
    for alert in alerts:
        made.send(alert)
    made.close()
    assert (inner.told, inner.is_closed) == (alerts, True)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "2024-01-01T00:01:01Z warning stop: sell 1 BTC-USD at 90 (stop, order o)",
        "2024-01-01T00:00Z critical halt: deep",
    ]


def test_a_terminal_that_takes_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(io.StringIO):
        goes_on = threading.Event()

        def write(self, text: str) -> int:
            self.goes_on.wait()
            return super().write(text)

    stream, inner = Stopped(), Elsewhere()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(aloud, "MOST", 3)
    made = Aloud(inner)
    for number in range(20):
        made.send(Alert("fill", "info", f"fill {number}", AT))
    assert len(inner.told) == 20
    stream.goes_on.set()
    made.send(Alert("fill", "info", "the last", AT))
    made.close()
    assert inner.is_closed


def test_a_reader_that_has_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    inner = Elsewhere()
    made = Aloud(inner)
    for _ in range(3):
        made.send(Alert("fill", "info", "bought", AT))
    made.close()
    assert (len(inner.told), inner.is_closed) == (3, True)
