"""A stream whose heartbeats go on while its quotes do not: the line is alive, and nobody knows the price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from live_sessions import BEGIN, POLICY, connected, live, recorded, rising_sandbox
from sandbox_client import HOUR

from tb.core.records import Decision, Order

NARROW = POLICY + "forbid wide  when spread > 60bps\n"


def test_quotes_that_stay_away_while_the_line_lives_deny_entries_and_let_positions_leave(tmp_path: Path) -> None:
    with rising_sandbox() as sandbox, connected(sandbox) as venue:
        with live(tmp_path, sandbox, venue, policy=NARROW) as session:
            session.until(BEGIN + 2 * HOUR)
            assert session.loop.stepper.session.positions
            sandbox.fault("silent", on="ticker", times=0)
            sandbox.fault("stale-quotes", times=0)
            session.until(BEGIN + 6 * HOUR)
            assert not session.loop.stepper.session.positions  # it left when its time was up
        entries = [one.at for one in recorded(tmp_path, session.run, Order) if one.kind == "entry"]
        assert entries
        assert max(entries) <= BEGIN + 2 * HOUR
        denied = [one for one in recorded(tmp_path, session.run, Decision) if one.at > BEGIN + 3 * HOUR and one.kind == "enter"]
        assert denied
        assert {one.verdict for one in denied} == {"reject"}
        assert all(Decimal(size) == 0 for size in sandbox.state()["positions"].values())
    (alert,) = [one for one in session.told.alerts if one.what == "data" and "quote" in one.words]
    assert (alert.severity, alert.words) == ("warning", "no fresh quote of BTC-USD")
