"""Where the records of a running session go: into the ledger, in groups, before an order goes out and at the end of each step.

A session that goes on after it was cut short takes its inputs again; what follows from them must be what the ledger has, record
by record, and what the ledger lacks is written. Where the ledger does not take a group, the records wait in memory, in order,
and are tried again; meanwhile `trouble` says why, and nothing new is risked (`tb.runtime.running.stepper`).

INVARIANT: records are in the ledger in the order in which they were made, each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from tb.core.diagnostics import Refused, error
from tb.core.encode import canonical
from tb.core.records import Record
from tb.core.span import whole_file
from tb.ledger import DecisionLog

DIFFERS = "TB862"


class Keeps(Protocol):
    """A ledger, as a running session sees it."""

    def append(self, run: str, records: Sequence[Record], *, log: DecisionLog | None = None) -> None: ...


class Records(Protocol):
    """Where the records of a session that runs go. `trouble` says why some wait, `blocked` why they have to; `flush` whether
    the ledger has all of them; `take_told` gives those since it was last asked."""

    blocked: str

    @property
    def told(self) -> list[Record]: ...

    @property
    def log(self) -> DecisionLog: ...

    @property
    def trouble(self) -> str: ...

    def record(self, records: Sequence[Record]) -> None: ...

    def flush(self) -> bool: ...

    def take_told(self) -> list[Record]: ...


class LiveRecorder:
    """`known` are the records that the ledger has of the run already."""

    def __init__(self, run: str, ledger: Keeps | None, known: Iterator[Record] | None = None) -> None:
        self.run = run
        self.ledger = ledger
        self.log = DecisionLog()
        self._told: list[Record] = []
        self.trouble = ""
        self.blocked = ""  # why nothing may be written now: what it follows from is not on the disk
        self._known = known
        self._waiting: list[Record] = []

    def record(self, records: Sequence[Record]) -> None:
        for record in records:
            self._told.append(record)
            if not self._is_known(record):
                self._waiting.append(record)

    def _is_known(self, record: Record) -> bool:
        """Whether the ledger has it already. Raises Refused TB862 where it has another one in its place."""
        if self._known is None:
            return False
        expected = next(self._known, None)
        if expected is None:
            self._known = None
            return False
        if canonical(expected) != canonical(record) or type(expected) is not type(record):
            there, given = f"a {type(expected).__name__.lower()}", f"a {type(record).__name__.lower()}"
            what = f"the ledger has {there}, and they give {given}" if there != given else f"{given} differs"
            message = f"run {self.run} cannot go on: taken again, its inputs do not give what the ledger recorded ({what})"
            hint = "was tb, the ledger or the folder of its inputs changed? keep both, and start anew with `tb run --new`"
            raise Refused([error(DIFFERS, message, whole_file("ledger"), hint)])
        self.log.add(record)
        return True

    def has_more(self) -> bool:
        """Whether the ledger has records that did not follow from the inputs so far."""
        return self._known is not None and next(self._known, None) is not None

    def flush(self) -> bool:
        """Writes what waits. Whether the ledger has all of it."""
        if not self._waiting:
            return not (self.trouble or self.blocked)
        if self.blocked:
            return False
        if self.ledger is None:
            for record in self._waiting:
                self.log.add(record)
        else:
            try:
                self.ledger.append(self.run, self._waiting, log=self.log)
            except Refused as refused:
                self.trouble = refused.findings[0].message
                return False
        self._waiting, self.trouble = [], ""
        return True

    def take_told(self) -> list[Record]:
        """The records since this was last asked."""
        told, self._told = self._told, []
        return told

    @property
    def told(self) -> list[Record]:
        """The same, left where it is."""
        return self._told
