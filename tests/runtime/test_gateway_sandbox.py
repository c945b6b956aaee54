"""Gateway, adapter and venue together, over real connections: a part of what `tests/soak/venue.py` goes through."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox_day import FAULTS, MOMENTS, a_day, live

HERE = ("drop-reply", "error-after", "vague", "partial-fill", "late-fill", "disconnect", "reply-twice", "cancel: drop-request")


def test_a_day_on_which_nothing_goes_wrong(tmp_path: Path) -> None:
    with a_day(tmp_path) as day:
        live(day, {})
        state = day.sandbox.state()
        assert list(day.wrong()) == []
        assert state["faults"]["struck"] == []
        assert [(one["product_id"], one["side"]) for one in state["fills"]] == [
            ("BTC-USD", "BUY"),
            ("ETH-USD", "BUY"),
            ("SOL-USD", "BUY"),
            ("ETH-USD", "SELL"),  # its stop
            ("BTC-USD", "SELL"),
            ("SOL-USD", "SELL"),
        ]
        assert max(one["to"] - one["from"] for one in state["unprotected"]) == 0


def test_a_late_fill_that_nobody_tells(tmp_path: Path) -> None:
    """The venue says that brackets are cancelled, fills them all the same, and its stream is silent."""
    with a_day(tmp_path) as day:
        live(day, {"after": FAULTS["silent"], "exit": FAULTS["fill-after-cancelled"]})
        assert list(day.wrong()) == []
        assert day.gateway.breaker.now().state == "closed"


@pytest.mark.parametrize(("number", "fault"), list(enumerate(HERE)))
def test_a_day_with_a_fault(tmp_path: Path, number: int, fault: str) -> None:
    with a_day(tmp_path) as day:
        live(day, {MOMENTS[number % len(MOMENTS)]: FAULTS[fault]})
        assert day.sandbox.state()["faults"]["struck"] != []
        assert list(day.wrong()) == []
