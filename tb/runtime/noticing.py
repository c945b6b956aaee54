"""Tells people, and those who count, what a session recorded: a recorder around the one that keeps it.

1. The records are kept first. What cannot be recorded is told of by whoever handles that, not as if it had happened.
2. Orders, fills, stops, targets, pauses, halts and their liftings are alerts; so is an order that did not go out, or that the
   venue did not take, since it was told of as an order.
3. A streak of refused entries is one alert when it is as long as `STREAK`, and again each time it has doubled; an entry that is
   approved ends it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tb.core.encode import plain
from tb.core.records import Cancel, Decision, Fill, Handling, Latch, Order, Record
from tb.core.time import show_instant
from tb.runtime.ports import Recorder
from tb.runtime.ports.alerts import Alert, Alerts, Severity, What
from tb.runtime.ports.measures import Measures

STREAK = 10  # refused entries in a row, without an approved one
_STOPS = frozenset({"stop", "trailing stop"})
_TARGETS = frozenset({"target", "take"})


class Noticing:
    """A `Recorder` that hands records on, then tells of them."""

    def __init__(self, recorder: Recorder, alerts: Alerts, measures: Measures, *, streak: int = STREAK) -> None:
        self._recorder, self._alerts, self._measures = recorder, alerts, measures
        self._streak, self._refused, self._next = streak, 0, streak

    def record(self, records: Sequence[Record]) -> None:
        self._recorder.record(records)
        self._measures.recorded(records)
        for record in records:
            match record:
                case Order():
                    self._tell("order", "info", _order(record), record.at)
                case Fill():
                    self._tell(*_fill(record), record.at)
                case Handling(what="refused") if record.details.get("purpose") in ("entry", "exit"):
                    self._tell("order", "warning", _refused(record), record.at)
                case Cancel(cause="refused by the venue" | "never arrived"):
                    self._tell("order", "warning", _not_taken(record), record.at)
                case Latch():
                    self._tell("halt", _severity(record), _latch(record), record.at)
                case Decision(kind="enter"):
                    self._count(record)
                case _:
                    pass

    def _tell(self, what: What, severity: Severity, words: str, at: int) -> None:
        self._alerts.send(Alert(what, severity, words, at))

    def _count(self, decision: Decision) -> None:
        if decision.approved != 0:
            self._refused, self._next = 0, self._streak
            return
        self._refused += 1
        if self._refused == self._next:
            self._next *= 2
            rules = ", ".join(decision.deciding) or decision.verdict
            words = f"{self._refused} entries in a row were refused, the last ({decision.strategy} on {decision.instrument})"
            self._tell("refusals", "warning", f"{words} by {rules}", decision.at)


def _order(order: Order) -> str:
    at = f"{order.style} {plain(order.price)}" if order.price is not None else order.style
    stop = f", stop {plain(order.stop)}" if order.stop is not None else ""
    target = f", target {plain(order.target)}" if order.target is not None else ""
    what = f"{order.kind} {order.side} {plain(order.quantity)} {order.instrument}, {at}{stop}{target}"
    return f"{what} ({order.strategy}, order {order.id})"


def _refused(handling: Handling) -> str:
    side, quantity = (handling.details.get(name, "") for name in ("side", "quantity"))
    what = f"{handling.details['purpose']} {side} {quantity} {handling.instrument}"
    return f"{what} did not go out: {handling.words} ({handling.status}, order {handling.order})"


def _not_taken(cancel: Cancel) -> str:
    what = f"{cancel.side} {plain(cancel.quantity)} {cancel.instrument}"
    return f"{what} was not taken: {cancel.cause} ({cancel.strategy}, order {cancel.order})"


def _fill(fill: Fill) -> tuple[What, Severity, str]:
    words = f"{fill.side} {plain(fill.quantity)} {fill.instrument} at {plain(fill.price)} ({fill.cause}, order {fill.order})"
    if fill.cause in _STOPS:
        return "stop", "warning", words
    return "target" if fill.cause in _TARGETS else "fill", "info", words


def _severity(latch: Latch) -> Severity:
    if latch.lifted:
        return "info"
    return "critical" if latch.verdict == "halt" else "warning"


def _latch(latch: Latch) -> str:
    where = f" of book {latch.book}" if latch.book else ""
    if latch.lifted:
        return f"{latch.verdict} by {latch.rule}{where} lifted by {latch.by}: {latch.reason}"
    until = f"until {show_instant(latch.until)}" if latch.until is not None else "until a person lifts it"
    return f"{latch.verdict} by {latch.rule}{where}, {until}: {latch.reason}"
