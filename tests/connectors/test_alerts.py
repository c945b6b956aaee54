"""Alerts reach a real server; a server that is slow, down or mute holds up nobody; no address is shown anywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from alert_server import PATIENCE, Taking

from tb.connectors.alerts import Sending, addresses_of, alerts_to, try_addresses
from tb.connectors.alerts.wording import LINES, body_of, title_of
from tb.core.diagnostics import Refused
from tb.core.redaction import forget_secrets, register_secret
from tb.runtime.ports.alerts import Alert, Alerts, Severity, What

AT = 1_764_128_400_000  # 2025-11-26T03:40Z


def alert(words: str, what: What = "order", severity: Severity = "info") -> Alert:
    return Alert(what, severity, words, AT)


@pytest.fixture
def server() -> Iterator[Taking]:
    taking = Taking()
    yield taking
    taking.close()
    forget_secrets()


def sending(server: Taking, **options: float) -> Sending:
    return Sending(addresses_of(server.address, "env:TB_ALERTS"), "desk", **options)  # type: ignore[arg-type]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "tb.alerts"]


def test_an_alert_arrives_in_words(server: Taking) -> None:
    out: Alerts = alerts_to(f"# mine\n\n{server.address}\n", "env:TB_ALERTS", "desk")
    out.send(alert("drawdown 11% over 10%: no new entries", "halt", "critical"))
    (message,) = server.wait_for(1)
    assert message["title"] == "desk critical: halt"
    assert message["message"] == "2025-11-26T03:40Z critical halt: drawdown 11% over 10%: no new entries"
    assert message["type"] == "failure"
    out.close()


def test_a_burst_goes_out_as_one_message_and_says_the_gravest_first(server: Taking) -> None:
    out = sending(server)
    server.hold()
    out.send(alert("first"))
    server.wait_for(arrived=1)
    for number in range(1, 31):
        out.send(alert(f"order {number}"))
    out.send(alert("breaker open", "breaker", "critical"))
    server.release()
    second = server.wait_for(2)[1]
    lines = second["message"].splitlines()
    assert second["title"] == "desk critical: breaker, order"
    assert lines[0].endswith("critical breaker: breaker open")
    assert (len(lines), lines[-1]) == (LINES + 1, "and 19 more: 19 order")
    out.close()
    assert len(server.messages) == 2


def test_the_same_alert_again_is_counted(server: Taking) -> None:
    out = sending(server)
    for _ in range(100):
        out.send(alert("no data for BTC-USD", "data", "warning"))
    out.close(PATIENCE)
    told = "\n".join(message["message"] for message in server.messages)
    assert told.count("no data for BTC-USD") == 2
    assert "(came 98 more times)" in told


def test_the_same_alert_is_told_anew_once_its_time_is_over(server: Taking) -> None:
    out = sending(server, again_after=0.0)
    for count in range(1, 4):
        out.send(alert("again"))
        server.wait_for(count)
    out.close(PATIENCE)
    assert [message["message"].endswith("order: again") for message in server.messages] == [True] * 3


def test_a_server_that_does_not_answer_blocks_nobody_and_drops_are_told(server: Taking) -> None:
    out = sending(server, room=20)
    server.hold()
    out.send(alert("first"))
    server.wait_for(arrived=1)
    for number in range(1_000):  # all of this returns while the server still holds the first
        out.send(alert(f"order {number}"))
    out.send(alert("halted", "halt", "critical"))
    assert server.messages == []
    assert out.dropped > 900
    server.release()
    out.close(PATIENCE)
    told = "\n".join(message["message"] for message in server.messages)
    assert "critical halt: halted" in told
    assert f"{out.dropped} alerts were dropped" in told


def test_what_was_not_taken_is_kept_and_one_address_waits_for_no_other(
    server: Taking, caplog: pytest.LogCaptureFixture
) -> None:
    other = Taking()
    other.status = 500
    out = Sending(addresses_of(f"{other.address}\n{server.address}", "env:TB_ALERTS"), "desk")
    with caplog.at_level(logging.WARNING, "tb.alerts"):
        out.send(alert("stop of BTC-USD filled", "stop", "warning"))
        server.wait_for(1)
        other.wait_for(arrived=1)
        other.status = 200
        assert "stop of BTC-USD filled" in other.wait_for(1)[0]["message"]
    out.close(PATIENCE)
    assert out.failing == []
    assert said(caplog) == ["address 1 (json) does not take alerts; they are kept and tried again"]
    other.close()


def test_nobody_listening_is_said_at_the_end(server: Taking, caplog: pytest.LogCaptureFixture) -> None:
    address = server.address
    server.close()
    out = Sending(addresses_of(address, "env:TB_ALERTS"), "desk")
    out.send(alert("x"))
    out.close(PATIENCE)
    out.send(alert("too late"))
    assert out.failing == ["1 (json)"]
    assert said(caplog)[-1] == "alerts did not reach address 1 (json) before the end"
    assert "127.0.0.1" not in str(said(caplog))
    assert not logging.getLogger("apprise").propagate


def test_trying_addresses_says_which_work(server: Taking) -> None:
    gone = Taking()
    text = f"{server.address}\n{gone.address}"
    gone.close()
    tried = list(try_addresses(text, "env:TB_ALERTS", "desk", alert("a test", "test")))
    assert [(one.name, one.delivered) for one in tried] == [("1 (json)", True), ("2 (json)", False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no address for alerts in `env:TB_ALERTS`"),
        ("# nothing\n", "there is no address for alerts in `env:TB_ALERTS`"),
        ("json://localhost/a\nhunter2-of-nobody", "line 2 of `env:TB_ALERTS` is no address that alerts can go to"),
        ("slack://tokenA/short", "line 1 of `env:TB_ALERTS` is no address that alerts can go to"),
    ],
)
def test_what_is_no_address_is_refused_without_being_shown(text: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        alerts_to(text, "env:TB_ALERTS", "desk")
    (found,) = refused.value.findings
    assert (found.code, found.message) == ("TB881", message)
    assert "hunter2" not in str(refused.value)
    forget_secrets()


def test_secrets_leave_with_no_alert(server: Taking) -> None:
    register_secret("wordOfTheVenue")
    said = alert("the venue said: key wordOfTheVenue is not known; token=abc123def, see https://u:p4ss@venue/x", "breaker")
    text = body_of([said], {}, 0)
    assert text.endswith("key [redacted] is not known; token=[redacted], see https://[redacted]@venue/x")
    (address,) = addresses_of(server.address, "env:TB_ALERTS")
    for hidden in ("wordOfTheRobot", "hook-4711-token"):
        assert hidden not in repr(address) + address.name
        assert hidden not in body_of([alert(f"failed: {hidden}")], {}, 0)
    assert "wordOfTheVenue" not in title_of([said], "wordOfTheVenue")


def test_a_long_alert_is_cut(server: Taking) -> None:
    assert len(body_of([alert("word " * 1000)], {}, 0)) < 500
