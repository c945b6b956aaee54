"""An adapter that raises in the middle of a live session: no new risk on what it no longer says, an alert, and a way out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from live_sessions import BEGIN, connected, live, recorded, rising_sandbox
from sandbox_client import HOUR

from tb.connectors.coinbase import Coinbase
from tb.core.records import Fill
from tb.runtime.guarded import Guarded

ALERTS = {
    "balances": ("breaker", "critical", "the account could not be compared with the venue for 10h: no new risk"),
    "open_orders": ("breaker", "critical", "the account could not be compared with the venue for 10h: no new risk"),
    "candles": ("data", "critical", "(the adapter of coinbase failed in `candles`: RuntimeError)"),
    "rules": ("order", "warning", "the venue's rules for BTC-USD are not known (reservation, order "),
}


@pytest.mark.parametrize("method", ALERTS)
def test_a_source_that_raises_takes_no_new_risk_and_lets_positions_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("out of order")

    with rising_sandbox() as sandbox, connected(sandbox) as venue:
        heard: list[str] = []
        guarded = Guarded(venue, now=lambda: sandbox.now, told=heard.append)
        with live(tmp_path, sandbox, guarded) as session:  # whose ten hours are ten minutes to the gateway
            session.until(BEGIN + 2 * HOUR)
            assert session.loop.stepper.session.positions
            with monkeypatch.context() as broken:
                broken.setattr(Coinbase, method, raises)
                session.until(BEGIN + 18 * HOUR)
                assert session.loop.inbox is not None
                session.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
                session.loop._heed()
                assert not session.loop.stepper.session.positions
                assert all(Decimal(size) == 0 for size in sandbox.state()["positions"].values())
    assert heard == [f"the adapter of coinbase failed in `{method}`: RuntimeError"]
    bought = [one.at for one in recorded(tmp_path, session.run, Fill) if one.side == "buy"]
    assert min(bought) >= BEGIN + HOUR
    assert max(bought) <= BEGIN + 13 * HOUR
    what, severity, words = ALERTS[method]
    assert any((one.what, one.severity) == (what, severity) and words in one.words for one in session.told.alerts)
