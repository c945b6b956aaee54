"""What a session tells people outside of it, as a protocol: alerts out, nothing back.

INVARIANT: `send` never blocks and never raises. A session does not wait for anybody to hear of it, and does not end because
nobody does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

# what an alert is about: a fill is an entry or an exit, unless it is a stop or a target; `refusals` are a streak of them;
# `data` is lost or late; `order` also tells of one whose outcome is unknown; `test` comes from `tb alerts test`
What = Literal[
    "order", "fill", "stop", "target", "refusals", "breaker", "data", "halt", "clock", "disk", "position", "session", "test"
]
Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that happened: in words for people, at an instant in ms since 1970 UTC."""

    what: What
    severity: Severity
    words: str
    at: int


class Alerts(Protocol):
    """Who is told."""

    def send(self, alert: Alert) -> None:
        """Takes it on, at once and whatever happens; those of the highest severity are kept longest where there is no room."""
        ...

    def close(self) -> None:
        """Hands on what is waiting, for a few seconds at most; nothing is taken on afterwards."""
        ...


class Unheard:
    """Nobody is told."""

    def send(self, alert: Alert) -> None: ...

    def close(self) -> None: ...
