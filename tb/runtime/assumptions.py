"""What the settings state in place of what nobody recorded or said: spread, depth, and what a pip is worth."""

from __future__ import annotations

from collections.abc import Iterable

from tb.core.settings import Settings, Venue
from tb.engine.markets import Assumptions


def assumptions_of(settings: Settings, instruments: Iterable[str]) -> Assumptions:
    """The stand-ins of the settings for these instruments."""
    pips: dict[str, float] = {}
    own: dict[str, tuple[float | None, float | None]] = {}
    for symbol in instruments:
        spec = settings.instrument(symbol)
        if spec is not None and spec.pip is not None:
            pips[symbol] = float(spec.pip)
        own[symbol] = _stated(settings.venue_for(symbol))
    return Assumptions(*_stated(settings.venue), pips, own)


def _stated(venue: Venue) -> tuple[float | None, float | None]:
    """Spread and depth that stand in for what was not recorded."""
    return None if venue.spread is None else float(venue.spread), None if venue.depth is None else float(venue.depth)
