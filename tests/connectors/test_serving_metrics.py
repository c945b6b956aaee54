"""Metrics over HTTP as Prometheus reads them, and a health check that notices a loop which stands still."""

from __future__ import annotations

import http.client
import json
import math
import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from ledger_samples import decision, fill, mark, order, refusal
from prometheus_client.parser import text_string_to_metric_families

from tb.connectors.metrics import Counting, Serving, serve_metrics
from tb.connectors.supervised import Supervised
from tb.core.diagnostics import Refused
from tb.runtime.ports.measures import Measures, Readings


@pytest.fixture
def serving() -> Iterator[Serving]:
    made = serve_metrics(0, within=60.0)
    yield made
    made.close()


def get(serving: Serving, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def samples(serving: Serving) -> dict[str, float]:
    status, text = get(serving, "/metrics")
    assert status == 200
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_what_a_session_does_is_counted(serving: Serving) -> None:
    measures: Measures = serving
    measures.recorded([decision(1), refusal(2), refusal(3, deciding=("gross",)), order("o1"), fill("o1"), mark(1)])
    measures.recorded([fill("o1", cause="stop")])
    measures.timed("gateway journal", 0.0007)
    measures.timed("gateway journal", 0.2)
    measures.cycled(0.004)
    found = samples(serving)
    assert found["tb_decisions_total{kind=enter,verdict=approve}"] == 1
    assert found["tb_decisions_total{kind=enter,verdict=reject}"] == 2
    assert (found["tb_refusals_total{rule=gross}"], found["tb_refusals_total{rule=daily_loss}"]) == (2, 1)
    assert found["tb_orders_total{kind=entry,side=buy}"] == 1
    assert (found["tb_fills_total{cause=entry}"], found["tb_fills_total{cause=stop}"]) == (1, 1)
    assert found["tb_step_seconds_count{step=gateway journal}"] == 2
    assert found["tb_step_seconds_bucket{le=0.001,step=gateway journal}"] == 1
    assert (found["tb_cycles_total"], found["tb_cycle_seconds_sum"]) == (1, 0.004)
    assert found["tb_last_cycle_timestamp_seconds"] > 1.7e9


def test_what_is_not_known_is_not_a_number_and_what_is_gone_is_gone(serving: Serving) -> None:
    assert math.isnan(samples(serving)["tb_equity"])
    serving.read(
        Readings(
            equity=Decimal("10000.50"),
            data_age={"BTC-USD": 1_500, "ETH-USD": None},
            headroom={"gross": 0.25, "daily_loss": -0.1, "spread": None},
            breaker="draining",
            halted=True,
            unknown_orders=2,
            open_orders=3,
            protective_orders=4,
            positions=1,
        )
    )
    found = samples(serving)
    assert (found["tb_equity"], found["tb_data_age_seconds{instrument=BTC-USD}"]) == (10000.5, 1.5)
    assert math.isnan(found["tb_exposure"])
    assert math.isnan(found["tb_data_age_seconds{instrument=ETH-USD}"])
    assert math.isnan(found["tb_limit_headroom_ratio{limit=spread}"])
    assert found["tb_limit_headroom_ratio{limit=daily_loss}"] == -0.1
    states = {name: value for name, value in found.items() if name.startswith("tb_breaker")}
    assert states == {
        f"tb_breaker_state{{state={s}}}": float(s == "draining") for s in ("closed", "draining", "open", "half open")
    }
    numbers = [found[f"tb_{name}"] for name in ("halted", "unknown_orders", "open_orders", "protective_orders", "positions")]
    assert numbers == [1, 2, 3, 4, 1]
    serving.read(Readings(data_age={"ETH-USD": 10}))
    found = samples(serving)
    assert [name for name in found if "data_age" in name] == ["tb_data_age_seconds{instrument=ETH-USD}"]
    assert math.isnan(found["tb_equity"])


def test_health_fails_once_the_loop_is_late(serving: Serving) -> None:
    status, body = get(serving, "/healthz")
    assert (status, json.loads(body)["healthy"], json.loads(body)["began"]) == (200, True, False)
    serving.within = -1.0  # whatever time it is, a turn is overdue
    assert get(serving, "/healthz")[0] == 503
    serving.within = 60.0
    serving.turned()
    status, body = get(serving, "/healthz")
    assert (status, json.loads(body)["began"]) == (200, True)
    assert serving.last_turn is not None
    serving.last_turn -= 61.0
    status, body = get(serving, "/healthz")
    assert (status, json.loads(body)["healthy"]) == (503, False)
    assert json.loads(body)["silent_for"] > 60


def test_nothing_else_is_served_and_only_here(serving: Serving) -> None:
    assert get(serving, "/")[0] == 404
    assert get(serving, "/metrics", "POST")[0] == 501
    assert serving._server.server_address[0] == "127.0.0.1"
    with pytest.raises(Refused) as refused:
        serve_metrics(serving.port, 1.0)
    (found,) = refused.value.findings
    assert (found.code, found.message) == ("TB883", f"metrics cannot be served on port {serving.port}: address already in use")


def test_the_service_manager_hears_of_turns_and_of_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.setblocking(False)
        counting = Counting()
        measures = Supervised(counting, {"NOTIFY_SOCKET": path})
        measures.recorded([order("o1")])
        measures.timed("decide", 0.1)
        measures.read(Readings())
        with pytest.raises(BlockingIOError):
            manager.recv(100)
        measures.turned()
        monkeypatch.setattr("tb.connectors.supervised.OFTEN", 1e9)
        measures.turned()  # too soon after the first
        monkeypatch.setattr("tb.connectors.supervised.OFTEN", 0.0)
        measures.turned()
        measures.cycled(0.1)  # is in a turn
        measures.stopping("asked\nto stop")
        said = [manager.recv(100).decode() for _ in range(3)]
        assert said == ["READY=1\nWATCHDOG=1", "WATCHDOG=1", "STOPPING=1\nSTATUS=asked to stop"]
        assert counting.last_turn is not None


def test_a_manager_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "nobody"), "@nobody-listens-here"):
        Supervised(Counting(), {"NOTIFY_SOCKET": address}).turned()
