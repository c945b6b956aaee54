"""Records that must not be lost when the ledger is locked or the disk is full, and must not stop a gateway that protects.

A ledger that is locked is waited for each time it is tried. After a try that took long there is none for twice as long, so that
positions are looked after meanwhile.

INVARIANT: records reach the ledger in their order, each once; while some wait, nothing that adds risk is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tb.core.diagnostics import Refused
from tb.core.records import Record
from tb.runtime.ports import Recorder

LONG = 0.1  # s that a try may take without a pause after it


class Backlog:
    """A recorder in front of another one. `failed` hears why records wait, once for each time that it begins."""

    def __init__(self, recorder: Recorder, failed: Callable[[str], None] = lambda why: None) -> None:
        self.recorder, self.failed = recorder, failed
        self._waiting: list[Record] = []
        self._not_before = 0.0
        self._why = ""  # why records wait, as it was told

    def record(self, records: Sequence[Record]) -> None:
        """Takes records; those that cannot be written now are written before the next ones."""
        was_waiting = bool(self._waiting)
        self._waiting += records
        if was_waiting:
            return  # `flush` tries again, once a turn
        self._write()

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def flush(self) -> bool:
        """Tries again; says whether nothing waits any more."""
        if self._waiting and time.monotonic() >= self._not_before:
            self._write()
        return not self._waiting

    def _write(self) -> None:
        records, self._waiting = self._waiting, []
        begun = time.monotonic()
        try:
            self.recorder.record(records)
        except (Refused, OSError) as problem:
            self._waiting = [*records, *self._waiting]
            self._pause(begun)
            why = problem.findings[0].message if isinstance(problem, Refused) else str(problem)
            if why != self._why:
                self._why = why
                self.failed(f"records cannot be written: {why}")
        else:
            self._why = ""

    def _pause(self, begun: float) -> None:
        now = time.monotonic()
        if now - begun > LONG:
            self._not_before = now + 2 * (now - begun)
