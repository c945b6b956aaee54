"""The line to a venue: who is told when what the venue tells by itself does not come, and how loudly.

1. A line that is back soon is a quiet note: whatever may have been missed is asked for, and nobody has to do anything.
2. More of these within `window` are counted, and told as one warning once it is over.
3. A line that stays away for `away` is data that is lost: critical, at the first turn after that; its end is told, too.

Both are in ms of the clock that `now` is of. Nothing is decided by it: what is old or unknown denies by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tb.core.time import show_duration
from tb.runtime.ports.alerts import Severity
from tb.runtime.ports.exchange import Event, Lost, Quoted

AWAY, WINDOW = 10_000, 300_000
Channel = Literal["orders", "market"]
_CARRIES: dict[Channel, str] = {"orders": "news of orders", "market": "prices"}
_MEANWHILE: dict[Channel, str] = {
    "orders": "orders are asked for one by one until it is back",
    "market": "prices grow old, and limits that read them deny",
}


@dataclass(slots=True)
class _Away:
    since: int
    why: str
    told: bool = False


class Line:
    """Watches both channels of one venue. `tell` takes what people should hear."""

    def __init__(self, tell: Callable[[Severity, str], None], *, away: int = AWAY, window: int = WINDOW) -> None:
        self._tell, self._after, self._window = tell, away, window
        self._away: dict[Channel, _Away] = {}
        self._counts_until = 0
        self._more = 0  # interruptions since the last that was told
        self._last = ""

    def heard(self, events: Iterable[Event], now: int) -> None:
        """What came, in order."""
        for event in events:
            match event:
                case Lost(state="away", channel=channel, why=why):
                    self._away.setdefault(channel, _Away(now, why)).why = why
                case Lost(state="back", channel=channel):
                    self._back(channel, now)
                case Lost(channel=channel, why=why):
                    self._short(channel, "", why, now)
                case Quoted():
                    self._back("market", now)
                case _:
                    pass

    def due(self, now: int) -> None:
        """What has become due by now."""
        for channel, gone in self._away.items():
            if not gone.told and now - gone.since >= self._after:
                gone.told = True
                since = show_duration((now - gone.since) // 1000 * 1000)
                self._tell("critical", f"no {_CARRIES[channel]} for {since}: {gone.why}; {_MEANWHILE[channel]}")
        if self._counts_until and now >= self._counts_until:
            self._count(now)

    def close(self) -> None:
        """The session is over: what was counted is told."""
        if self._more:
            self._count(self._counts_until)

    def _back(self, channel: Channel, now: int) -> None:
        gone = self._away.pop(channel, None)
        if gone is None:
            return
        span = show_duration(max(now - gone.since, 1000) // 1000 * 1000)
        if gone.told:
            self._tell("info", f"{_CARRIES[channel]} come again, after {span}: what was missed is asked for")
        else:
            self._short(channel, f" for {span}", gone.why, now)

    def _short(self, channel: Channel, how_long: str, why: str, now: int) -> None:
        self._last = f"{_CARRIES[channel]} did not come{how_long}: {why}"
        if now < self._counts_until:
            self._more += 1
            return
        self._count(now)
        self._tell("info", f"{self._last}; what was missed is asked for")
        self._counts_until = now + self._window

    def _count(self, now: int) -> None:
        """Tells what was counted; as long as something was, it goes on being counted."""
        more, self._more = self._more, 0
        self._counts_until = now + self._window if more else 0
        if more:
            times = "once more" if more == 1 else f"{more} times more"
            self._tell(
                "warning", f"the line was interrupted {times} within {show_duration(self._window)}, at last {self._last}"
            )
