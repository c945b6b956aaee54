"""Which records people are told of, in which words, and that nothing is told before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from ledger_samples import HOUR, decision, fill, latch, mark, order, quiet, refusal, trade

from tb.core.records import Cancel, Decision, Handling, Record
from tb.runtime.noticing import Noticing
from tb.runtime.ports.alerts import Alert
from tb.runtime.ports.measures import Uncounted


class Kept(Uncounted):
    """Recorder, alerts and measures at once, in the order in which they were called."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.calls: list[object] = []

    def record(self, records: Sequence[Record]) -> None:
        if self.full:
            raise OSError("no space left")
        self.calls.append(("record", len(records)))

    def recorded(self, records: Sequence[Record]) -> None:
        self.calls.append(("recorded", len(records)))

    def send(self, alert: Alert) -> None:
        self.calls.append(alert)

    def close(self) -> None: ...

    @property
    def told(self) -> list[Alert]:
        return [call for call in self.calls if isinstance(call, Alert)]


def told(*records: Record, streak: int = 3) -> list[tuple[str, str, str]]:
    kept = Kept()
    Noticing(kept, kept, kept, streak=streak).record(records)
    assert kept.calls[:2] == [("record", len(records)), ("recorded", len(records))]
    return [(alert.what, alert.severity, alert.words) for alert in kept.told]


def test_orders_and_fills_are_told_by_what_they_are() -> None:
    made = order("o1", stop=Decimal("55200.090"), style="limit", price=Decimal("60000.10"))
    said = "entry buy 0.01 BTC-USD, limit 60000.1, stop 55200.09 (momentum, order o1)"
    assert told(made) == [("order", "info", said)]
    causes = {"entry": "fill", "stop": "stop", "trailing stop": "stop", "take": "target", "target": "target", "hold": "fill"}
    for cause, what in causes.items():
        ((found, severity, words),) = told(fill("o1", cause=cause))
        assert (found, severity) == (what, "warning" if what == "stop" else "info")
        assert words == f"buy 0.01 BTC-USD at 60003.1 ({cause}, order o1)"


def test_an_order_that_did_not_go_out_or_was_not_taken_is_told() -> None:
    details = {"purpose": "exit", "side": "sell", "quantity": "0.01"}
    handling = Handling(
        at=1, what="refused", instrument="BTC-USD", order="o1", status="breaker", words="no room", details=details
    )
    assert told(handling) == [("order", "warning", "exit sell 0.01 BTC-USD did not go out: no room (breaker, order o1)")]
    assert (
        told(msgspec.structs.replace(handling, details=details | {"purpose": "protection"})) == []
    )  # told of where it matters
    end = Cancel(
        order="o1", at=1, strategy="s", instrument="BTC-USD", side="buy", quantity=Decimal("0.010"), cause="never arrived"
    )
    assert told(end) == [("order", "warning", "buy 0.01 BTC-USD was not taken: never arrived (s, order o1)")]


def test_pauses_halts_and_liftings_are_told() -> None:
    assert told(latch(1)) == [
        ("halt", "critical", "halt by drawdown, until a person lifts it: drawdown 11% over 10%"),
    ]
    ((_, severity, words),) = told(latch(1, verdict="pause", until=2 * HOUR, book="slow"))
    assert (severity, words) == ("warning", "pause by drawdown of book slow, until 1970-01-01T02:00Z: drawdown 11% over 10%")
    ((_, severity, words),) = told(latch(1, lifted=True, by="ann", reason="reviewed"))
    assert (severity, words) == ("info", "halt by drawdown lifted by ann: reviewed")


def test_a_streak_of_refusals_is_told_when_it_doubles_and_ends_with_an_approval() -> None:
    refused = [refusal(seq) for seq in range(1, 8)]
    first, second = told(*refused)
    assert first == (
        "refusals",
        "warning",
        "3 entries in a row were refused, the last (momentum on BTC-USD) by daily_loss, gross",
    )
    assert second[2].startswith("6 entries in a row")
    assert told(*refused[:2], decision(8), *refused[:2]) == []
    assert told(*refused[:2], refusal(8, kind="exit"), refused[2])[0][2].startswith("3 entries")


def test_what_happens_all_the_time_is_not_told() -> None:
    cancel = Cancel(order="o", at=1, strategy="s", instrument="i", side="buy", quantity=Decimal(1), cause="expired")
    assert told(decision(1), quiet(1, 2), mark(1), trade(1), cancel) == []


def test_nothing_is_told_that_is_not_kept() -> None:
    kept = Kept(full=True)
    made: Decision = refusal(1)
    with pytest.raises(OSError, match="no space"):
        Noticing(kept, kept, kept, streak=1).record([made])
    assert kept.calls == []
