"""What other currencies are worth in the account's, from recorded bars that have closed.

A rate is the middle of the last quote of the instrument that the settings name, or its last price, or 1 over it. The newest bar
counts: for orders as long as it is not stale, for what is held whatever its age. Its age also goes into the age of the data
that the policy bounds. Where a fill is paid, half the spread of a recorded quote is paid too.

INVARIANT: no bar is read that closes after the instant asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.settings import Settings
from tb.engine.bars import Bars
from tb.engine.instant import EXACT, exact
from tb.gate.conversion import ONE


@dataclass(slots=True)
class Rates:
    """For the instruments of some settings, over the bars of a replay."""

    settings: Settings
    bars: dict[str, Bars]

    def now(self, symbol: str, at: int) -> Decimal | None:
        """What one unit of the currency that an instrument is priced in is worth at an instant; 1 for the account's own, None
        where that is not known or too old to order by."""
        age = self.age(symbol, at)
        return None if age is None or age > self.settings.rates_stale_after else self.newest(symbol, at)

    def newest(self, symbol: str, at: int) -> Decimal | None:
        """The same of the newest bar, whatever its age, as what is held is marked by the newest close."""
        return self._of(symbol, at, 0, keep=False) if self.settings.is_foreign(symbol) else ONE

    def paid(self, symbol: str, sign: int, at: int) -> Decimal | None:
        """The same for a fill that buys (sign 1) or sells (-1), half the spread of the rate included. Where the newest rate is
        not known, the newest known one: a fill is a fact, and what is held has to be counted."""
        if not self.settings.is_foreign(symbol):
            return ONE
        return self._of(symbol, at, sign, keep=True)

    def age(self, symbol: str, at: int) -> int | None:
        """Time in ms since the newest known rate of an instrument closed; None where there is none, 0 where none is needed."""
        found = self.settings.conversion(symbol)
        if found is None:
            return None if self.settings.is_foreign(symbol) else 0
        bars = self.bars.get(found.instrument)
        row = None if bars is None else self._known(bars, at)
        return None if bars is None or row is None else at - int(bars.time[row]) - bars.period

    def _of(self, symbol: str, at: int, sign: int, *, keep: bool) -> Decimal | None:
        found = self.settings.conversion(symbol)
        bars = None if found is None else self.bars.get(found.instrument)
        if found is None or bars is None:
            return None
        row = self._known(bars, at) if keep else int(bars.closes.searchsorted(at, side="right")) - 1
        if row is None or row < 0:
            return None
        price = self._price(bars, row, -sign if found.inverse else sign)
        if price is None or price <= 0:
            return None
        return EXACT.divide(ONE, price) if found.inverse else price

    @staticmethod
    def _price(bars: Bars, row: int, sign: int) -> Decimal | None:
        """The middle, or the side at which somebody buys (1) or sells (-1) the currency."""
        if bars.bid is None or bars.ask is None:
            return exact(float(bars.close[row]))
        bid, ask = exact(float(bars.bid[row])), exact(float(bars.ask[row]))
        if bid is None or ask is None:
            return None
        return EXACT.divide(EXACT.add(bid, ask), Decimal(2)) if not sign else ask if sign > 0 else bid

    @staticmethod
    def _known(bars: Bars, at: int) -> int | None:
        """The newest bar that closed by then and says a price."""
        row = int(bars.closes.searchsorted(at, side="right")) - 1
        sides = [bars.close] if bars.bid is None or bars.ask is None else [bars.bid, bars.ask]
        while row >= 0 and not all(side[row] > 0.0 for side in sides):
            row -= 1
        return row if row >= 0 else None
