"""What a session tells people between two closes, on the terminal that it runs in: each alert a line, on standard error.

INVARIANT: a terminal that takes nothing (stopped with Ctrl-S, a pipe that nobody reads) holds nobody up: a thread of its own
writes, and lines that it cannot keep are counted.
"""

from __future__ import annotations

import queue
import threading

from tb.cli.output import say
from tb.connectors.alerts.wording import line_of
from tb.runtime.ports.alerts import Alert, Alerts

MOST, LONGEST = 1_000, 2.0  # lines that wait; s to wait for them at the end


class Aloud:
    """`Alerts` that are also said here; `inner` is who is told elsewhere."""

    def __init__(self, inner: Alerts) -> None:
        self._inner = inner
        self._lines: queue.Queue[str | None] = queue.Queue(MOST)
        self._lost = 0
        self._writer = threading.Thread(target=self._write, name="terminal", daemon=True)
        self._writer.start()

    def send(self, alert: Alert) -> None:
        self._inner.send(alert)
        try:
            self._lines.put_nowait(line_of(alert))
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        try:
            self._lines.put(None, timeout=LONGEST)
            self._writer.join(LONGEST)
        except queue.Full:
            pass
        self._inner.close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            lost, self._lost = self._lost, 0
            try:
                say(line if not lost else f"{lost} lines were lost\n{line}")
            except (OSError, ValueError):  # nobody reads here any more
                return
