"""tb's side of the comparison: a project for a strategy, replayed into a ledger on disk; its trades are read from there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parity.strategies import CASH, Place, Strategy, scaled
from benchmarks.replays import play
from tb.ledger import open_ledger
from tb.replay.data import Market
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project

# the tick is so fine that no level is rounded; the fee is the comparison's 0.1 %
SETTINGS = """name: parity
account: {{currency: USD, equity: {cash} USD}}
instruments: {{default: {{tick: 0.000000000001, lot: 1, minimum: 0.01 USD}}}}
venue: {{fee: 10bps, slippage: 0bps, spread: 0bps}}
"""
FIXED = "limit fixed  order.quantity <= {units} {base}  otherwise shrink\n"
NO_LIMIT = "warn many  when entries(today) >= 1000\n"


@dataclass(frozen=True, order=True)
class Trade:
    """A closed trade: `entry` and `exit` are the bars of its fills, `sign` 1 for long; `result` is after fees."""

    entry: int
    exit: int
    sign: int
    bought: float
    sold: float
    units: float
    result: float


@dataclass(frozen=True)
class Trades:
    """The closed ones in order, and how many positions are open at the end."""

    closed: tuple[Trade, ...]
    open: int


def rules(strategy: Strategy, place: Place, every: str) -> str:
    """One tb strategy for each side."""
    lines = ["universe market", f"  tier all {place.symbol}", ""]
    for side, condition in strategy.entries.items():
        losing, winning = ("below", "above") if side == "long" else ("above", "below")
        lines += [f"strategy go_{side} on market every {every}", f"  enter {side} when {condition}"]
        lines.append("    size 100% of equity" if strategy.share is None else f"    size {strategy.share:.0%} of equity")
        for word, bps, where in (("stop", strategy.stop, losing), ("target", strategy.target, winning)):
            lines += [] if bps is None else [f"    {word} {scaled(bps, place)}bps {where} entry"]
        lines += [f"  exit when {strategy.exits[side]}"] if side in strategy.exits else []
        lines += [] if strategy.hold is None else [f"  hold at most {strategy.hold} bars"]
        lines.append("")
    return "\n".join(lines)


def trades(strategy: Strategy, place: Place, market: Market, units: int) -> Trades:
    """What tb does: its trades as its ledger has them."""
    minutes = market.period // 60_000
    base = place.symbol.replace("_", "-").split("-")[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "policy").mkdir()
        (folder / "tb.yaml").write_text(SETTINGS.format(cash=CASH))
        (folder / "rules" / "compared.tb").write_text(rules(strategy, place, f"{minutes}m"))
        limit = FIXED.format(units=units, base=base) if strategy.share is None else NO_LIMIT
        (folder / "policy" / "limits.tb").write_text(limit)
        play(compile_project(load_project(folder)), market, folder / "ledger.sqlite")
        with open_ledger(folder / "ledger.sqlite") as ledger:
            recorded = ledger.trades("r1")
    closed = [
        Trade(
            one.entry_row,
            one.exit_row,
            1 if one.side == "long" else -1,
            float(one.entry_price),
            float(one.exit_price),
            float(one.quantity),
            float(one.profit),
        )
        for one in recorded
        if one.exit_row is not None and one.exit_price is not None and one.profit is not None
    ]
    return Trades(tuple(sorted(closed)), len(recorded) - len(closed))
