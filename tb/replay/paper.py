"""Paper: orders of a running session fill on the simulated venue, from the bars that come in.

What fills inside a bar is known once the bar has closed; the conventions are those of replays (`tb.replay.venue`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tb.core.records import Order
from tb.core.settings import Settings
from tb.gate.gate import Approved
from tb.gate.standing import Standing
from tb.replay.venue import SimulatedVenue, advance
from tb.runtime.ports.measures import AtVenue

if TYPE_CHECKING:
    from tb.runtime.running.market import LiveMarket
    from tb.runtime.session import Session


class PaperVenue:
    """A simulated venue over bars that grow."""

    def __init__(self, settings: Settings, market: LiveMarket) -> None:
        self._venue = SimulatedVenue(settings, market.bars, market.rates)

    def submit(self, approved: Approved, order: Order) -> None:
        self._venue.submit(approved, order)

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        self._venue.submit_together(legs)

    def cancel(self, order: str) -> bool:
        return self._venue.cancel(order)

    def standing(self, instrument: str, at: int) -> Standing:
        return self._venue.standing(instrument, at)

    speaks = False
    knows = True
    is_flattening = False

    def attend(self) -> None: ...

    def flatten(self, by: str, reason: str) -> bool:
        return False

    def reconcile(self, by: str) -> str:
        return "agrees"  # there is nobody to differ from

    def unfinished(self) -> str:
        return ""

    def counted(self, session: Session) -> AtVenue:
        return AtVenue(working=len(session.waiting))

    def close(self) -> None: ...

    def trouble(self) -> str:
        return ""

    def resumed(self, at: int, by: str, reason: str) -> None: ...

    def said(self, instruments: Sequence[str], at: int) -> Mapping[str, Standing] | None:
        return None

    def advance(self, session: Session, market: LiveMarket, at: int) -> None:
        self._venue.forget_prices()
        advance(session, self._venue, market.row, at, market.period)
