"""What a running session tells at each close: a line of text, or of JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tb.cli.output import encode, iso
from tb.core.time import show_instant

if TYPE_CHECKING:
    from tb.runtime.running.cycle import Cycle


def as_object(cycle: Cycle) -> dict[str, Any]:
    """A cycle for programs. Money in the account's currency; `no_trade_reason` is null where an entry was ordered."""
    reason = cycle.no_trade_reason
    return {
        "type": "cycle",
        "at": iso(cycle.at),
        "bars": cycle.bars,
        "missing": list(cycle.missing),
        "held_back": cycle.held or None,
        "decisions": cycle.decisions,
        "approved": cycle.approved,
        "refused": cycle.refused,
        "entries": cycle.entries,
        "exits": cycle.exits,
        "fills": cycle.fills,
        "trades_closed": cycle.closed,
        "positions": cycle.positions,
        "waiting": cycle.waiting,
        "equity": cycle.equity,
        "exposure": cycle.exposure,
        "no_trade_reason": None if reason is None else {"code": reason.code, "words": reason.words},
        "latches": [
            {"rule": latch.rule, "verdict": latch.verdict, "lifted": latch.lifted, "by": latch.by, "reason": latch.reason}
            for latch in cycle.latches
        ],
    }


def as_text(cycle: Cycle, currency: str) -> str:
    """One line: what happened, how things stand, and why nothing was traded."""
    happened = [
        f"{count} {name if count == 1 else names}"
        for count, name, names in (
            (cycle.entries, "entry", "entries"),
            (cycle.exits, "exit", "exits"),
            (cycle.fills, "fill", "fills"),
            (cycle.closed, "trade closed", "trades closed"),
        )
        if count
    ]
    equity = "unknown" if cycle.equity is None else f"{cycle.equity:,.2f} {currency}"
    stands = f"{cycle.positions} held, equity {equity}"
    reason = "" if cycle.no_trade_reason is None else f"; no entry: {cycle.no_trade_reason.words}"
    missing = f"; no bar of {', '.join(cycle.missing)}" if cycle.missing and not cycle.held else ""
    return f"{show_instant(cycle.at)}  {', '.join([*happened, stands])}{reason}{missing}"


def put_cycle(cycle: Cycle, currency: str, *, as_json: bool) -> None:
    """Tells a cycle at once."""
    sys.stdout.write((encode(as_object(cycle)).decode() if as_json else as_text(cycle, currency)) + "\n")
    sys.stdout.flush()
