"""Counts and times what a session does, in Prometheus' words. Names and labels are those of docs/deploy.md.

What is not known is NaN: a gauge that keeps its last value would look well while nothing is known.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from tb.core.diagnostics import Refused, error
from tb.core.records import Decision, Fill, Order, Record
from tb.core.span import whole_file
from tb.runtime.ports.measures import BreakerState, Readings

NO_LIBRARY = "TB882"
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def prometheus() -> Any:
    try:
        import prometheus_client
    except ImportError:
        hint = "install the extra `live`: `pip install 'tb[live]'`, or leave `live.metrics_port` out of tb.yaml"
        raise Refused(
            [error(NO_LIBRARY, "metrics need a library that is not installed", whole_file("tb.yaml"), hint)]
        ) from None
    return prometheus_client


class Counting:
    """The port `tb.runtime.ports.measures.Measures`. Safe to share between threads. Raises Refused TB882."""

    def __init__(self) -> None:
        client = prometheus()
        self.registry = client.CollectorRegistry()
        self.began = time.monotonic()
        self.last_turn: float | None = None  # on the monotonic clock
        self._lock = threading.Lock()
        self._make(client)

    def _make(self, client: Any) -> None:
        to = {"registry": self.registry}
        count, gauge, spread = client.Counter, client.Gauge, client.Histogram
        self._cycles = count("tb_cycles", "Closes that were decided on", **to)
        self._cycle = spread("tb_cycle_seconds", "How long a cycle took", buckets=_SECONDS, **to)
        self._steps = spread(
            "tb_step_seconds", "How long a step of the loop or the gateway took", ["step"], buckets=_SECONDS, **to
        )
        self._decisions = count("tb_decisions", "Decisions", ["kind", "verdict"], **to)
        self._refusals = count("tb_refusals", "Refused decisions by each rule that refused them", ["rule"], **to)
        self._orders = count("tb_orders", "Orders", ["kind", "side"], **to)
        self._fills = count("tb_fills", "Fills", ["cause"], **to)
        self._age = gauge("tb_data_age_seconds", "Age of the newest bar or price", ["instrument"], **to)
        self._headroom = gauge("tb_limit_headroom_ratio", "Share of a limit that is left, below 0 beyond it", ["limit"], **to)
        self._equity = gauge("tb_equity", "Equity in the account's currency", **to)
        self._exposure = gauge("tb_exposure", "Gross exposure in the account's currency", **to)
        self._breaker = gauge("tb_breaker_state", "1 for the state the breaker is in", ["state"], **to)
        self._halted = gauge("tb_halted", "1 while nothing new may be entered", **to)
        self._unknown = gauge("tb_unknown_orders", "Orders whose outcome is not known", **to)
        self._open = gauge("tb_open_orders", "Entries and exits that work at the venue", **to)
        self._protective = gauge("tb_protective_orders", "Stops and targets that rest at the venue", **to)
        self._positions = gauge("tb_positions", "Open positions", **to)
        self._last = gauge("tb_last_cycle_timestamp_seconds", "When the last cycle ended", **to)
        self._turn = gauge("tb_last_turn_timestamp_seconds", "When the loop went round last", **to)
        for one in (self._equity, self._exposure, self._unknown, self._last, self._turn):
            one.set(math.nan)

    def turned(self) -> None:
        self.last_turn = time.monotonic()
        self._turn.set(time.time())

    def cycled(self, seconds: float) -> None:
        self.turned()
        self._last.set(time.time())
        self._cycles.inc()
        self._cycle.observe(seconds)

    def timed(self, step: str, seconds: float) -> None:
        self._steps.labels(step).observe(seconds)

    def recorded(self, records: Sequence[Record]) -> None:
        for record in records:
            match record:
                case Decision():
                    self._decisions.labels(record.kind, record.verdict).inc()
                    if record.approved == 0:
                        for rule in record.deciding:
                            self._refusals.labels(rule).inc()
                case Order():
                    self._orders.labels(record.kind, record.side).inc()
                case Fill():
                    self._fills.labels(record.cause).inc()
                case _:
                    pass

    def read(self, readings: Readings) -> None:
        with self._lock:
            self._equity.set(_known(readings.equity))
            self._exposure.set(_known(readings.exposure))
            ages = {name: None if age is None else age / 1000 for name, age in readings.data_age.items()}
            _labelled(self._age, ages)
            _labelled(self._headroom, readings.headroom)
            for state in get_args(BreakerState):
                self._breaker.labels(state).set(state == readings.breaker)
            self._halted.set(readings.halted)
            self._unknown.set(readings.unknown_orders)
            self._open.set(readings.open_orders)
            self._protective.set(readings.protective_orders)
            self._positions.set(readings.positions)

    def silence(self) -> float:
        """Seconds since the loop went round, or since the start where it did not yet."""
        return time.monotonic() - (self.began if self.last_turn is None else self.last_turn)


def _known(value: Decimal | float | None) -> float:
    return math.nan if value is None else float(value)


def _labelled(gauge: Any, values: Mapping[str, float | None]) -> None:
    """What is told no more is gone, not standing still."""
    for labels in [one for one in gauge._metrics if one[0] not in values]:
        gauge.remove(*labels)
    for name, value in values.items():
        gauge.labels(name).set(_known(value))
