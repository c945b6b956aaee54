"""Open positions as a session manages them, and the trades they become."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import Fill, Trade
from tb.engine.instant import EXACT


@dataclass(slots=True)
class Position:
    """One strategy's position in one instrument, from its entry fill on. `sign` is 1 for long, -1 for short.

    `tier` is the one that the instrument was in when it was decided to enter, which stays the position's.
    `best` and `worst` are the favourable and adverse excursions so far, as ratios of the entry price. `exiting` says that an
    order to close it is on its way.
    """

    seq: int
    strategy: str
    instrument: str
    sign: int
    decision: int
    entry: Fill
    stop: Decimal | None
    target: Decimal | None
    tier: str = ""
    best: float = 0.0
    worst: float = 0.0
    exiting: bool = False
    together: int | None = None  # of a leg: the number that all legs of the entry have
    funding: Decimal = Decimal(0)  # got at funding instants so far, negative where paid
    unfunded: int = 0  # funding instants at which what was due is not known
    funded_until: int = 0

    def see(self, high: float, low: float) -> None:
        """Takes note of a bar's extremes; unknown ones change nothing."""
        entry = float(self.entry.price)
        up, down = high / entry - 1.0, 1.0 - low / entry
        favourable, adverse = (up, down) if self.sign > 0 else (down, up)
        self.best = max(self.best, favourable)
        self.worst = max(self.worst, adverse)

    def trade(self, exit_fill: Fill | None) -> Trade:
        """The record of this position, open or closed by that fill."""
        entry = self.entry
        fees, profit, r = entry.fee, None, None
        if exit_fill is not None:
            fees = EXACT.add(entry.fee, exit_fill.fee)
            moved = EXACT.multiply(self.sign * entry.quantity, EXACT.subtract(exit_fill.price, entry.price))
            profit = EXACT.add(EXACT.subtract(moved, fees), self.funding)
            risk = (
                Decimal(0) if self.stop is None else EXACT.multiply(entry.quantity, abs(EXACT.subtract(entry.price, self.stop)))
            )
            r = EXACT.divide(profit, risk) if risk else None
        return Trade(
            seq=self.seq,
            strategy=self.strategy,
            instrument=self.instrument,
            side="long" if self.sign > 0 else "short",
            decision=self.decision,
            entry_at=entry.at,
            entry_row=entry.row,
            entry_price=entry.price,
            quantity=entry.quantity,
            stop=self.stop,
            target=self.target,
            exit_at=None if exit_fill is None else exit_fill.at,
            exit_row=None if exit_fill is None else exit_fill.row,
            exit_price=None if exit_fill is None else exit_fill.price,
            cause=None if exit_fill is None else exit_fill.cause,
            fees=fees,
            profit=profit,
            r=r,
            best=self.best,
            worst=self.worst,
            together=self.together,
            funding=self.funding,
            unfunded=self.unfunded,
        )
