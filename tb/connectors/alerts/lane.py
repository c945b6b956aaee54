"""One address's own queue and thread, so that an address which does not answer holds up nobody.

1. `put` takes an alert on and returns at once. The same alert again within `again_after` seconds is counted, not kept; how
   often it came is told once that time is over.
2. The thread hands on everything that is waiting as one message. What was not taken is tried again, each time after twice the
   wait, with what has come meanwhile.
3. There is room for so many alerts. Beyond that the least severe is dropped, of these the oldest; how many were is told with
   the next message that is taken.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tb.connectors.alerts.wording import ORDER, body_of, title_of, worst
from tb.runtime.ports.alerts import Alert, Severity

Deliver = Callable[[str, str, Severity], bool]  # title, body, severity: whether the message was taken
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds between tries

_log = logging.getLogger("tb.alerts")


@dataclass(slots=True)
class _Folded:
    """How often an alert came again, until when it is counted, and the last of them."""

    last: Alert
    until: float
    times: int = 0


class Lane:
    """Where alerts wait for one address. Safe to share between threads."""

    def __init__(self, name: str, project: str, deliver: Deliver, *, room: int, again_after: float) -> None:
        self.name, self.project = name, project
        self.dropped = 0  # since the start
        self.failures = 0  # tries in a row that came to nothing
        self._deliver, self._room, self._again_after = deliver, room, again_after
        self._untold = 0  # dropped alerts that nobody was told of
        self._waiting: list[Alert] = []
        self._again: dict[Alert, int] = {}
        self._folded: dict[tuple[str, str], _Folded] = {}
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"alerts {name}", daemon=True)
        self._thread.start()

    def put(self, alert: Alert) -> None:
        with self._changed:
            if self._closing:
                return
            key, now = (alert.what, alert.words), time.monotonic()
            known = self._folded.get(key)
            if known is not None and now < known.until:
                known.times, known.last = known.times + 1, alert
                return
            if known is not None and known.times:
                self._tell_again(known)
            if known is not None or len(self._folded) < 4 * self._room:
                self._folded[key] = _Folded(alert, now + self._again_after)
            self._keep(alert)
            self._changed.notify()

    def close(self, until: float) -> bool:
        """Hands on what is waiting, until an instant of the monotonic clock; whether all of it was taken."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(max(0.0, until - time.monotonic()))
        with self._changed:
            return not self._thread.is_alive() and not self._waiting

    def _keep(self, alert: Alert) -> None:
        self._waiting.append(alert)
        if len(self._waiting) > self._room:
            least = max(self._waiting, key=lambda one: ORDER.index(one.severity))  # the first of its severity is the oldest
            self._waiting.remove(least)
            self._again.pop(least, None)
            self.dropped, self._untold = self.dropped + 1, self._untold + 1

    def _tell_again(self, known: _Folded) -> None:
        self._again[known.last] = known.times - 1  # the alert itself is one of them
        self._keep(known.last)
        known.times = 0

    def _gather(self) -> None:
        """Moves what came again to what is waiting, once its time is over or nothing more can come."""
        now = time.monotonic()
        for key, known in list(self._folded.items()):
            if known.until <= now or self._closing:
                if known.times:
                    self._tell_again(known)
                del self._folded[key]

    def _next_due(self) -> float | None:
        """Seconds until something that came again has to be told."""
        due = [known.until for known in self._folded.values()]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._gather()
                while not self._waiting and not self._closing:
                    self._changed.wait(self._next_due())
                    self._gather()
                if not self._waiting:
                    return
                batch, again, untold = self._waiting, self._again, self._untold
                self._waiting, self._again, self._untold = [], {}, 0
                is_last = self._closing
            if self._tried(batch, again, untold):
                self.failures = 0
                continue
            self.failures += 1
            self._put_back(batch, again, untold)
            if is_last:
                return
            self._wait()

    def _tried(self, batch: list[Alert], again: dict[Alert, int], untold: int) -> bool:
        try:
            taken = self._deliver(title_of(batch, self.project), body_of(batch, again, untold), worst(batch))
        except Exception as problem:  # whatever a service's own code raises: the next alert still has to go out
            _log.warning("alerts to address %s failed: %s", self.name, type(problem).__name__)
            return False
        if not taken and not self.failures:
            _log.warning("address %s does not take alerts; they are kept and tried again", self.name)
        return taken

    def _put_back(self, batch: list[Alert], again: dict[Alert, int], untold: int) -> None:
        with self._changed:
            newer, self._waiting = self._waiting, []
            self._again = {**again, **self._again}
            self._untold += untold
            for alert in (*batch, *newer):
                self._keep(alert)

    def _wait(self) -> None:
        """Until the next try, or until the lane closes: then there is one more."""
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self.failures - 1, 10))
        with self._changed:
            self._changed.wait_for(lambda: self._closing, wait)
