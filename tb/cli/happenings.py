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
_ORDERED = ("instrument", "side", "quantity")
_FIELDS: dict[type, tuple[str, ...]] = {
    Fill: (*_ORDERED, "price", "fee", "cause", "order"),
    Cancel: ("strategy", *_ORDERED, "cause", "order"),
    Trade: ("strategy", *_ORDERED, "entry_price", "exit_price", "cause", "profit", "r"),
    Latch: ("rule", "verdict", "book", "until", "lifted", "by", "reason"),
}


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
    if isinstance(record, Trade):
        if record.exit_at is None:
            return
        own = {"id": f"t{record.seq}", "decision": f"d{record.decision}", "entry_at": iso(record.entry_at)}
        said: dict[str, Any] = {"type": "trade", "at": iso(record.exit_at), **own}
    elif isinstance(record, Decision):
        said = {"type": "decision", **as_object(record)}
    elif type(record) in _FIELDS:
        assert isinstance(record, Fill | Cancel | Latch)
        said = {"type": type(record).__name__.lower(), "at": iso(record.at)}
    else:
        return
    said |= {name: getattr(record, name) for name in _FIELDS.get(type(record), ())}
    if isinstance(record, Latch):
        said["until"] = iso(record.until)
    yield encode(said).decode()
