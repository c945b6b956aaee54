"""Alerts to several addresses, each through its own lane."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tb.connectors.alerts.addresses import Address, addresses_of
from tb.connectors.alerts.lane import Lane
from tb.connectors.alerts.wording import body_of, title_of
from tb.runtime.ports.alerts import Alert

ROOM = 500  # alerts that wait for one address
AGAIN_AFTER = 30.0  # seconds in which the same alert is told once
AT_THE_END = 5.0  # seconds for what is waiting when a session ends

_log = logging.getLogger("tb.alerts")


class Sending:
    """The port `tb.runtime.ports.alerts.Alerts`: `send` only puts into queues in memory."""

    def __init__(
        self, addresses: Sequence[Address], project: str, *, room: int = ROOM, again_after: float = AGAIN_AFTER
    ) -> None:
        self._lanes = [Lane(one.name, project, one.deliver, room=room, again_after=again_after) for one in addresses]

    @property
    def dropped(self) -> int:
        """Alerts that some address never got."""
        return sum(lane.dropped for lane in self._lanes)

    @property
    def failing(self) -> list[str]:
        """Addresses that did not take the last message, by number and kind."""
        return [lane.name for lane in self._lanes if lane.failures]

    def send(self, alert: Alert) -> None:
        for lane in self._lanes:
            lane.put(alert)

    def close(self, within: float = AT_THE_END) -> None:
        """Gives what is waiting so many seconds to go out; what does not is logged as a count."""
        until = time.monotonic() + within
        late = [lane.name for lane in self._lanes if not lane.close(until)]
        if late:
            _log.warning("alerts did not reach address %s before the end", ", ".join(late))


def alerts_to(addresses: str, place: str, project: str) -> Sending:
    """Alerts to the addresses in a text, one a line, that was kept at `place`. Raises Refused TB880 or TB881."""
    return Sending(addresses_of(addresses, place), project)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one address, in seconds."""

    name: str
    delivered: bool
    seconds: float


def try_addresses(addresses: str, place: str, project: str, alert: Alert) -> Iterator[Tried]:
    """Sends an alert to each address now, one after the other. Raises Refused TB880 or TB881."""
    for address in addresses_of(addresses, place):
        begun = time.perf_counter()
        delivered = address.deliver(title_of([alert], project), body_of([alert], {}, 0), alert.severity)
        yield Tried(address.name, delivered, time.perf_counter() - begun)
