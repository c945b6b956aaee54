"""Open positions as a session manages them, and the trades they become."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.records import Fill, PartialExit, Trade
from tb.engine.instant import EXACT
from tb.engine.management import UNMANAGED, ManagePlan
from tb.gate.conversion import at_rate

BREAK_EVEN, TRAILING = "break-even", "trailing"  # what moved a stop


@dataclass(frozen=True, slots=True)
class Take:
    """A part of a position that leaves at a level. `number` counts the takes of the entry from 1."""

    number: int
    level: Decimal
    quantity: Decimal


@dataclass(slots=True)
class Position:
    """One strategy's position in one instrument, from its entry fill on. `sign` is 1 for long, -1 for short.

    `tier` is the one that the instrument was in when it was decided to enter, which stays the position's.
    `stop` is the level in force, `initial_stop` the one it began with, which R is measured by; `moved_by` says what moved it.
    `takes` are those still to come. `best` and `worst` are the favourable and adverse excursions so far, as ratios of the
    entry price. `exiting` says that an order to close it is on its way. `manage` says
    what moves its stop.
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
    manage: ManagePlan = UNMANAGED
    takes: list[Take] = field(default_factory=list)
    best: float = 0.0
    worst: float = 0.0
    exiting: bool = False
    trails: bool = False
    moved_by: str = ""
    exits: list[Fill] = field(default_factory=list)
    together: int | None = None  # of a leg: the number that all legs of the entry have
    funding: Decimal = Decimal(0)  # got at funding instants so far, negative where paid
    unfunded: int = 0  # funding instants at which what was due is not known
    funded_until: int = 0
    initial_stop: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        self.initial_stop = self.stop

    @property
    def remaining(self) -> Decimal:
        """The quantity that is still held."""
        left = self.entry.quantity
        for fill in self.exits:
            left = EXACT.subtract(left, fill.quantity)
        return left

    @property
    def stop_cause(self) -> str:
        return "trailing stop" if self.moved_by == TRAILING else "stop"

    def ahead(self) -> list[tuple[Decimal, Take | None]]:
        """Takes and target by their distance, nearest first; the target, None, after a take at the same level."""
        levels: list[tuple[Decimal, Take | None]] = [(take.level, take) for take in self.takes]
        levels += [] if self.target is None else [(self.target, None)]
        return sorted(levels, key=lambda found: (self.sign * found[0], found[1] is None, found[1].number if found[1] else 0))

    def see(self, high: float, low: float) -> None:
        """Takes note of a bar's extremes; unknown ones change nothing."""
        entry = float(self.entry.price)
        up, down = high / entry - 1.0, 1.0 - low / entry
        favourable, adverse = (up, down) if self.sign > 0 else (down, up)
        self.best = max(self.best, favourable)
        self.worst = max(self.worst, adverse)

    def leave(self, fill: Fill) -> None:
        """A part, or what is left, was closed by a fill."""
        if fill.quantity > self.remaining:
            raise ValueError(f"{fill.quantity} of t{self.seq} cannot leave, {self.remaining} are held")
        self.exits.append(fill)

    def trade(self) -> Trade:
        """The record of this position as it stands: open, open with parts gone, or closed by its last fill."""
        entry, last = self.entry, self.exits[-1] if self.exits and not self.remaining else None
        fees = entry.fee
        for fill in self.exits:
            fees = EXACT.add(fees, fill.fee)
        profit = None if last is None else EXACT.add(EXACT.subtract(self._moved(), fees), self.funding)
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
            stop=self.initial_stop,
            target=self.target,
            exit_at=None if last is None else last.at,
            exit_row=None if last is None else last.row,
            exit_price=None if last is None else last.price,
            cause=None if last is None else last.cause,
            fees=fees,
            profit=profit,
            r=None if profit is None else self._in_risk(profit),
            best=self.best,
            worst=self.worst,
            together=self.together,
            funding=self.funding,
            unfunded=self.unfunded,
            exits=() if self.exits == [last] else tuple(map(_part, self.exits)),
            last_stop=self.stop if self.moved_by else None,
            moved_by=self.moved_by,
            rate=entry.rate,
            exit_rate=None if last is None else last.rate,
        )

    def _moved(self) -> Decimal:
        """What prices gave, before fees: the sum over the fills that closed it."""
        total = Decimal(0)
        for fill in self.exits:
            total = EXACT.add(total, EXACT.multiply(self.sign * fill.quantity, self._gained(fill)))
        return total

    def _gained(self, fill: Fill) -> Decimal:
        """What the price of a unit rose from the entry to a fill, in the account's currency: each at the rate of its time."""
        return EXACT.subtract(at_rate(fill.price, fill.rate), at_rate(self.entry.price, self.entry.rate))

    def _in_risk(self, profit: Decimal) -> Decimal | None:
        if self.initial_stop is None:
            return None
        risk = EXACT.multiply(self.entry.quantity, abs(EXACT.subtract(self.entry.price, self.initial_stop)))
        return EXACT.divide(profit, at_rate(risk, self.entry.rate)) if risk else None


def _part(fill: Fill) -> PartialExit:
    return PartialExit(
        at=fill.at, row=fill.row, price=fill.price, quantity=fill.quantity, fee=fill.fee, cause=fill.cause, rate=fill.rate
    )
