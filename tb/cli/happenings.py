"""What happens in a replay, told as it happens: a line of text, or of JSON, for each decision, fill, trade, pause and halt."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from tb.cli.decisions import as_object
from tb.cli.output import encode, is_terminal, iso, shown_price
from tb.core.encode import plain
from tb.core.records import Cancel, Decision, Fill, Latch, Record, Trade
from tb.core.time import show_duration, show_instant
from tb.gate.explain.build import headline

_MINUTE = 60_000


class Teller:
    """Tells records as they come, each at once. `show_clock` keeps a line at the bottom of a terminal, nothing elsewhere."""

    def __init__(self, speed: str, currency: str, *, as_json: bool, with_keys: bool) -> None:
        self.speed, self.currency = speed, currency
        self.as_json = as_json
        self.keys = "  space pauses, n steps to the next decision, q stops" if with_keys else ""
        self._has_clock = is_terminal(sys.stderr)
        self._shown = ""

    def tell(self, record: Record) -> None:
        for line in _json(record) if self.as_json else self._text(record):
            self.put(line)

    def put(self, line: str) -> None:
        self.clear()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def show_clock(self, at: int, *, is_paused: bool) -> None:
        if not self._has_clock:
            return
        text = f"{show_instant(at // _MINUTE * _MINUTE)}  {'paused' if is_paused else self.speed}{self.keys}"
        if text != self._shown:
            sys.stderr.write(f"\r\x1b[2K{text}")
            sys.stderr.flush()
            self._shown = text

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
            self._shown = ""

    def _text(self, record: Record) -> Iterator[str]:
        match record:
            case Decision():
                by = f" by {', '.join(record.deciding)}" if record.deciding else ""
                why = f": {record.reason}" if record.reason else ""
                yield f"{show_instant(record.at)}  d{record.seq}  {record.strategy}  {headline(record)}{by}{why}"
            case Fill():
                what = f"{record.side} {plain(record.quantity)} {record.instrument} at {shown_price(record.price)}"
                yield f"{show_instant(record.at)}  filled  {what}, {record.cause}"
            case Cancel():
                what = f"{record.side} {plain(record.quantity)} {record.instrument}"
                yield f"{show_instant(record.at)}  ended without a fill  {what}: {record.cause}"
            case Trade() if record.exit_at is not None and record.profit is not None:
                r = "" if record.r is None else f" ({record.r:+z.2f}R)"
                held = show_duration((record.exit_at - record.entry_at) // _MINUTE * _MINUTE)
                what = f"{record.side} {record.instrument} closed by {record.cause} after {held}"
                yield f"{show_instant(record.exit_at)}  t{record.seq}  {what}: {record.profit:+z,.2f} {self.currency}{r}"
            case Latch():
                of = f"{record.verdict} of {record.rule}" + (f" for book {record.book}" if record.book else "")
                until = "" if record.until is None or record.lifted else f" until {show_instant(record.until)}"
                told = f"lifted by {record.by}" if record.lifted else f"set{until}"
                yield f"{show_instant(record.at)}  {of}  {told}: {record.reason}"
            case _:
                pass


def _json(record: Record) -> Iterator[str]:
    said: dict[str, Any] | None = None
    match record:
        case Decision():
            said = {"type": "decision", **as_object(record)}
        case Fill():
            said = {
                "type": "fill",
                "at": iso(record.at),
                "instrument": record.instrument,
                "side": record.side,
                "quantity": record.quantity,
                "price": record.price,
                "fee": record.fee,
                "cause": record.cause,
                "order": record.order,
            }
        case Cancel():
            said = {
                "type": "cancel",
                "at": iso(record.at),
                "strategy": record.strategy,
                "instrument": record.instrument,
                "side": record.side,
                "quantity": record.quantity,
                "cause": record.cause,
                "order": record.order,
            }
        case Trade() if record.exit_at is not None:
            said = {
                "type": "trade",
                "id": f"t{record.seq}",
                "at": iso(record.exit_at),
                "strategy": record.strategy,
                "instrument": record.instrument,
                "side": record.side,
                "quantity": record.quantity,
                "entry_at": iso(record.entry_at),
                "entry_price": record.entry_price,
                "exit_price": record.exit_price,
                "cause": record.cause,
                "profit": record.profit,
                "r": record.r,
                "decision": f"d{record.decision}",
            }
        case Latch():
            said = {
                "type": "latch",
                "at": iso(record.at),
                "rule": record.rule,
                "verdict": record.verdict,
                "book": record.book,
                "until": iso(record.until),
                "lifted": record.lifted,
                "by": record.by,
                "reason": record.reason,
            }
        case _:
            pass
    if said is not None:
        yield encode(said).decode()
