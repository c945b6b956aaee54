"""How a session stands, for those who watch it: read at each close, and between two whenever something of it has changed.

A bracket goes out right after a fill, and a stop may fill long before the next close: whoever watches sees it at the next turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tb.core.records import Mark, Record
from tb.runtime.ports.measures import Measures, Readings
from tb.runtime.running.stepper import Stepper


class Reading:
    """Hands readings to those who count."""

    def __init__(self, stepper: Stepper, measures: Measures) -> None:
        self.stepper, self.measures = stepper, measures
        self._last = Readings()
        self._headroom: dict[str, float | None] = {}

    def closed(self, at: int, told: Iterable[Record]) -> None:
        """At a close, after its records were told."""
        session, market = self.stepper.session, self.stepper.market
        for record in told:
            if isinstance(record, Mark) and record.usage:
                self._headroom = {name: None if share is None else 1 - share for name, share in record.usage.items()}
        ages = {symbol: market.age(symbol, at) for symbol in market.series}
        now = Readings(equity=session.account.equity(), exposure=session.account.gross(), data_age=ages)
        self._tell(self._counted(replace(now, headroom=self._headroom)))

    def turned(self) -> None:
        """Between two closes: prices are those of the last one."""
        now = self._counted(self._last)
        if now != self._last:
            self._tell(now)

    def _counted(self, readings: Readings) -> Readings:
        session = self.stepper.session
        there = self.stepper.sending.venue.counted(session)
        return replace(
            readings,
            breaker=there.breaker,
            halted=session.latches.words("halt") is not None,
            unknown_orders=there.unknown,
            open_orders=there.working,
            protective_orders=there.protective,
            positions=len(session.positions),
        )

    def _tell(self, readings: Readings) -> None:
        self._last = readings
        self.measures.read(readings)
